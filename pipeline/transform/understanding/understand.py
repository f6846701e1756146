"""From mapped postings to understood ones, so that one that cannot be read stops no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import dataframely as dy
import polars as pl
from polars.exceptions import PanicException

from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.cleaning.normalize import clean, safe_id
from pipeline.transform.deduplication.comparison import check_comparable
from pipeline.transform.schema import Posting, RejectedPosting
from pipeline.transform.understanding.converted_pay import with_converted_pay
from pipeline.transform.understanding.derived import with_derived
from pipeline.transform.understanding.rates import Rates, bundled
from pipeline.transform.understanding.role import relevant

log = logging.getLogger(__name__)

Understood = tuple[dy.DataFrame[Posting], dy.DataFrame[RejectedPosting]]

NO_ID = "the source gave it no id"
NO_TITLE = "title is empty"
"""The reasons for a rejection, beside those that a source's mapping gives; any other names the
rules of :class:`Posting` that are broken."""

MAX_UNREADABLE = 25
"""When more postings than this raise, or all of several, the fault is the program's, not theirs."""


def understand(mapped: pl.DataFrame, table: Rates | None = None) -> Understood:
    """The postings with all that is derived of them, and those that cannot be understood with the
    reason: each row of ``mapped`` (:class:`MappedPosting`, unique in source and source id) comes
    out in exactly one of the two. A posting is rejected only without an id or a title, or where
    its source's mapping calls it unusable.

    A posting over which a rule raises, here or in what later steps compute of a posting alone, is
    rejected by itself.

    Args:
        table: the exchange rates for pay in US dollars and euros; without one, the bundled ones.

    Raises:
        Exception: what a rule raised, when that is no matter of single postings.
    """
    parts: list[Understood] = []
    faults: list[BaseException] = []
    for rows, result in _apart(mapped, table or bundled()):
        if isinstance(result, BaseException):
            faults.append(result)
            if len(faults) > MAX_UNREADABLE or len(faults) == mapped.height > 1:
                raise result
            log.error("a posting cannot be read", exc_info=result)
            reason = pl.lit(f"its text cannot be read ({type(result).__name__})")
            result = Posting.create_empty(), rejection(rows.with_columns(reason=reason))
        parts.append(result)
    return (
        Posting.cast(pl.concat([postings for postings, _ in parts])),
        RejectedPosting.cast(pl.concat([rejected for _, rejected in parts])),
    )


def _apart(
    rows: pl.DataFrame, table: Rates
) -> Iterator[tuple[pl.DataFrame, Understood | BaseException]]:
    """All rows together or, where that raises, each half by itself, down to the rows that raise."""
    try:
        yield rows, _understand(rows, table)
        return
    except (Exception, PanicException) as error:
        fault = error
    if rows.height <= 1:
        yield rows, fault
        return
    half = rows.height // 2
    yield from _apart(rows[:half], table)
    yield from _apart(rows[half:], table)


def _understand(rows: pl.DataFrame, table: Rates) -> Understood:
    cleaned = clean(rows.lazy()).collect()
    reason = (
        pl.when(pl.col("given_id") == "")
        .then(pl.lit(NO_ID))
        .when(pl.col("title").is_null())
        .then(pl.lit(NO_TITLE))
        .otherwise(pl.col("unusable").replace("", None))
    )
    cleaned = cleaned.with_columns(reason=reason)
    usable = cleaned.filter(pl.col("reason").is_null())
    understood = with_converted_pay(with_derived(usable.lazy()), table).collect()
    # Whatever the rules above let through is rejected by name rather than published or raised.
    postings, failure = Posting.filter(understood)
    broken = usable.join(failure.invalid().select("posting_id"), on="posting_id", how="semi")
    rejected = pl.concat(
        [
            cleaned.filter(pl.col("reason").is_not_null()),
            *(
                row.with_columns(reason=pl.lit(_broken_rules(understood, row)))
                for row in broken.iter_slices(1)
            ),
        ]
    )
    # A later step computes this again from its own frames. Here the raw posting is at hand.
    check_comparable(relevant(postings))
    return postings, rejection(rejected)


def _broken_rules(understood: pl.DataFrame, row: pl.DataFrame) -> str:
    _, failure = Posting.filter(
        understood.join(row.select("posting_id"), on="posting_id", how="semi")
    )
    return "breaks the rule " + ", ".join(sorted(failure.counts()) or ["primary_key"])


def rejection(rows: pl.DataFrame) -> dy.DataFrame[RejectedPosting]:
    """Postings that have a ``reason``, mapped or cleaned, as they are kept."""
    return RejectedPosting.cast(
        rows.with_columns(
            of_distinct(pl.col("source_id").fill_null(""), safe_id).alias("source_id"),
            pl.col("raw").str.replace_all("\0", "", literal=True),
        ).select(RejectedPosting.column_names())
    )
