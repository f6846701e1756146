"""Publish the difference between what is published and what a run computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import polars as pl
import psycopg
from psycopg import Connection
from psycopg.rows import TupleRow, dict_row
from psycopg.sql import Composed
from psycopg.types.json import Jsonb

from pipeline.publish import leases, upserts
from pipeline.publish.bulk import bulk_indexes_built_after
from pipeline.publish.copying import copy
from pipeline.publish.state import base_version as newest_version
from pipeline.publish.statements import load

REFUSALS = (psycopg.DataError, psycopg.errors.CheckViolation, psycopg.errors.NotNullViolation,
            psycopg.errors.ProgramLimitExceeded, psycopg.errors.UniqueViolation)  # fmt: skip
"""What PostgreSQL answers to a row that it cannot hold, as opposed to a server in trouble."""


class PublishConflictError(Exception):
    """Another publish came first. Nothing was written; run again on what is published by then."""


class SourceTerms(Protocol):
    """What is published of a source's declaration."""

    @property
    def title(self) -> str: ...
    @property
    def attribution(self) -> str: ...


@dataclass(frozen=True)
class Statistics:
    """The row of ``publishes``, and the jobs that PostgreSQL refused, with its reason."""

    version: int
    run_id: str
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    full_refresh: bool
    transform_version: str
    fetched: dict[str, int]
    new: int
    updated: int
    removed: int
    skipped: int
    irrelevant: int
    rejected: int
    closed: int
    reopened: int
    total: int
    refused: dict[str, str] = field(default_factory=dict)


Batch = tuple[pl.DataFrame, pl.DataFrame]
"""Jobs and all of their postings: frames of ``Job`` and ``JobPosting``."""


def publish(
    connection: Connection[TupleRow],
    batches: Iterable[Batch],
    *,
    seen: pl.DataFrame,
    rejected: pl.DataFrame,
    source_states: pl.DataFrame,
    complete_fetches: pl.DataFrame,
    sources: Mapping[str, SourceTerms],
    base_version: int,
    token: int,
    run_id: str,
    started_at: datetime,
    full_refresh: bool,
    transform_version: str,
) -> Statistics:
    """Make the published tables equal to what was computed, in one transaction: readers see the
    state before it or after it.

    Only rows that differ are written. A job that lost all its postings, or is retired, moves to
    ``removed_jobs``; the postings of a retired one stay.
    A job that PostgreSQL refuses does not stop the others: its postings are rejected with the
    reason. Each batch is written before the next one is asked for.

    Args:
        connection: in no transaction.
        batches: each job in exactly one batch, together with all of its postings.
        seen: ``posting_id`` of every posting that this run read, whatever became of
            it. Those that are in no batch leave their jobs, as in a full refresh any other
            posting does, and are of other roles if they are not rejected.
        rejected: ``RejectedPosting`` rows; with a full refresh all of them.
        source_states: ``SourceState`` rows, each with ``read_after``: the watermark that was
            published when the run began to read. The watermarks move in the same transaction,
            those that are still what they were then.
        complete_fetches: ``CompleteFetch`` rows that are not published; with a full refresh all.
        sources: title and attribution by source.
        base_version: what :func:`pipeline.publish.state.base_version` said before the run read
            anything from PostgreSQL.
        token: what :func:`pipeline.publish.leases.take` gave the run, before that.

    Raises:
        SupersededError: another run has taken over. Nothing was written.
        PublishConflictError: another publish is under way or came first.
    """
    try:
        with connection.transaction():
            connection.execute(load("begin"))
            leases.confirm(connection, token)
            connection.execute(load("incoming"))
            connection.execute(upserts.incoming())
            if (newest := newest_version(connection)) != base_version:
                raise PublishConflictError(
                    f"This run computed from version {base_version}, and version {newest} has been "
                    "published since. Nothing was written; run again."
                )
            return _Publish(connection, run_id, started_at, rejected).run(
                batches,
                seen,
                source_states,
                complete_fetches,
                sources,
                full_refresh,
                transform_version,
            )
    except psycopg.errors.LockNotAvailable:
        raise PublishConflictError(
            "Another publish holds the tables for over a minute. Wait for it and run again, or "
            "look in pg_stat_activity for what it waits for."
        ) from None


