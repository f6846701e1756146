"""Where the person hired works: remote, hybrid or on site (``workplace.toml``).

The title, the text and the place are the employer's own words, and are believed in this order;
tags and the source's flag count where none of them says otherwise. Silence is null, not on site.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from pipeline.fields import WORKPLACES
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS
from pipeline.transform.understanding.evidence_lists import evidence_lists
from pipeline.transform.understanding.windows import of_plain, whole, windows
from pipeline.transform.vocabulary import Pattern, Shape, Word, any_of, one_of, read


class _Patterns(Shape):
    """Attributes:
    only_with: words without any of which no pattern fits; any text may, without such words.
    """

    only_with: tuple[Word, ...] = ()
    patterns: list[Pattern]


class _NotMeant(Shape):
    body: list[_Patterns]
    place: list[Pattern]
    title: list[Pattern]


class _Rule(_Patterns):
    """Attributes:
    of: the text that is read.
    weight: of the rules that fit one text, those of the highest weight decide.
    raw: it reads the words that are not meant, too.
    """

    name: Word
    of: Literal["place", "title", "body"]
    value: Annotated[str, one_of(WORKPLACES)]
    weight: Annotated[int, Field(ge=1, le=9)]
    raw: bool = False


class _Workplace(Shape):
    cues: list[Word]
    tags: dict[Annotated[str, one_of(WORKPLACES)], list[Word]]
    not_meant: _NotMeant
    rules: list[_Rule]


_words = read("workplace", _Workplace)
_VALUE_OF_TAG = {tag: value for value, tags in _words.tags.items() for tag in tags}
_RULES = {
    of: sorted((rule for rule in _words.rules if rule.of == of), key=lambda rule: -rule.weight)
    for of in ("place", "title", "body")
}
_NOT_MEANT: dict[str, list[tuple[tuple[str, ...], str]]] = {
    "place": [((), of_plain(rf"\b{any_of(_words.not_meant.place)}\b"))],
    "title": [((), of_plain(rf"\b{any_of(_words.not_meant.title)}"))],
    "body": [
        (each.only_with, of_plain(rf"\b{any_of(each.patterns)}")) for each in _words.not_meant.body
    ],
}
_PATTERNS = {rule.name: of_plain(any_of(rule.patterns)) for rule in _words.rules}

WEAK = 2
"""What the text says with no more weight than this does not outweigh the source's flag."""

_SAID = pl.Struct({"value": pl.String, "rule": pl.String, "words": pl.String, "weight": pl.Int8})


