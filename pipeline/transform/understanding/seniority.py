"""The level of a job, by the words that name it (``seniority.toml``): never by years alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import Annotated, NamedTuple

import polars as pl

from pipeline.fields import SENIORITIES
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding.cues import Cue, cues_of, folded, folded_column
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS
from pipeline.transform.understanding.evidence_lists import evidence_lists, of_rows
from pipeline.transform.understanding.windows import of_plain
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, any_of, one_of, read

_Level = Annotated[str, one_of(SENIORITIES)]


class _Body(Shape):
    labels: list[Pattern]
    hires: list[Pattern]
    stems: list[Pattern]
    role: list[PythonPattern]
    another: list[PythonPattern]
    does: list[PythonPattern]
    levels: dict[_Level, list[PythonPattern]]


class _Seniority(Shape):
    order: list[_Level]
    at_least_senior: list[_Level]
    none: list[PythonPattern]
    craft: list[PythonPattern]
    first_step: list[Pattern]
    title: dict[_Level, list[Pattern]]
    body: _Body


_words = read("seniority", _Seniority)
_MAX_TITLE_CHARS = 200
_crafts = any_of(_words.craft)
_between = r"(?:[\w.#+&/][\w.#+&/-]*,? ){0,3}?"


_DASHES = "–—"


def _any_level(levels: dict[str, list[str]]) -> str:
    """One regular expression with a group named by each level, the more specific words first."""
    return "|".join(
        f"(?P<{level}>{any_of(levels[level], craft=_crafts, words=_between)})"
        for level in _words.order
        if level in levels
    )


_none = re.compile(rf"\b(?:{any_of(_words.none)})\b")
# The less a pattern asks, the smaller it is, and Python looks closer.
_title_words = [*chain(*_words.title.values()), *_words.first_step]
_title_cue = of_plain(
    rf"\b{any_of(_title_words, craft='', words='.*')}".translate(dict.fromkeys(map(ord, _DASHES)))
)
_title_level = re.compile(rf"(?<![\w@])(?:{_any_level(_words.title)})(?!\w)")
_craft = re.compile(rf"\b{_crafts}\b")
_first_step = re.compile(rf"\b{any_of(_words.first_step)}\)?(?=\s*(?:$|[,;|(\[])|\s[–-]\s)")
_of_any_level = re.compile(
    rf"(?:junior|jr\.?) (?P<job>(?:[\w.#+-]+ ){{0,3}}?{_crafts})"
    r"(?: ?/ ?| or | and | & | oder )(?P=job)\b"
)
"""A junior or any other: ``Junior Developer / Developer``."""
_segments = re.compile(r"\s*(?:[,;|]|\s[–—-]\s)\s*")
_alternatives = re.compile(
    r"(?:\s?(?:/|\||,|\bor\b|\boder\b|\bou\b|\bo\b|\bto\b|\+|&|\band\b|–|—|-)\s?){1,3}"
)
_head_levels = frozenset(("director",))

_body = _words.body
_body_cue = (
    rf"(?i)(?-u:\b)(?:{any_of(_body.labels)}(?:\s?[:–-]\s{{0,2}}|\n{{1,2}})|{any_of(_body.hires)}(?-u:\b))"
    rf" ?(?:[^\s.!?;:()]{{1,30}} ){{0,5}}?\(?{any_of(_body.stems)}"
)
_labelled = re.compile(rf"{any_of(_body.labels)}(?:\s?[:–-]\s*|\n+)\(?", re.IGNORECASE)
_first_level = re.compile(rf"(?<!\w)(?:{_any_level(_body.levels)})(?!\w)")
_role = re.compile(rf"[\s-]*(?:level[\s-]*)?{any_of(_body.role)}\b")
_level_word = re.compile(r"^[\s-]*levels?\b")
_craft_behind = re.compile(rf"[\s)/-]*{_between}{_crafts}\b")
_does = re.compile(rf"[\s)/-]*{_between}{_crafts}\s(?:{any_of(_body.does)})\b")
_craft_before = re.compile(rf"\b{_crafts}\s(?:[\w.#+/-]+\s){{0,2}}$")
_another = re.compile(rf"\b{any_of(_body.another)}\b")
_FOUND = pl.Struct({"level": pl.String(), "words": pl.String()})


class Named(NamedTuple):
    """A level, and the words that name it."""

    level: str
    words: str


def with_seniority(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``seniority``: the level that the title names, else the one that the description says
    in so many words that it hires. Who hires interns hires at their level, unless the title says
    otherwise."""
    names = postings.collect_schema().names()
    is_intern = (
        pl.col("employment_type").cast(pl.String) == "INTERN"
        if "employment_type" in names
        else pl.lit(value=False)
    ).fill_null(value=False)
    title, body = pl.col("_title_level").struct, pl.col("_body_level").struct
    by_contract = is_intern & (
        title.field("level").is_null() | (title.field("level") == "junior")
    ).fill_null(value=True)
    level = (
        pl.when(by_contract)
        .then(pl.lit("intern"))
        .otherwise(pl.coalesce(title.field("level"), body.field("level")))
    )
    return (
        postings.with_columns(
            _title_level=of_distinct(
                pl.when(
                    folded_column(pl.col("title"), _MAX_TITLE_CHARS)
                    .str.replace_all(f"[{_DASHES}]", "-")
                    .str.contains(_title_cue)
                ).then(pl.col("title")),
                _read_title,
                _FOUND,
            ),
            _body_level=pl.col("description").map_batches(_read_bodies, return_dtype=_FOUND),
        )
        .with_columns(seniority=level.cast(pl.Enum(SENIORITIES)))
        .with_columns(
            _evidence_seniority=pl.struct(
                "seniority",
                title=pl.col("_title_level"),
                body=pl.col("_body_level"),
                by_contract=by_contract,
            ).map_batches(_evidence, return_dtype=EVIDENCE)
        )
        .drop("_title_level", "_body_level")
    )