def published_by(connection: Connection[TupleRow], run_id: str) -> Statistics | None:
    """What the run has published already; None if nothing."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "select * from publishes where run_id = %s order by version desc limit 1", (run_id,)
        ).fetchone()
    return None if row is None else Statistics(**row)


class _Publish:
    """The steps within the transaction, and the counts that they add to."""

    def __init__(
        self,
        connection: Connection[TupleRow],
        run_id: str,
        started_at: datetime,
        rejected: pl.DataFrame,
    ) -> None:
        self.connection = connection
        self.rejected = rejected
        self.refused: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        row = connection.execute(
            "select nextval(pg_get_serial_sequence('publishes', 'version')), now()"
        ).fetchone()
        assert row is not None  # noqa: S101 - a select without a table has one row
        self.values: dict[str, Any] = {
            "version": row[0],
            "published_at": row[1],
            "run_id": run_id,
            "started_at": started_at,
        }

    def run(
        self,
        batches: Iterable[Batch],
        seen: pl.DataFrame,
        source_states: pl.DataFrame,
        complete_fetches: pl.DataFrame,
        sources: Mapping[str, SourceTerms],
        full_refresh: bool,
        transform_version: str,
    ) -> Statistics:
        with bulk_indexes_built_after(self.connection):
            for jobs, postings in batches:
                self._write(jobs, postings)
        copy(self.connection, seen.select("posting_id", "title", "reason"), "seen_postings")
        copy(self.connection, _without_nul(self.rejected), "incoming_rejected")
        self.connection.execute("analyze seen_postings, kept_postings, incoming_rejected")
        scope = "_of_all" if full_refresh else ""
        self._step(f"departed_postings{scope}")
        self.connection.execute("analyze moved_postings, new_jobs")
        removed = self.counts["retired"] + self._step("removed_jobs")
        self._step("returned_jobs")
        self._step("rejected_postings")
        self._step(f"understood_postings{scope}")
        self._step("irrelevant_postings")
        if full_refresh:
            self._step("irrelevant_postings_of_all")
        copy(self.connection, complete_fetches, "incoming_fetches")
        self._step("complete_fetches")
        if full_refresh:
            self._step("complete_fetches_of_all")
        self._publish_sources(source_states, sources)

        fetched = dict(source_states.select("source", "fetched").sort("source").iter_rows())
        rejected = self.rejected.filter(pl.col("run_id") == self.values["run_id"]).height
        new = self._number("select count(*) from new_jobs")
        counts = {
            "fetched": Jsonb(fetched),
            "new": new,
            "updated": self.counts["updated"],
            "removed": removed,
            "skipped": self.counts["relevant"] - self.counts["founding"],
            "irrelevant": max(0, sum(fetched.values()) - self.counts["relevant"] - rejected),
            "rejected": rejected,
            "closed": self.counts["closed"],
            "reopened": self.counts["reopened"],
            "total": self._total(new - removed, full_refresh),
            "full_refresh": full_refresh,
            "transform_version": transform_version,
        }
        with self.connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(load("new_publish"), self.values | counts).fetchone()
        assert row is not None  # noqa: S101 - the statement returns the row it inserts
        return Statistics(**row, refused=self.refused)

    def _write(self, jobs: pl.DataFrame, postings: pl.DataFrame) -> None:
        """Write a batch; where PostgreSQL refuses it, its halves, down to the single job."""
        try:
            with self.connection.transaction():
                counts = self._write_batch(jobs, postings)
        except REFUSALS as error:
            if jobs.height > 1:
                half = jobs.height // 2
                for part in (jobs[:half], jobs[half:]):
                    self._write(part, postings.join(part, on="job_id", how="semi"))
            elif jobs.height == 1:
                self._reject(jobs["job_id"].item(), postings, error)
            else:
                raise
        else:
            self.counts.update(counts)

    def _write_batch(self, jobs: pl.DataFrame, postings: pl.DataFrame) -> dict[str, int]:
        self.connection.execute("truncate incoming_jobs, incoming_postings")
        copy(self.connection, jobs, "incoming_jobs")
        copy(self.connection, postings, "incoming_postings")
        # Of the columns that the tables are joined by: texts and lists take long to look at.
        self.connection.execute(
            "analyze incoming_jobs (job_id), incoming_postings (posting_id, job_id)"
        )
        self._step("moved_postings")
        counts = self._counted("closed_and_reopened")
        counts["retired"] = self._step("retired_jobs")
        new = self._step("new_jobs")
        counts["updated"] = self._execute(upserts.jobs()) - new
        self._step("job_reviews")
        self._execute(upserts.postings())
        self._step("kept_postings")
        return counts | self._counted("counted_batch")

    def _counted(self, name: str) -> dict[str, int]:
        with self.connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(load(name), self.values).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has one row
        return row

    def _reject(self, job_id: str, postings: pl.DataFrame, error: psycopg.Error) -> None:
        reason = f"PostgreSQL refused its job: {error.diag.message_primary or error}"
        self.refused[job_id] = reason
        rows = postings.select(
            "source",
            "source_id",
            pl.lit(reason).alias("reason"),
            pl.Series("raw", [_json(row) for row in postings.iter_slices(1)], pl.String),
            "first_seen_at",
            "last_seen_at",
            "run_id",
        )
        columns = self.rejected.columns or rows.columns
        self.rejected = pl.concat([self.rejected, rows.select(columns)], how="vertical_relaxed")
        nothing = pl.lit(None, pl.String)
        seen = postings.select("posting_id", title=nothing, reason=nothing)
        copy(self.connection, seen, "seen_postings")

    def _publish_sources(self, states: pl.DataFrame, sources: Mapping[str, SourceTerms]) -> None:
        terms = pl.DataFrame(
            [(name, source.title, source.attribution) for name, source in sources.items()],
            {"source": pl.String, "title": pl.String, "attribution": pl.String},
            orient="row",
        )
        rows = states.drop("fetched").join(terms, on="source", how="left")
        copy(self.connection, rows, "incoming_sources")
        self._step("sources")

    def _total(self, change: int, full_refresh: bool) -> int:
        """Counting the table would cost more than a small publish, so that is left to a refresh."""
        row = self.connection.execute(
            "select total from publishes order by version desc limit 1"
        ).fetchone()
        if row is None or full_refresh:
            return self._number("select count(*) from jobs")
        return int(row[0]) + change

    def _step(self, name: str) -> int:
        return self._execute(load(name))

    def _execute(self, statement: bytes | Composed) -> int:
        return self.connection.execute(statement, self.values).rowcount

    def _number(self, query: str) -> int:
        row = self.connection.execute(query.encode()).fetchone()
        assert row is not None  # noqa: S101 - an aggregate has one row
        return int(row[0])


def _json(row: pl.DataFrame) -> str:
    return row.write_ndjson().strip()


def _without_nul(frame: pl.DataFrame) -> pl.DataFrame:
    """What is rejected may hold what PostgreSQL's text cannot."""
    return frame.with_columns(pl.col(pl.String).str.replace_all("\0", "\ufffd", literal=True))
