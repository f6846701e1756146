"""Blocking keys: which postings are compared at all."""

from __future__ import annotations

import dataframely as dy
import polars as pl

from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.deduplication.apply_url import bounded
from pipeline.transform.deduplication.comparison import with_compared_forms
from pipeline.transform.schema import KeyedPosting, RelevantPosting


class Override(dy.Schema):
    """A person's decision about two postings. The order of the two does not matter."""

    posting_id = dy.String(primary_key=True)
    other_posting_id = dy.String(primary_key=True)
    action = dy.String(nullable=False, regex="^(join|split)$")


def with_blocking_keys(
    postings: pl.DataFrame, overrides: pl.DataFrame | None = None
) -> dy.DataFrame[KeyedPosting]:
    """The postings (``RelevantPosting``) with their blocking keys in ``keys``: postings that share
    none are never compared.

    A key is ``requisition …``, ``listing …``, ``url …`` or ``page …`` of an apply URL;
    ``title COMPANY | WORDS`` with those of the occupation; ``wording COMPANY | WORDS`` with those
    of occupation and team in their order; or ``override A + B`` for each ``join`` that names the
    posting. Keys depend on the posting and on the overrides that name it; a posting that a new
    override names needs its keys anew.
    """
    company = pl.col("company_core")
    title_key = pl.concat_str(pl.lit("title "), company, pl.lit(" | "), "head")
    wording_key = pl.concat_str(pl.lit("wording "), company, pl.lit(" | "), "wording")
    # Apart from the postings, as the compared forms may have names that fields have too.
    keys = (
        with_compared_forms(postings)
        .with_columns(_title_key=_bounded(title_key), _wording_key=_bounded(wording_key))
        .join(_override_keys(overrides), on="posting_id", how="left", maintain_order="left")
        .with_columns(
            keys=pl.concat_list(
                "apply_keys",
                pl.concat_list("_title_key", "_wording_key").list.drop_nulls(),
                pl.col("_override_keys").fill_null([]),
            ).list.sort()
        )
        .get_column("keys")
    )
    keyed = postings.select(RelevantPosting.column_names()).with_columns(keys)
    return KeyedPosting.validate(keyed, cast=False)


def blocks(ordered: pl.DataFrame) -> list[tuple[str, list[int]]]:
    """Each blocking key that several postings share, with their rows in order; sorted by key.
    ``ordered`` has the columns ``row`` and ``keys``."""
    shared = (
        ordered.lazy()
        .select("row", "keys")
        .explode("keys", empty_as_null=False)
        .group_by("keys")
        .agg("row")
        .filter(pl.col("row").list.len() > 1)
        .with_columns(pl.col("row").list.sort())
        .sort("keys")
        .collect()
    )
    return list(zip(shared["keys"].to_list(), shared["row"].to_list(), strict=True))


def _override_keys(overrides: pl.DataFrame | None) -> pl.DataFrame:
    if overrides is None:
        overrides = Override.create_empty()
    joined = overrides.filter(pl.col("action") == "join").with_columns(
        _key=_bounded(
            pl.concat_str(
                pl.lit("override "),
                pl.min_horizontal("posting_id", "other_posting_id"),
                pl.lit(" + "),
                pl.max_horizontal("posting_id", "other_posting_id"),
            )
        )
    )
    sides = [
        joined.select(posting_id=pl.col(name).cast(pl.String), _key="_key")
        for name in ("posting_id", "other_posting_id")
    ]
    return pl.concat(sides).group_by("posting_id").agg(_override_keys=pl.col("_key").unique())


def _bounded(key: pl.Expr) -> pl.Expr:
    too_long = pl.when(key.str.len_bytes() > 400).then(key)
    return pl.coalesce(of_distinct(too_long, bounded), key)
