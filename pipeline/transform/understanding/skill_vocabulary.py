"""The shape of ``skills.toml``: the technologies, and what is read around their names."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import model_validator

from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, Word, read


class Technology(Shape):
    """See the top of ``skills.toml``."""

    spellings: tuple[Word, ...] = ()
    is_word: bool = False
    exact: tuple[Word, ...] = ()
    beside_others: tuple[Word, ...] = ()
    in_list: tuple[Word, ...] = ()
    in_context: Pattern | None = None
    misleading: Pattern | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_spellings_alone(cls, told: object) -> object:
        return {"spellings": told} if isinstance(told, list) else told


class Context(Shape):
    before: Pattern
    role: Pattern
    between: PythonPattern
    phrases: list[Word]
    companies: list[Word]
    investors: list[Word]
    practices: list[Word]
    not_asked: list[Word]
    others: list[Word]
    of_others: PythonPattern
    payers: list[Word]
    backed_by: PythonPattern
    people: PythonPattern
    compared: PythonPattern
    used: list[Word]
    account: PythonPattern
    forms: list[Word]


class Skills(Shape):
    kinds: dict[Word, dict[Word, Technology]]
    context: Context


SKILLS = read("skills", Skills)
TECHNOLOGIES = {
    name: technology for names in SKILLS.kinds.values() for name, technology in names.items()
}

KINDS: Mapping[str, str] = {name: kind for kind, names in SKILLS.kinds.items() for name in names}
"""Canonical name → its kind, for every skill there is."""
