"""The technologies that a posting names, as canonical names ("k8s" is ``Kubernetes``).

The vocabulary is ``skills.toml``, which says how far each spelling can be trusted. All of it is
one regular expression, so a text is read once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl
from pydantic import model_validator

from pipeline.transform.vocabulary import Pattern, Shape, Word, any_of, read

MAX_SKILLS = 60
"""The most that a posting can have; the ones that it names first are kept."""

CORROBORATION = 2
"""How many undoubted skills a posting must name before an ordinary word counts as one."""


class _Technology(Shape):
    """See the top of ``skills.toml``."""

    spellings: tuple[Word, ...] = ()
    is_word: bool = False
    beside_others: tuple[Word, ...] = ()
    in_context: Pattern | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_spellings_alone(cls, told: object) -> object:
        return {"spellings": told} if isinstance(told, list) else told


class _Context(Shape):
    before: Pattern
    role: Pattern
    misleading: list[Pattern]


class _Skills(Shape):
    kinds: dict[Word, dict[Word, _Technology]]
    context: _Context


_vocabulary = read("skills", _Skills)
_technologies = {
    name: technology for names in _vocabulary.kinds.values() for name, technology in names.items()
}

KINDS: Mapping[str, str] = {
    name: kind for kind, names in _vocabulary.kinds.items() for name in names
}
"""Canonical name → its kind, for every skill there is."""


def with_skills(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Fill ``skills``: the technologies of the title, the tags and the description, sorted, each
    once, at most :data:`MAX_SKILLS`. The other columns stay as they are."""
    return postings.with_columns(
        skills_in(
            pl.concat_str(
                "title",
                pl.col("tags").list.join(" , "),
                "description",
                separator="\n",
                ignore_nulls=True,
            )
        ).alias("skills")
    )


def skills_in(text: pl.Expr) -> pl.Expr:
    """The canonical names of the technologies in a text: a sorted list, empty for null."""
    return text.str.extract_all(_PATTERN).map_batches(
        _canonical_names, return_dtype=pl.List(pl.String)
    )


def _spelling(text: str) -> str:
    """A literal spelling as a pattern that matches it as a whole word only."""
    start = r"(?-u:\b)" if text[0].isalnum() else ""
    end = r"(?-u:\b)" if text[-1].isalnum() else ""
    return f"{start}{re.escape(text)}{end}"


_UNDOUBTED = {
    spelling.lower(): name
    for name, technology in _technologies.items()
    for spelling in (*technology.spellings, *(() if technology.is_word else (name,)))
}
_ORDINARY = {
    spelling: name
    for name, technology in _technologies.items()
    for spelling in technology.beside_others
}


def _alternatives(spellings: list[str]) -> str:
    return "|".join(_spelling(spelling) for spelling in sorted(spellings, key=len, reverse=True))


_words = {"before": _vocabulary.context.before, "role": _vocabulary.context.role}
_IN_CONTEXT = {
    name: any_of([technology.in_context], **_words)
    for name, technology in _technologies.items()
    if technology.in_context
}
_NAMES_PATTERN = f"(?i-u:{_alternatives(list(_UNDOUBTED))})|{_alternatives(list(_ORDINARY))}"
_MISLEADING_PATTERN = any_of(_vocabulary.context.misleading, **_words)
_PATTERN = re.sub(
    r"(?<!-u:)\\b",
    r"(?-u:\\b)",
    f"{_MISLEADING_PATTERN}|{any_of(_IN_CONTEXT.values())}|{_NAMES_PATTERN}",
)
"""With ASCII word boundaries: the Unicode ones cost a thousand times as much."""

_read_again = re.compile(_NAMES_PATTERN.replace(r"(?-u:\b)", r"\b").replace("(?i-u:", "(?i:"))
_misleading = re.compile(_MISLEADING_PATTERN)
_in_context = {name: re.compile(pattern) for name, pattern in _IN_CONTEXT.items()}


def _canonical_names(matches: pl.Series) -> pl.Series:
    meanings: dict[str, tuple[tuple[str, bool], ...]] = {}
    rows: list[list[str]] = []
    for row in matches.to_list():
        certain: dict[str, None] = {}
        doubtful: dict[str, None] = {}
        for match in row or ():
            meaning = meanings.get(match)
            if meaning is None:
                meaning = meanings[match] = _meaning(match)
            for name, is_certain in meaning:
                (certain if is_certain else doubtful)[name] = None
        if doubtful and len(certain) >= CORROBORATION:
            certain |= doubtful
        rows.append(sorted(list(certain)[:MAX_SKILLS]))
    return pl.Series(matches.name, rows, dtype=pl.List(pl.String))


def _meaning(match: str) -> tuple[tuple[str, bool], ...]:
    """The names that a match stands for, each with whether it is beyond doubt."""
    if _misleading.fullmatch(match):
        return ()
    found: dict[str, bool] = {}
    for name, pattern in _in_context.items():
        if pattern.fullmatch(match):
            found[name] = True
    for spelling in _read_again.findall(match):
        certain = _UNDOUBTED.get(spelling.lower())
        name = certain or _ORDINARY[spelling]
        found[name] = found.get(name, False) or certain is not None
    return tuple(found.items())


def spellings() -> Mapping[str, str]:
    """Each spelling, as it is written in the vocabulary → the canonical name."""
    return _UNDOUBTED | _ORDINARY
