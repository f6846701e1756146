"""What the derived fields of a posting follow from: the words, where they stand, and the rule."""

from __future__ import annotations

from typing import Literal, TypedDict

import polars as pl

Origin = Literal["field", "tags", "title", "place", "body", "model"]
"""Where the words stand: a structured field of the source, its tags, the title, the place's text,
the description; ``model``: a language model quoted them from the description."""


class Evidence(TypedDict):
    """One finding about one field.

    Attributes:
        field: the derived field's name.
        value: what was found, as the field would be published.
        origin: one of :data:`Origin`.
        words: the words that say so, as they stand there, shortened to :data:`MAX_WORDS_CHARS`.
        rule: the name of the rule that found it.
        decides: whether the published value follows from it. A finding that does not is one that
            a stronger rule contradicts.
    """

    field: str
    value: str
    origin: Origin
    words: str
    rule: str
    decides: bool


MAX_WORDS_CHARS = 200
PREFIX = "_evidence_"
"""A rule leaves its findings in a column whose name begins so."""

EVIDENCE = pl.List(
    pl.Struct(
        {
            "field": pl.String,
            "value": pl.String,
            "origin": pl.String,
            "words": pl.String,
            "rule": pl.String,
            "decides": pl.Boolean,
        }
    )
)


def finding(
    field: str,
    value: pl.Expr,
    origin: str | pl.Expr,
    words: pl.Expr,
    rule: str | pl.Expr,
    decides: pl.Expr | None = None,
) -> pl.Expr:
    """One finding for each row where ``value`` is not null, as a list of :data:`EVIDENCE`; null
    elsewhere."""
    given = pl.struct(
        field=pl.lit(field),
        value=value.cast(pl.String),
        origin=_literal(origin),
        words=words.cast(pl.String).str.head(MAX_WORDS_CHARS),
        rule=_literal(rule),
        decides=pl.lit(value=True) if decides is None else decides,
    )
    return pl.when(value.is_not_null()).then(pl.concat_list(given)).cast(EVIDENCE)


def findings(postings: pl.LazyFrame) -> pl.LazyFrame:
    """A row for each finding of the postings' ``evidence``: ``posting_id``, and the columns of
    :class:`Evidence`."""
    return (
        postings.select("posting_id", found=pl.col("evidence").str.json_decode(EVIDENCE))
        .explode("found", empty_as_null=False)
        .unnest("found")
        .drop_nulls("field")
    )


def _literal(given: str | pl.Expr) -> pl.Expr:
    return pl.lit(given) if isinstance(given, str) else given


def with_evidence(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``evidence``: the findings of all columns that begin with :data:`PREFIX`, which it
    drops, as the JSON text of a list of :class:`Evidence`."""
    columns = [name for name in postings.collect_schema().names() if name.startswith(PREFIX)]
    if not columns:
        return postings.with_columns(evidence=pl.lit("[]"))
    found = pl.struct(columns).map_batches(_as_json, return_dtype=pl.String)
    return postings.with_columns(evidence=found).drop(columns)


def _as_json(families: pl.Series) -> pl.Series:
    """The findings of each row of a struct of lists, those of its first field first."""
    lists = families.struct.unnest().lazy().with_row_index("row")
    # To put the lists of a row together takes ten times as long as this.
    flat = pl.concat(
        lists.select("row", found=name).filter(pl.col("found").list.len() > 0).explode("found")
        for name in families.struct.fields
    )
    together = flat.group_by("row", maintain_order=True).agg("found")
    # Polars writes structs as JSON, and no lists.
    written = pl.struct("found").struct.json_encode()
    evidence = together.select(
        "row", json=written.str.strip_prefix('{"found":').str.strip_suffix("}")
    )
    return (
        lists.select("row")
        .join(evidence, on="row", how="left", maintain_order="left")
        .select(pl.col("json").fill_null("[]").alias(families.name))
        .collect()
        .to_series()
    )
