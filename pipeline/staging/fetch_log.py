"""The log of a source's fetches: how each went, and how the postings drifted, kept beside them.

``fetches`` gains one row a fetch: 48 a day and source on a 30-minute schedule, about 2 MB a
year. ``schema_drift`` has one row for each field and kind of drift, and is bounded. Both are
written into the staging file and read from its snapshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Literal

import duckdb
import polars as pl

from pipeline.extract.drift import Drift
from pipeline.installation.settings import Settings
from pipeline.sources import Source
from pipeline.staging import snapshot_path
from pipeline.staging.snapshot import open_snapshot
from pipeline.transform.schema import CompleteFetch

Status = Literal["ok", "partial", "failed", "skipped"]

INTERRUPTED = "The process ended before the fetch did; the next run asks the source again."
MAX_DRIFT_ROWS = 1_000

HISTORY = 20
"""Successful fetches that a new one is compared with."""

SUDDENLY_FEW = 0.5
"""A complete fetch with less than this share of the usual postings is suspicious."""


@dataclass(frozen=True)
class Fetch:
    """How one visit to one source went.

    ``partial`` means: what came before an error was loaded. ``reason`` says why in all cases but
    ``ok``, without secrets. ``rows`` counts the postings loaded, one a key, and ``new_rows``
    those of them that staging did not know. ``oldest_posted_at`` is how far back the answer
    reaches. ``pending`` says what became of a load that an earlier run had not finished.
    """

    source: str
    run_id: str
    started_at: datetime
    finished_at: datetime
    status: Status
    reason: str | None = None
    rows: int = 0
    new_rows: int = 0
    oldest_posted_at: datetime | None = None
    requests: int = 0
    quota_left: int | None = None
    drift: tuple[Drift, ...] = ()
    load_id: str | None = None
    pending: str | None = None


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of ``fetches`` and ``schema_drift``."""
    connection.execute(files(__package__).joinpath("fetch_log.sql").read_text())


def last_asked_at(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the source was last asked by a fetch that came to an end, whatever its end.

    One that was interrupted or could not be loaded does not count: its postings may be lost, so
    that waiting for the next turn would keep them away. The quota counts its requests all the same.
    """
    row = connection.execute(
        "select max(started_at) from staging.fetches"
        " where status <> 'skipped' and finished_at is not null"
    ).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def was_interrupted(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the last fetch ended in the middle."""
    row = connection.execute(
        "select arg_max(finished_at is null, started_at) from staging.fetches"
    ).fetchone()
    return bool(row and row[0])


def begin(connection: duckdb.DuckDBPyConnection, run_id: str, started_at: datetime) -> None:
    """Note that a fetch starts. The row reads as interrupted until :func:`finish`."""
    connection.execute(
        "insert into staging.fetches (run_id, started_at, status, reason, rows, new_rows, requests)"
        " values (?, ?, 'failed', ?, 0, 0, 0)",
        [run_id, started_at, INTERRUPTED],
    )


def note_lost(connection: duckdb.DuckDBPyConnection, fetch: Fetch) -> None:
    """Write why nothing of a fetch was kept. It stays without an end, like an interrupted one, so
    that the next run asks the source again."""
    connection.execute(
        "update staging.fetches set reason = ? where run_id = ? and started_at = ?",
        [fetch.reason, fetch.run_id, fetch.started_at],
    )


def finish(connection: duckdb.DuckDBPyConnection, fetch: Fetch) -> Fetch:
    """Write how a fetch ended, and its drift.

    Returns:
        The fetch, with its drift marked as new or known.
    """
    connection.begin()
    try:
        connection.execute(
            "delete from staging.fetches where run_id = ? and started_at = ?",
            [fetch.run_id, fetch.started_at],
        )
        connection.execute(
            "insert into staging.fetches by name select ? as run_id, ? as started_at,"
            " ? as finished_at, ? as status, ? as reason, ? as rows, ? as new_rows,"
            " ? as requests, ? as quota_left, ? as load_id, ? as pending, ? as oldest_posted_at",
            [fetch.run_id, fetch.started_at, fetch.finished_at, fetch.status, fetch.reason,
             fetch.rows, fetch.new_rows, fetch.requests, fetch.quota_left, fetch.load_id,
             fetch.pending, fetch.oldest_posted_at],
        )  # fmt: skip
        drift = _keep_drift(connection, fetch)
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return replace(fetch, drift=drift)


def _keep_drift(connection: duckdb.DuckDBPyConnection, fetch: Fetch) -> tuple[Drift, ...]:
    known = set(connection.execute("select field, what from staging.schema_drift").fetchall())
    marked = [replace(drift, is_new=(drift.field, drift.what) not in known)
              for drift in fetch.drift]  # fmt: skip
    _insert_drift(connection, fetch, [drift for drift in marked if drift.is_new])
    for drift in marked:
        if not drift.is_new:
            connection.execute(
                "update staging.schema_drift set last_seen_at = ?, last_run_id = ?,"
                " fetches = fetches + 1, postings = postings + ?, example = coalesce(?, example)"
                " where field = ? and what = ?",
                [fetch.started_at, fetch.run_id, drift.count, drift.example, drift.field,
                 drift.what],
            )  # fmt: skip
    connection.execute(
        "delete from staging.schema_drift where rowid not in (select rowid from"
        " staging.schema_drift order by last_seen_at desc, first_seen_at limit ?)",
        [MAX_DRIFT_ROWS],
    )
    return tuple(marked)


def _insert_drift(
    connection: duckdb.DuckDBPyConnection, fetch: Fetch, drifts: Sequence[Drift]
) -> None:
    if drifts:
        connection.executemany(
            "insert into staging.schema_drift values (?, ?, ?, ?, ?, 1, ?, ?)",
            [
                [drift.field, drift.what, fetch.started_at, fetch.started_at, fetch.run_id,
                 drift.count, drift.example]
                for drift in drifts
            ],
        )  # fmt: skip


def usual_rows(source: str, settings: Settings, before_run: str) -> float | None:
    """The median number of postings of the source's last :data:`HISTORY` complete fetches before
    a run; None where there was none."""
    path = snapshot_path(settings, source)
    if not path.exists():
        return None
    with open_snapshot(path) as connection:
        row = connection.execute(
            "select median(rows) from (select rows from staging.fetches"
            " where status = 'ok' and run_id <> $run order by started_at desc limit $limit)",
            {"run": before_run, "limit": HISTORY},
        ).fetchone()
    return None if row is None or row[0] is None else float(row[0])


def complete_fetches(source: Source, connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """``CompleteFetch`` rows: the fetches that showed all that a feed had to show. None of a
    search.

    Args:
        connection: reads the snapshot of the source, with times in UTC.
    """
    if source.feed_window is None:
        return CompleteFetch.create_empty()
    rows = connection.execute(
        files(__package__).joinpath("complete_fetches.sql").read_text(),
        {"window": source.feed_window, "history": HISTORY, "least_share": SUDDENLY_FEW},
    ).fetchall()
    return CompleteFetch.validate(
        pl.DataFrame(
            [(source.name, *row) for row in rows],
            schema=CompleteFetch.create_empty().schema,
            orient="row",
        )
    )
