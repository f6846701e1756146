"""The history of a source's fetches, as its snapshot holds it."""

from __future__ import annotations

from importlib.resources import files

import duckdb
import polars as pl

from pipeline.installation.settings import Settings
from pipeline.sources import Source
from pipeline.staging import snapshot_path
from pipeline.staging.snapshot import open_snapshot
from pipeline.transform.schema import CompleteFetch

HISTORY = 20
"""Successful fetches that a new one is compared with."""

SUDDENLY_FEW = 0.5
"""A complete fetch with less than this share of the usual postings is suspicious."""


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
