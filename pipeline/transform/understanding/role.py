"""Which postings are for backend, DevOps, SRE, cloud or platform roles, and why.

The rules are data (``roles.toml``). The exclusions name the occupations that are another's,
whatever technology stands beside them; the rules are tried in order, and the first that fits gives
the category and the reason. ``docs/roles.md`` says the same in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated

import polars as pl
from pydantic import Field

from pipeline.fields import CATEGORIES
from pipeline.transform.cleaning.text import fold
from pipeline.transform.understanding.skills import KINDS, skills_in
from pipeline.transform.vocabulary import Pattern, Shape, Word, any_of, one_of, read

SHORT_DESCRIPTION_CHARS = 800
"""Below this a description is a teaser that has no room for a list of technologies."""

SHOWN_EVIDENCE = 6
"""How many technologies a reason names."""


@dataclass(frozen=True)
class Exclusion:
    """An occupation that is out of scope: ``pattern`` in the title, unless ``unless`` is too."""

    name: str
    pattern: str
    unless: str | None = None


@dataclass(frozen=True)
class Rule:
    """One way to be relevant.

    Attributes:
        name: what ``docs/roles.md`` calls it.
        category: one of :data:`pipeline.fields.CATEGORIES`.
        pattern: what the folded title must hold; the words that match are the reason.
        unless: what the folded title must not hold.
        unless_described: what the description must not hold (as written, case ignored).
        evidence: the kinds of skills that the tags and the description must show; empty when the
            title is enough.
        needed: how many different ones; in a short description, ``needed_if_short``.
    """

    name: str
    category: str
    pattern: str
    unless: str | None = None
    unless_described: str | None = None
    evidence: frozenset[str] = frozenset()
    needed: int = 0
    needed_if_short: int = 0


class _WithRole(Shape):
    with_role: Pattern


class _Exclusion(Shape):
    name: Word
    titles: list[Pattern]
    unless: tuple[Pattern, ...] = ()


class _Rule(Shape):
    name: Word
    category: Annotated[str, one_of(CATEGORIES)]
    titles: list[Pattern | _WithRole]
    unless: tuple[Pattern, ...] = ()
    unless_described: tuple[Pattern, ...] = ()
    evidence: Word | None = None
    needed: int = 0
    needed_if_short: int = 0


class _Evidence(Shape):
    kinds: dict[Word, list[Annotated[str, one_of(set(KINDS.values()))]]]
    exceptions: Annotated[list[Annotated[str, one_of(KINDS)]], Field(alias="except")]


class _Roles(Shape):
    words: dict[Word, list[Pattern]]
    evidence: _Evidence
    exclusions: list[_Exclusion]
    rules: list[_Rule]


_vocabulary = read("roles", _Roles)
_words = {name: any_of(patterns) for name, patterns in _vocabulary.words.items()}
_kinds_of_evidence = {name: frozenset(kinds) for name, kinds in _vocabulary.evidence.kinds.items()}
NOT_EVIDENCE = frozenset(_vocabulary.evidence.exceptions)
"""Technologies of those kinds that client developers and analysts name as often."""


def _titles(patterns: Sequence[str | _WithRole]) -> str:
    return any_of(
        (
            pattern if isinstance(pattern, str) else _with_role(pattern.with_role)
            for pattern in patterns
        ),
        **_words,
    )


def _with_role(words: str) -> str:
    """The words and the name of an engineering role, in either order."""
    word = rf"\b(?:{words})(?: |$)"
    role = _words["role"]
    return rf"{word}(?:.* )?{role}\b|\b{role} (?:.* )?{word}"


EXCLUSIONS: Sequence[Exclusion] = [
    Exclusion(
        name=declared.name,
        pattern=_titles(declared.titles),
        unless=_titles(declared.unless) if declared.unless else None,
    )
    for declared in _vocabulary.exclusions
]
RULES: Sequence[Rule] = [
    Rule(
        name=declared.name,
        category=declared.category,
        pattern=_titles(declared.titles),
        unless=_titles(declared.unless) if declared.unless else None,
        unless_described=any_of(declared.unless_described) if declared.unless_described else None,
        evidence=_kinds_of_evidence[declared.evidence] if declared.evidence else frozenset(),
        needed=declared.needed,
        needed_if_short=declared.needed_if_short,
    )
    for declared in _vocabulary.rules
]
"""In the order in which they are tried."""


def with_category(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``category``, null where the role is none of those in scope, and ``category_reason``.

    The reason names the field and the words that decided, for example ``title: backend engineer``
    or ``title: software engineer; tags and description: Kubernetes, Terraform``. Reads ``title``,
    ``tags`` and ``description``; a row's result depends on that row alone.
    """
    title = pl.col("_title")
    decided = pl.coalesce(
        pl.when(title.str.contains(rule.pattern) & _allows(rule)).then(pl.lit(number, pl.Int32))
        for number, rule in enumerate(RULES)
    )
    kept = pl.col("_rule").is_not_null()
    return (
        postings.with_columns(fold(pl.col("title")).alias("_title"))
        .with_columns(_rule=pl.when(~_is_excluded()).then(decided))
        .with_columns(_skills().alias("_skills"))
        .with_columns(_evidence().alias("_evidence"))
        .with_columns(_rule=pl.when(_has_enough_evidence()).then("_rule"))
        .with_columns(
            category=pl.when(kept)
            .then(_by_rule([rule.category for rule in RULES]))
            .cast(pl.Enum(CATEGORIES)),
            category_reason=pl.when(kept)
            .then(_reason())
            .otherwise(pl.lit("no rule finds a role in scope")),
        )
        .drop("_title", "_rule", "_skills", "_evidence")
    )


