"""The shapes of the data between staging and PostgreSQL. The columns that are published are those
of :mod:`pipeline.fields`, where each is described; what a run needs beside them is added here.

A *posting* is one advert as one source shows it. A *job* is an opening: the cluster of all
postings that advertise it. Times are UTC with microseconds.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl

from pipeline.declaration import Moment, Stage
from pipeline.fields import CATEGORIES, mapped, of_jobs, of_postings
from pipeline.transform.columns import column, columns, mapped_columns

# The body of a class is a namespace that it may add the declared columns to:
# https://docs.python.org/3/library/functions.html#locals


class MappedPosting(dy.Schema):
    """A raw posting after its source's mapping: the common columns, not yet cleaned.

    Texts may hold HTML, entities, mojibake, blanks and control characters; ``country`` may be a
    name or a code; ``employment_type`` is the source's own wording; a salary of 0 means none.
    ``unusable`` is the source's own reason, in words, why this is no posting.
    """

    locals().update(mapped_columns(mapped()))
    unusable = dy.String(nullable=True)
    load_id = dy.String(nullable=False)
    raw = dy.String(nullable=False)


class Posting(dy.Schema):
    """A posting with all that is derived of it. One row a posting; ``posting_id`` is
    ``<source>_<source_id>``. Without a category it is no job in technology."""

    locals().update(columns(of_postings(Stage.CLEANED, Stage.UNDERSTOOD), primary_key="posting_id"))
    category = dy.Enum(list(CATEGORIES), nullable=True)

    @dy.rule()
    def salary_range_is_ordered(cls) -> pl.Expr:  # noqa: N805 - dataframely makes it a class method
        return pl.col("salary_min") <= pl.col("salary_max")


class RejectedPosting(dy.Schema):
    """A posting that cannot be understood, kept whole, with the reason in words."""

    source = dy.String(primary_key=True)
    source_id = dy.String(primary_key=True)
    reason = dy.String(nullable=False, min_length=1)
    raw = dy.String(nullable=False)
    first_seen_at = column(Moment())
    last_seen_at = column(Moment())
    run_id = dy.String(nullable=False)


class RelevantPosting(Posting):
    """A posting of a job in technology."""

    category = dy.Enum(list(CATEGORIES), nullable=False)


class KeyedPosting(RelevantPosting):
    """A relevant posting with its blocking keys: a set of postings closed under shared keys can
    be deduplicated by itself."""

    locals().update(columns(of_postings(Stage.KEYED)))


class ClusteredPosting(KeyedPosting):
    """Which posting belongs to which job, and why."""

    locals().update(columns(of_postings(Stage.CLUSTERED)))


class JobPosting(ClusteredPosting):
    """A posting of a job, with its life so far."""

    locals().update(columns(of_postings(Stage.JUDGED)))


class CompleteFetch(dy.Schema):
    """A fetch that showed all that its source had to show, back to the postings of
    ``reaches_back_to``: older ones may have had no room. Null: it had room for all."""

    source = dy.String(primary_key=True)
    fetched_at = dy.Datetime(primary_key=True, time_zone="UTC", time_unit="us")
    reaches_back_to = column(Moment(), nullable=True)


class Job(dy.Schema):
    """An opening, as published.

    ``review_at`` is when the status must be looked at again. ``is_retired``: it has been closed
    for so long that it is not published any more.
    """

    locals().update(columns(of_jobs(), primary_key="job_id"))
    review_at = column(Moment(), nullable=True)
    is_retired = dy.Bool(nullable=False)


class SourceState(dy.Schema):
    """What a run read of one source's staging, and how its last fetch went. One row a source.

    ``read_up_to`` is the newest dlt load id that was read, null when staging is empty; the next
    run reads what was loaded after it. ``fetched`` counts the postings that this very run
    fetched, ``staged`` all that staging holds. ``last_fetch_status`` is ``ok``, ``partial``,
    ``failed`` or ``skipped``; ``last_fetch_reason`` says why in all cases but ``ok``.
    """

    source = dy.String(primary_key=True)
    read_up_to = dy.String(nullable=True)
    staged = dy.Int64(nullable=False, min=0)
    fetched = dy.Int64(nullable=False, min=0)
    last_fetch_at = column(Moment(), nullable=True)
    last_fetch_status = dy.String(nullable=True)
    last_fetch_reason = dy.String(nullable=True)
    last_success_at = column(Moment(), nullable=True)
    quota_left = dy.Int64(nullable=True, min=0)
