"""From mapped postings to understood ones, so that one that cannot be read stops no other."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import dataframely as dy
import polars as pl
from polars.exceptions import PanicException

from pipeline.transform.cleaning.classify import classify
from pipeline.transform.cleaning.normalize import normalize, rejection
from pipeline.transform.cleaning.skills import with_skills
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.schema import Posting, RejectedPosting

log = logging.getLogger(__name__)

Understood = tuple[dy.DataFrame[Posting], dy.DataFrame[RejectedPosting]]

MAX_UNREADABLE = 25
"""When more postings than this raise, or all of several, the fault is the program's, not theirs."""


def understand(mapped: pl.DataFrame) -> Understood:
    """The postings with their skills, and those that cannot be understood with the reason: each
    row of ``mapped`` (:class:`MappedPosting`) comes out in exactly one of the two.

    A posting over which a rule raises, here or in what later steps compute of a posting alone, is
    rejected by itself.

    Raises:
        Exception: what a rule raised, when that is no matter of single postings.
    """
    parts: list[Understood] = []
    faults: list[BaseException] = []
    for rows, result in _apart(mapped):
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


def _apart(rows: pl.DataFrame) -> Iterator[tuple[pl.DataFrame, Understood | BaseException]]:
    """All rows together or, where that raises, each half by itself, down to the rows that raise."""
    try:
        yield rows, _understand(rows)
        return
    except (Exception, PanicException) as error:
        fault = error
    if rows.height <= 1:
        yield rows, fault
        return
    half = rows.height // 2
    yield from _apart(rows[:half])
    yield from _apart(rows[half:])


def _understand(rows: pl.DataFrame) -> Understood:
    postings, rejected = normalize(rows)
    postings = Posting.cast(with_skills(postings.lazy()).collect())
    # Later steps compute this again from their own frames. Here the raw posting is at hand, and
    # it takes a twentieth of the time.
    with_blocking_keys(classify(postings.lazy()).collect())
    return postings, rejected
