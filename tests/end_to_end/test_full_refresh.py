"""What many small runs published is what one run over everything publishes."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.publish import leases
from pipeline.publish.migrate import migrate
from pipeline.run import steps
from pipeline.run.frames import Frames
from pipeline.simulator.market import Market
from tests.end_to_end.installation import Installation

TICKS = 5
CONTENT = {
    "jobs": "updated_at, created_version, changed_version, moved_version, search",
    "job_postings": "merged_version",
    "job_reviews": "",
    "complete_fetches": "",
    "rejected_postings": "",
    "sources": "",
}
"""The tables, with the columns that say when a row was written."""


def rows(url: str, table: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        left_out = [name.strip() for name in CONTENT[table].split(",")]
        columns = connection.execute(
            "select column_name from information_schema.columns where table_schema = 'public'"
            " and table_name = %s and not column_name = any (%s) order by ordinal_position",
            (table, left_out),
        ).fetchall()
        query = sql.SQL("select {} from {} order by 1, 2").format(
            sql.SQL(", ").join(sql.Identifier(name) for (name,) in columns), sql.Identifier(table)
        )
        return connection.execute(query).fetchall()


def test_it_gives_the_same_tables(
    ingested: Callable[[], dict[str, Any]],
    installation: Installation,
    postgres: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    market = Market(seed=7, size=250, speed=40)
    chance = random.Random(7)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    published = []
    for _ in range(TICKS):
        for source in ("remoteok", "jsearch", "adzuna"):
            listed = list(market.postings(source, at))
            shown = chance.sample(listed, round(len(listed) * 0.8))
            installation.server.give(source, shown)
        published.append(ingested()["db"])
        at += timedelta(minutes=30)
    assert sum(tick["updated"] for tick in published) > 0
    assert sum(tick["skipped"] for tick in published) > 0
    assert len(rows(installation.database_url, "job_postings")) > len(
        rows(installation.database_url, "jobs")
    )

    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute("create database refreshed")
    settings = Settings.load()
    fresh = settings.model_copy(update={"database_url": SecretStr(postgres.get_uri("refreshed"))})
    # Several partitions, as a large refresh has.
    monkeypatch.setattr(steps, "BATCH_ROWS", 50)
    run_from_staging(fresh, Frames(tmp_path / "refreshed"))
    for table in CONTENT:
        assert rows(fresh.database_url.get_secret_value(), table) == rows(  # type: ignore[union-attr]
            installation.database_url, table
        ), table

    before = rows(installation.database_url, "jobs")
    with psycopg.connect(installation.database_url) as connection:
        unchanged = connection.execute("select job_id, xmin::text from jobs order by 1").fetchall()
    run_from_staging(settings, Frames(tmp_path / "again"))
    with psycopg.connect(installation.database_url) as connection:
        again = connection.execute("select job_id, xmin::text from jobs order by 1").fetchall()
    assert again == unchanged
    assert rows(installation.database_url, "jobs") == before


def run_from_staging(settings: Settings, frames: Frames) -> None:
    with database.connect(settings) as connection:
        migrate(connection)
        leases.take(connection, "refresh")
        plan = steps.read_staged(settings, connection, frames, "refresh", full_refresh=True)
        assert plan.full_refresh
        steps.select_relevant(connection, frames)
        steps.cluster(settings, connection, frames)
        steps.publish(connection, frames, "refresh", datetime.now(UTC))