def with_workplace(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``workplace`` and ``remote``, of ``location_text``, ``title``, ``description``, ``tags``
    and the source's flag ``remote``, clean, and their evidence."""
    said = postings.with_columns(
        _place=pl.col("location_text").map_batches(partial(_said, of="place"), return_dtype=_SAID),
        _title=pl.col("title").map_batches(partial(_said, of="title"), return_dtype=_SAID),
        _body=pl.col("description").map_batches(partial(_said, of="body"), return_dtype=_SAID),
        _tag=_said_by_tags(),
        _flag=pl.when(pl.col("remote").fill_null(False)).then(pl.lit("remote")),
    )
    decided = said.with_columns(_origin=_origin())
    value = reduce(
        lambda other, origin: (
            pl.when(pl.col("_origin") == origin).then(_value_of(origin)).otherwise(other)
        ),
        _READ,
        pl.lit(None, dtype=pl.String),
    )
    return (
        decided.with_columns(workplace=value.cast(pl.Enum(WORKPLACES)))
        .with_columns(
            remote=(pl.col("workplace") == "remote").fill_null(False),
            _evidence_workplace=pl.struct(
                "workplace", *(_column(origin) for origin in _READ)
            ).map_batches(_evidence, return_dtype=EVIDENCE),
        )
        .drop("_place", "_title", "_body", "_tag", "_flag", "_origin")
    )


_READ = ("title", "body", "place", "tags", "field")
"""The origins in the order in which they are believed."""


def _column(origin: str) -> str:
    return {"tags": "_tag", "field": "_flag"}.get(origin, f"_{origin}")


def _value_of(origin: str) -> pl.Expr:
    column = pl.col(_column(origin))
    return column if origin in ("tags", "field") else column.struct.field("value")


def _origin() -> pl.Expr:
    """Which of the sources decides; null where none says anything."""
    body = pl.col("_body").struct.field("value")
    weak = pl.col("_body").struct.field("weight") <= WEAK
    remote_place = (_value_of("place") == "remote").fill_null(False)
    flagged = pl.any_horizontal(_value_of("field").is_not_null(), _value_of("tags") == "remote")
    # "Remote working" among the benefits of a job whose place says hybrid or on site.
    passing = (body == "remote") & ~remote_place & _value_of("place").is_not_null()
    # "Work from home possible" says less than "Remote, Germany" and than the flag of a source. Of
    # "Remote, Berlin" it says more: boards put the word before the place of any job.
    outdone = (body == "hybrid") & pl.when(remote_place).then(
        pl.col("cities").list.len() == 0
    ).otherwise(flagged.fill_null(False))
    believed = body.is_not_null() & ~(weak & (passing | outdone)).fill_null(False)
    return (
        pl.when(_value_of("title").is_not_null())
        .then(pl.lit("title"))
        .when(believed)
        .then(pl.lit("body"))
        .when(_value_of("place").is_not_null())
        .then(pl.lit("place"))
        .when(_value_of("tags").is_not_null())
        .then(pl.lit("tags"))
        .when(_value_of("field").is_not_null())
        .then(pl.lit("field"))
        .when(body.is_not_null())
        .then(pl.lit("body"))
    )


def _said(texts: pl.Series, of: Literal["place", "title", "body"]) -> pl.Series:
    """What each text says, of the rule with the most weight that fits and, of several stretches,
    the first."""
    found = windows(texts, _words.cues) if of == "body" else whole(texts, _words.cues)
    # By the words as they stand: what one posting writes must not be shown of another.
    rest = found.select("window", "plain").unique("window", maintain_order=True)
    rest = rest.with_columns(meant=_meant(rest["plain"], of)).with_row_index("stretch")
    said: list[pl.DataFrame] = []
    for rule in _RULES[of]:
        text = "plain" if rule.raw else "meant"
        few = rest
        if rule.only_with:
            few = rest.filter(pl.col(text).str.contains_any(list(rule.only_with)))
        fitting = few.with_columns(
            words=few[text].str.extract(_PATTERNS[rule.name], 0),
            value=pl.lit(rule.value),
            rule=pl.lit(rule.name),
            weight=pl.lit(rule.weight, dtype=pl.Int8),
        ).drop_nulls("words")
        if not fitting.is_empty():
            said.append(fitting)
            rest = rest.join(fitting, on="stretch", how="anti", maintain_order="left")
    if not said:
        return pl.Series(texts.name, [None] * len(texts), dtype=_SAID)
    known = pl.concat(said)
    known = known.select(
        "window",
        "value",
        "rule",
        "weight",
        words=pl.struct("window", "plain", "words").map_elements(_as_written, pl.String),
    )
    strongest = (
        found.select("row", "window")
        .join(known, on="window", maintain_order="left")
        .sort("weight", descending=True, maintain_order=True)
        .unique("row", keep="first", maintain_order=True)
        .select("row", said=pl.struct("value", "rule", "words", "weight"))
    )
    rows = pl.DataFrame({"row": pl.Series(range(len(texts)), dtype=pl.UInt32)})
    return rows.join(strongest, on="row", how="left", maintain_order="left")["said"].alias(
        texts.name
    )


def _meant(texts: pl.Series, of: Literal["place", "title", "body"]) -> pl.Series:
    """The texts without the words that are not meant."""
    for only_with, pattern in _NOT_MEANT[of]:
        if not only_with:
            texts = texts.str.replace_all(pattern, " ; ")
            continue
        few = texts.str.contains_any(list(only_with)).arg_true()
        if len(few):
            texts = texts.scatter(few, texts.gather(few).str.replace_all(pattern, " ; "))
    return texts


def _as_written(stretch: dict[str, str]) -> str:
    """The words in the text's own letters. Where others were taken away between them, as they are
    read."""
    start = stretch["plain"].find(stretch["words"])
    if start < 0:
        return stretch["words"].strip()
    return stretch["window"][start : start + len(stretch["words"])].strip()[:MAX_WORDS_CHARS]


def _said_by_tags() -> pl.Expr:
    """Hybrid before remote: a job with both tags is no job from anywhere."""
    tags = pl.col("tags").list.eval(
        pl.element().replace_strict(_VALUE_OF_TAG, default=None, return_dtype=pl.String)
    )
    return (
        pl.when(tags.list.contains("hybrid"))
        .then(pl.lit("hybrid"))
        .when(tags.list.contains("remote"))
        .then(pl.lit("remote"))
        .when(tags.list.contains("onsite"))
        .then(pl.lit("onsite"))
    )


def _evidence(postings: pl.Series) -> pl.Series:
    """What each source says; those that say another value than the one published decide nothing."""
    rows = postings.struct.unnest().with_row_index("row")
    findings: list[pl.DataFrame] = []
    for origin in _READ:
        value = _value_of(origin)
        if origin in ("title", "body", "place"):
            said = pl.col(f"_{origin}")
            words, rule = said.struct.field("words"), said.struct.field("rule")
        else:
            words = pl.lit("remote: true") if origin == "field" else value
            rule = pl.lit("the source's flag" if origin == "field" else "tags")
        findings.append(
            rows.filter(value.is_not_null()).select(
                "row",
                field=pl.lit("workplace"),
                value=value,
                origin=pl.lit(origin),
                words=words,
                rule=rule,
                decides=value == pl.col("workplace").cast(pl.String),
            )
        )
    found = pl.concat(findings).sort("row", maintain_order=True)
    return evidence_lists(found, rows.height).alias(postings.name)