def _evidence(postings: pl.Series) -> pl.Series:
    rows = postings.struct.unnest().with_row_index("row")
    seniority = pl.col("seniority").cast(pl.String)
    findings = [
        rows.filter(level.is_not_null()).select(
            "row",
            field=pl.lit("seniority"),
            value=level,
            origin=pl.lit(origin),
            words=words.str.head(MAX_WORDS_CHARS),
            rule=pl.lit(rule),
            decides=level == seniority,
        )
        for origin, rule, level, words in (
            *(
                (origin, rule, pl.col(origin).struct["level"], pl.col(origin).struct["words"])
                for origin, rule in (
                    ("title", "level in the title"),
                    ("body", "level in the description"),
                )
            ),
            (
                "field",
                "internship",
                pl.when("by_contract").then(pl.lit("intern")),
                pl.lit("employment_type: INTERN"),
            ),
        )
    ]
    found = pl.concat(findings).sort("row", maintain_order=True)
    return evidence_lists(found, rows.height).alias(postings.name)


def _read_title(title: str) -> dict[str, str] | None:
    named = level_in_title(title)
    return None if named is None else named._asdict()


def level_in_title(title: str) -> Named | None:
    """The level that a title names, null when it names none, or several that are alternatives."""
    title = title[:_MAX_TITLE_CHARS]
    plain = _none.sub(lambda match: "~" * len(match[0]), folded(title))
    found = [
        (match.lastgroup or "", match.start(), match.end())
        for match in _title_level.finditer(plain)
    ]
    found = [
        (level, start, end)
        for level, start, end in found
        if level not in _head_levels or not _is_no_head(plain, start, end)
    ]
    if not found:
        first = _first_step.search(plain)
        return Named("junior", title[first.start() : first.end()]) if first else None
    levels = {level for level, _, _ in found}
    chosen: str | None = min(levels, key=_words.order.index)
    if len(levels) > 1 and _are_alternatives(plain, found):
        chosen = _of_alternatives(levels)
    if chosen is None or (chosen == "junior" and _of_any_level.search(plain)):
        return None
    start, end = next((start, end) for level, start, end in found if level == chosen)
    return Named(chosen, (title if len(plain) == len(title) else plain)[start:end])


def _of_alternatives(levels: Iterable[str]) -> str | None:
    if all(level in _words.at_least_senior for level in levels):
        return next((level for level in _words.at_least_senior if level in levels), None)
    return None


def _are_alternatives(title: str, found: Sequence[tuple[str, int, int]]) -> bool:
    """Whether two different levels stand side by side with nothing but "/", "or" or the like in
    between."""
    ordered = sorted(found, key=lambda one: one[1])
    return any(
        one[0] != other[0]
        and one[2] <= other[1]
        and _alternatives.fullmatch(title, one[2], other[1]) is not None
        for one, other in pairwise(ordered)
    )


def _is_no_head(title: str, start: int, end: int) -> bool:
    """Whether "Vice President" or the like is a rank beside a craft ("Java Developer, Vice
    President"), or another job of a list ("Product Designer, Head of Growth")."""
    before = title[:start]
    cut = 0
    for segment in _segments.finditer(before):
        cut = segment.end()
    if cut and _craft.search(before[:cut]):
        return True
    return title[start:end].startswith(("vp", "vice")) and _craft.search(title, end) is not None


def _read_bodies(texts: pl.Series) -> pl.Series:
    read = ((row, _read_body(cues)) for row, cues in cues_of(texts, _body_cue).items())
    return of_rows({row: said for row, said in read if said}, len(texts), _FOUND).alias(texts.name)


def _read_body(cues: Sequence[Cue]) -> dict[str, str] | None:
    """The one level that a description says it hires; null where it says two."""
    found: dict[str, str] = {}
    for cue in cues:
        if (named := _level_in_body(cue)) is not None:
            found.setdefault(named.level, named.words)
    if len(found) != 1:
        return None
    level, words = next(iter(found.items()))
    return {"level": level, "words": words}


def _level_in_body(cue: Cue) -> Named | None:
    head = folded(cue.words)
    label = _labelled.match(head)
    text = head + folded(cue.after)
    match = _first_level.search(text, label.end() if label else 0)
    if match is None or match.start() >= len(head):
        return None
    level = match.lastgroup
    if level is None:
        return None
    words = f"{cue.words}{cue.after[:40]}".strip()
    rest = text[match.end() : match.end() + 80]
    between = head[label.end() if label else 0 : match.start()]
    is_optional = rest.startswith(")") or text[: match.start()].endswith((" or ", "/", " oder "))
    if is_optional or _is_one_of_several(rest):
        return None
    if label:
        return None if between or len(rest.split("\n")[0]) > 40 else Named(level, words)
    if head.startswith("the "):
        starts = not cue.before.strip(" -*\t") and between == "the "
        return Named(level, words) if starts and _does.match(rest) else None
    if _another.search(between) or _another.search(folded(cue.before[-20:])):
        return None
    if (
        level == "intern"
        or _craft_behind.match(rest)
        or _role.match(rest)
        or _craft_before.search(between)
    ):
        return Named(level, words)
    return None


def _is_one_of_several(rest: str) -> bool:
    """Whether another level is an alternative to the one in front of ``rest``."""
    rest = _level_word.sub("", rest)
    other = _alternatives.match(rest)
    if other is None or not other.group():
        return False
    return _first_level.match(rest, other.end()) is not None