def relevant(postings: pl.DataFrame) -> pl.DataFrame:
    """``Posting`` → ``RelevantPosting``: those that have a category."""
    return postings.filter(pl.col("category").is_not_null())


def _allows(rule: Rule) -> pl.Expr:
    allowed = pl.lit(value=True)
    if rule.unless is not None:
        allowed = allowed & ~pl.col("_title").str.contains(rule.unless)
    if rule.unless_described is not None:
        contradicted = pl.col("description").str.contains(f"(?i){rule.unless_described}")
        allowed = allowed & ~contradicted.fill_null(value=False)
    return allowed


def _is_excluded() -> pl.Expr:
    def excluded(exclusion: Exclusion) -> pl.Expr:
        matches = pl.col("_title").str.contains(exclusion.pattern)
        if exclusion.unless is not None:
            matches = matches & ~pl.col("_title").str.contains(exclusion.unless)
        return matches

    return reduce(lambda one, other: one | other, map(excluded, EXCLUSIONS))


def _by_rule(values: Sequence[str | int]) -> pl.Expr:
    return pl.col("_rule").replace_strict(list(range(len(RULES))), list(values), default=None)


def _numbers_with_evidence() -> list[int]:
    return [number for number, rule in enumerate(RULES) if rule.evidence]


def _skills() -> pl.Expr:
    """The skills of tags and description; read only where the rule asks for evidence."""
    text = pl.concat_str(
        pl.col("tags").list.join(" , "), "description", separator="\n", ignore_nulls=True
    )
    asked = pl.col("_rule").is_in(_numbers_with_evidence())
    return skills_in(pl.when(asked).then(text))


def _evidence() -> pl.Expr:
    """Those of the skills that are of the rule's kinds."""
    found = pl.lit([], pl.List(pl.String))
    for number in _numbers_with_evidence():
        kinds = RULES[number].evidence
        names = [name for name, kind in KINDS.items() if kind in kinds and name not in NOT_EVIDENCE]
        kept = pl.col("_skills").list.filter(pl.element().is_in(names))
        found = pl.when(pl.col("_rule") == number).then(kept).otherwise(found)
    return found


def _has_enough_evidence() -> pl.Expr:
    length = pl.col("description").str.len_chars().fill_null(0)
    needed = (
        pl.when(length < SHORT_DESCRIPTION_CHARS)
        .then(_by_rule([rule.needed_if_short for rule in RULES]))
        .otherwise(_by_rule([rule.needed for rule in RULES]))
    )
    return pl.col("_evidence").list.len() >= needed


def _reason() -> pl.Expr:
    words = _by_rule([""] * len(RULES))
    for number, rule in enumerate(RULES):
        matched = pl.col("_title").str.extract(f"({rule.pattern})", 1)
        words = pl.when(pl.col("_rule") == number).then(matched).otherwise(words)
    shown = pl.col("_evidence").list.head(SHOWN_EVIDENCE).list.join(", ")
    return pl.concat_str(
        pl.lit("title: "),
        words,
        pl.when(pl.col("_evidence").list.len() > 0)
        .then(pl.lit("; tags and description: ") + shown)
        .otherwise(pl.lit("")),
    )
