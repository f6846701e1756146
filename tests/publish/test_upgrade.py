"""A database of an earlier version is brought to this one, and keeps what people and mirrors rely
on. The dump is of three publishes by the code whose last migration was the eighth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

from pipeline.publish import leases, state
from pipeline.publish.migrate import known_migrations, migrate
from pipeline.publish.publish import Statistics
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.jobs import build_jobs
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import CompleteFetch, RejectedPosting
from tests.publish.postings import Connection, publish_frames, rejected_posting

DUMP = Path(__file__).with_name("dump_of_migration_8.sql")
AS_OF = datetime(2026, 2, 6, 22, 30, tzinfo=UTC)
KEPT = {
    "jobs": "select job_id, first_seen_at, title, status, posting_count, created_version,"
    " changed_version, updated_at from jobs order by 1",
    "postings": "select posting_id, job_id, first_seen_at, merge_rule, merge_evidence,"
    " merged_version from job_postings order by 1",
    "overrides": "select * from posting_overrides order by 1, 2",
    "removed": "select * from removed_jobs order by 1",
    "publishes": "select * from publishes where version <= 3 order by 1",
    "watermarks": "select source, read_up_to from sources order by 1",
    "rejected": "select * from rejected_postings order by 1, 2",
    "leases": "select * from run_leases where token <= 3 order by 1",
}


@pytest.fixture
def old(postgres: Any) -> Iterator[Connection]:
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute("drop database if exists old with (force)")
        connection.execute("create database old")
    url = postgres.get_uri("old")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(DUMP.read_bytes())
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def kept(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: connection.execute(query.encode()).fetchall() for name, query in KEPT.items()}


def refresh(connection: Connection) -> Statistics:
    """A full refresh of the postings that the database holds."""
    ids = [row[0] for row in connection.execute("select posting_id from job_postings").fetchall()]
    with connection.transaction():
        postings = state._postings(connection, sorted(ids))
    overrides = state.overrides(connection)
    policy = LifecyclePolicy(AS_OF, frozenset({"remoteok"}), timedelta(days=30), timedelta(days=90))
    members = with_status(
        deduplicate(with_blocking_keys(postings, overrides), overrides),
        CompleteFetch.create_empty(),
        policy,
    )
    return publish_frames(
        connection,
        build_jobs(members, policy),
        members,
        rejected=pl.DataFrame(
            [rejected_posting("adzuna_99")], RejectedPosting.create_empty().schema
        ),
        run_id="run-4",
        token=leases.take(connection, "run-4"),
    )


def test_migrating_and_refreshing_keeps_ids_times_decisions_and_cursors(old: Connection) -> None:
    before = kept(old)
    assert len(before["jobs"]) == 4
    newer = [migration.name for migration in known_migrations() if migration.version > 8]
    assert migrate(old) == newer
    assert kept(old) == before
    published = refresh(old)
    # Of one, the place in its source's words, which no job had before.
    assert (published.new, published.updated, published.removed, published.total) == (0, 1, 0, 4)
    assert refresh(old).updated == 0
    after = kept(old)
    for name, rows in before.items():
        if name == "jobs":
            changed = [new for old, new in zip(rows, after[name], strict=True) if old != new]
            assert len(changed) == 1
            # Its id and first_seen_at.
            assert [row[:2] for row in rows] == [row[:2] for row in after[name]]
        else:
            assert after[name] == rows


def test_what_changes_after_the_upgrade_follows_an_old_cursor(old: Connection) -> None:
    migrate(old)
    refresh(old)
    old.execute("update job_postings set title = 'Lead DevOps Engineer' where posting_id = %s",
                ("remoteok_7",))  # fmt: skip
    assert refresh(old).updated == 1
    changed = old.execute("select job_id, title from jobs where changed_version > 4").fetchall()
    assert changed == [("remoteok_7", "Lead DevOps Engineer")]
