"""Whether a posting is still open, and since when not: a function of what was seen and the time.

Nothing here depends on when a run happened to look: a posting that expired at noon is closed
since noon, whether the next run is at one minute past or a month later. So many small runs and
one over everything agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import dataframely as dy
import polars as pl

from pipeline.fields import STATUSES
from pipeline.transform.schema import JobPosting

_HALVINGS_TO_CLOSE = 3.3219
"""After so many half-lives a posting is taken for closed, its chance of being open having fallen
below a tenth: the logarithm of ten to the base two. After one it is likely closed."""

_OLD = 2
"""From the age of so many half-lives on, an advert disappears at twice the rate: the usual runs
of paid adverts, 30 and 60 days, are over by then."""


@dataclass(frozen=True)
class LifecyclePolicy:
    """What a run judges by.

    Attributes:
        as_of: the moment that statuses are told for.
        feeds: the sources whose answer is all that they show.
        half_life: how long after a search last showed a posting half of such postings are gone.
        retention: how long a closed job stays published.
    """

    as_of: datetime
    feeds: frozenset[str]
    half_life: timedelta
    retention: timedelta


def with_status(
    postings: pl.DataFrame, complete_fetches: pl.DataFrame, policy: LifecyclePolicy
) -> dy.DataFrame[JobPosting]:
    """The postings with ``status``, ``status_reason``, ``closed_at``, ``review_at`` and
    ``repost_of``.

    - A feed, whose answer is all that it shows: the first complete answer without the posting
      makes it ``likely_closed``, the second ``closed`` since the first. An answer proves nothing
      about postings from before it reaches back to: those are judged as a search's are.
    - A search proves nothing by not finding a posting. It is ``closed`` from the expiry date that
      its source gave, unless it was seen after that, as its reason then says; otherwise its
      chance of being open halves in each ``half_life`` since it was last seen (twice as fast once
      it was old when last seen): below one half it is ``likely_closed``, below a tenth ``closed``.
    - A posting that is seen again is open again.

    ``review_at`` is the earliest time at which the status may change without the posting being
    seen; null once closed. ``repost_of`` names an earlier posting of the same job that the same
    source and publisher no longer showed when this one appeared.

    Args:
        postings: ``ClusteredPosting`` rows, with all postings of each job.
        complete_fetches: ``CompleteFetch`` rows.
    """
    judged = (
        _with_absences(postings.lazy(), complete_fetches.lazy(), policy.feeds)
        .with_columns(
            _in_words("last_seen_at", "_seen"),
            _in_words("_absent_at", "_absent"),
            _in_words("expires_at", "_end"),
        )
        .with_columns(_lasts=_half_life(policy.half_life))
        .with_columns(
            _expires_at=pl.when(pl.col("expires_at") >= pl.col("last_seen_at")).then("expires_at"),
            _unlikely_at=pl.col("last_seen_at") + pl.col("_lasts"),
            _gone_at=pl.col("last_seen_at") + pl.col("_lasts") * _HALVINGS_TO_CLOSE,
        )
        .with_columns(_closes_at=pl.min_horizontal("_expires_at", "_gone_at"))
    )
    as_of = pl.lit(policy.as_of, pl.Datetime("us", "UTC"))
    absent = pl.col("_absent_at").is_not_null()
    # Whichever is known first decides: what a run has told of a closed posting stays so.
    confirmed = (pl.col("_absent_again_at") < pl.col("_closes_at")).fill_null(False)
    closed, unlikely = pl.col("_closes_at") <= as_of, pl.col("_unlikely_at") <= as_of
    expired = pl.col("_closes_at") == pl.col("_expires_at")
    stated = judged.with_columns(
        status=pl.when(confirmed | closed)
        .then(pl.lit("closed"))
        .when(absent | unlikely)
        .then(pl.lit("likely_closed"))
        .otherwise(pl.lit("open"))
        .cast(pl.Enum(STATUSES)),
        status_reason=pl.when(confirmed)
        .then(pl.format("Its source lists all that it has, and since {} not this.", "_absent"))
        .when(closed & expired)
        .then(pl.lit("It has expired, at the time that its source had given."))
        .when(closed)
        .then(
            pl.format(
                "Not seen since {}. Not being found proves nothing, but after so long nine of "
                "ten such adverts are gone.",
                "_seen",
            )
        )
        .when(absent)
        .then(pl.format("Its source lists all that it has, and on {} not this.", "_absent"))
        .when(unlikely)
        .then(
            pl.format(
                "Not seen since {}. Not being found proves nothing, but after so long half of "
                "such adverts are gone.",
                "_seen",
            )
        )
        .when(pl.col("expires_at") < pl.col("last_seen_at"))
        .then(
            pl.format(
                "Its source shows it, although it has expired: the end it gave is {}.", "_end"
            )
        )
        .otherwise(pl.lit("Its source shows it.")),
        closed_at=pl.when(confirmed).then("_absent_at").when(closed).then("_closes_at"),
        review_at=pl.when(confirmed | closed)
        .then(None)
        .when(pl.col("_in_feed"))
        .then("last_seen_at")
        .when(unlikely)
        .then("_closes_at")
        .otherwise(pl.min_horizontal("_closes_at", "_unlikely_at")),
    )
    found = _with_reposts(stated).select(JobPosting.column_names()).sort("posting_id").collect()
    return JobPosting.validate(found, cast=False)


def _with_absences(
    postings: pl.LazyFrame, complete_fetches: pl.LazyFrame, feeds: frozenset[str]
) -> pl.LazyFrame:
    """With the first two complete answers that came after a posting was last seen and should
    have held it (``_absent_at``, ``_absent_again_at``), and whether more such are to be waited
    for (``_in_feed``)."""
    answers = complete_fetches.sort("source", "fetched_at").select(
        "source",
        _absent_at="fetched_at",
        _absent_again_at=pl.col("fetched_at").shift(-1).over("source"),
        _reaches_back_to="reaches_back_to",
        _answer_at="fetched_at",
    )
    pushed_out = (
        pl.coalesce("posted_at", "first_seen_at") < pl.col("_reaches_back_to")
    ).fill_null(False)  # fmt: skip
    return (
        postings.sort("last_seen_at")
        .join_asof(
            answers.sort("_answer_at"),
            left_on="last_seen_at",
            right_on="_answer_at",
            by="source",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(
            _in_feed=pl.col("source").is_in(sorted(feeds)) & ~pushed_out,
            _absent_at=pl.when(~pushed_out).then("_absent_at"),
            _absent_again_at=pl.when(~pushed_out).then("_absent_again_at"),
        )
    )


def _half_life(half_life: timedelta) -> pl.Expr:
    age = pl.col("last_seen_at") - pl.coalesce("posted_at", "first_seen_at")
    return pl.when(age > half_life * _OLD).then(half_life / 2).otherwise(half_life)


def _in_words(column: str, name: str) -> pl.Expr:
    return pl.col(column).dt.to_string("%Y-%m-%d %H:%M UTC").alias(name)


def _with_reposts(postings: pl.LazyFrame) -> pl.LazyFrame:
    feed = ["job_id", "source", "publisher"]
    earlier_seen_at = pl.col("last_seen_at").cum_max().shift(1).over(feed)
    return postings.sort("first_seen_at", "posting_id").with_columns(
        repost_of=pl.when(earlier_seen_at < pl.col("first_seen_at")).then(
            pl.col("posting_id").shift(1).over(feed)
        )
    )


def job_status(postings: pl.LazyFrame, policy: LifecyclePolicy) -> pl.LazyFrame:
    """One row a job of ``JobPosting`` rows: ``job_id``, ``status``, ``status_reason``,
    ``closed_at``, ``reposted_at``, ``review_at`` and ``is_retired``.

    A job is as open as the most open of its postings, for that one's reason (of several, the one
    that expires last), and closed since the last of them closed. It is retired when it has been
    closed for the whole retention."""
    closed = pl.col("status") == "closed"
    retires_at = pl.col("closed_at") + policy.retention
    is_retired = (retires_at <= pl.lit(policy.as_of)).fill_null(False)
    return (
        postings.sort(
            "job_id", pl.col("status").to_physical(), "closed_at", "expires_at", "posting_id",
            descending=[False, False, True, True, False],
            nulls_last=[False, False, False, True, False],
        )
        .group_by("job_id", maintain_order=True)
        .agg(
            pl.col("status", "status_reason", "closed_at").first(),
            pl.col("review_at").min(),
            reposted_at=pl.col("first_seen_at").filter(pl.col("repost_of").is_not_null()).max(),
        )
        .with_columns(is_retired=is_retired)
        .with_columns(
            review_at=pl.when(pl.col("is_retired"))
            .then(None)
            .when(closed)
            .then(retires_at)
            .otherwise("review_at")
        )
    )  # fmt: skip
