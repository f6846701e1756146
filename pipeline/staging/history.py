"""How the fetches of a source went, and how its postings drifted, kept beside the postings.

``fetches`` gains one row a fetch: 48 a day and source on a 30-minute schedule, about 2 MB a
year. ``schema_drift`` has one row for each field and kind of drift, and is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.resources import files
from typing import Literal

import duckdb

from pipeline.extract.drift import Drift

Status = Literal["ok", "partial", "failed", "skipped"]

INTERRUPTED = "The process ended before the fetch did; the next run asks the source again."
MAX_DRIFT_ROWS = 1_000


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
    connection.execute(files(__package__).joinpath("history.sql").read_text())


def last_asked_at(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """When the source was last asked by a fetch that came to an end, whatever its end.

    An interrupted one does not count: its postings may be lost, so that waiting for the next
    turn would keep them away. The quota counts its requests all the same.
    """
    row = connection.execute(
        "select max(started_at) from staging.fetches"
        " where status <> 'skipped' and finished_at is not null"
    ).fetchone()
    found: datetime | None = row[0] if row else None
    return found


def begin(connection: duckdb.DuckDBPyConnection, run_id: str, started_at: datetime) -> None:
    """Note that a fetch starts. The row reads as interrupted until :func:`finish`."""
    connection.execute(
        "insert into staging.fetches (run_id, started_at, status, reason, rows, new_rows, requests)"
        " values (?, ?, 'failed', ?, 0, 0, 0)",
        [run_id, started_at, INTERRUPTED],
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
