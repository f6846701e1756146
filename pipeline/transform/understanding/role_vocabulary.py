"""The shape of ``roles.toml``: the words of titles, the duties, and the questions to them."""

from __future__ import annotations

from typing import Annotated

from pipeline.fields import CATEGORIES
from pipeline.transform.understanding.skill_vocabulary import KINDS
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, Word, one_of, read

ASKED = (
    "software", "infrastructure", "platform", "administration", "operations", "data", "engineer",
    "product", "analyst", "leader", "anything",
)  # fmt: skip
"""What a title that decides nothing leaves to the duties: see ``questions`` in ``roles.toml``."""

NOT_TECH = "none"
"""The category of words that name a job of no technology."""

Category = Annotated[str, one_of(CATEGORIES)]


class Words(Shape):
    """An entry of ``title.jobs`` or ``title.crafts``: see ``roles.toml``."""

    name: Word
    words: list[Pattern]
    category: Category | None = None
    alone: bool = False
    plain: bool = False
    weak: bool = False
    person: bool = False
    like_previous: bool = False
    yields: bool = False
    any_word: bool = False
    asks: Annotated[str, one_of(ASKED)] | None = None


class Nouns(Shape):
    makers: list[Pattern]
    others: list[Pattern]
    leaders: list[Pattern]


class Title(Shape):
    jobs: list[Words]
    crafts: list[Words]
    nouns: Nouns


class Duties(Shape):
    strong: list[Pattern]
    words: list[Pattern]
    skills: list[Annotated[str, one_of(set(KINDS.values()))]]
    most: int
    needed: float = 0


class Question(Shape):
    """See ``questions`` in ``roles.toml``."""

    needed: float
    default: Category | None = None
    prior: float = 0
    ratio: float = 1
    technologies: int = 0
    only: tuple[Category, ...] | None = None
    instead: Category | None = None
    foreign_below: float = 0


class Named(Shape):
    before: list[Pattern]
    article: list[Pattern]
    nouns: list[Pattern]


class Openings(Shape):
    before: list[Pattern]
    nouns: list[Pattern]
    sentence: PythonPattern
    seekers: Pattern


class Bare(Shape):
    levels: list[Word]
    titles: dict[Category, list[PythonPattern]]


class Roles(Shape):
    title: Title
    named: Named
    openings: Openings
    bare: Bare
    duties: dict[Category, Duties]
    questions: dict[Annotated[str, one_of(ASKED)], Question]


ROLES = read("roles", Roles)
