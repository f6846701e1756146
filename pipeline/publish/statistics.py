"""What a run published, in the shape that the command line prints and the API answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from importlib.resources import files
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow, dict_row

RUN_STATISTICS = (files(__package__) / "run_statistics.sql").read_bytes()
"""The publish of the run ``%(run_id)s``: one row, or none."""

COUNTS = ("new", "updated", "removed", "skipped", "irrelevant", "rejected", "closed",
          "reopened", "total")  # fmt: skip


def as_statistics(row: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of ``serving.models.RunStatistics``, ready for JSON, of a row of
    :data:`RUN_STATISTICS`."""
    return {
        "sources": row["fetched"],
        "db": {name: row[name] for name in COUNTS},
        "total_jobs": sum(row["fetched"].values()),
        "ran_at": row["finished_at"].astimezone(UTC).isoformat(),
        "run_id": row["run_id"],
        "duration_seconds": row["duration_seconds"],
    }


def statistics(connection: Connection[TupleRow], run_id: str) -> dict[str, Any] | None:
    """What the run published; ``None`` if it has not."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(RUN_STATISTICS, {"run_id": run_id}).fetchone()
    return None if row is None else as_statistics(row)
