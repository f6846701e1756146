"""The history of a source's fetches, as its snapshot holds it."""

from __future__ import annotations

import duckdb

from pipeline.settings import Settings
from pipeline.staging import snapshot_path

HISTORY = 20
"""Successful fetches that a new one is compared with."""


def usual_rows(source: str, settings: Settings, before_run: str) -> float | None:
    """The median number of postings of the source's last :data:`HISTORY` complete fetches before
    a run; None where there was none."""
    path = snapshot_path(settings, source)
    if not path.exists():
        return None
    with duckdb.connect() as connection:
        quoted = str(path).replace("'", "''")
        connection.execute(f"attach '{quoted}' as snapshot (read_only)")
        row = connection.execute(
            "select median(rows) from (select rows from snapshot.staging.fetches"
            " where status = 'ok' and run_id <> $run order by started_at desc limit $limit)",
            {"run": before_run, "limit": HISTORY},
        ).fetchone()
    return None if row is None or row[0] is None else float(row[0])
