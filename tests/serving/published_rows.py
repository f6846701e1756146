"""Rows of the published tables, as a publish would write them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from pipeline.fields import FIELDS

DAY = datetime(2026, 2, 6, 10, 30, tzinfo=UTC)

Connection = psycopg.Connection[tuple[Any, ...]]
Start = Callable[..., httpx.Client]
"""Starts an API with the given settings beside the defaults and returns its client."""


def ids(answer: httpx.Response) -> list[str]:
    """Of the jobs of a list."""
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["jobs"]]


def insert(connection: Connection, table: str, row: dict[str, Any]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    values = sql.SQL(", ").join(map(sql.Placeholder, row))
    statement = sql.SQL("insert into {} ({}) values ({})")
    connection.execute(statement.format(sql.Identifier(table), columns, values), row)


def add_posting(connection: Connection, posting_id: str, job_id: str, **values: Any) -> None:
    row = {
        "posting_id": posting_id,
        "job_id": job_id,
        "source": posting_id.split("_")[0],
        "source_id": posting_id.partition("_")[2],
        "title": "Backend Engineer",
        "description_is_snippet": False,
        "tags": [],
        "skills": [],
        "remote": False,
        "salary_is_predicted": False,
        "run_id": "run-1",
        "category": "backend",
        "category_reason": "title: backend engineer",
        "keys": [],
        "first_seen_at": DAY,
        "last_seen_at": DAY,
        "status": "open",
        "status_reason": "seen in the last fetch",
        "merge_rule": "first" if posting_id == job_id else "same_apply_url",
    }
    insert(connection, "job_postings", row | values)


def coming_version(connection: Connection) -> int:
    row = connection.execute("select coalesce(max(version), 0) + 1 from publishes").fetchone()
    assert row is not None
    return int(row[0])


def remove_job(connection: Connection, job_id: str, **values: Any) -> None:
    """Remove a job if it is there, as the coming publish would where ``values`` of the removal
    say nothing else."""
    if connection.execute("delete from jobs where job_id = %s", (job_id,)).rowcount:
        row = {"job_id": job_id, "removed_version": coming_version(connection), "removed_at": DAY}
        insert(connection, "removed_jobs", row | values)
        connection.execute("delete from job_postings where job_id = %s", (job_id,))


def add_job(connection: Connection, job_id: str, **values: Any) -> None:
    """A job with its first posting, as the coming publish would bring it."""
    source = job_id.split("_")[0]
    version = coming_version(connection)
    row = {
        "job_id": job_id,
        "source": source,
        "sources": [source],
        "title": "Backend Engineer",
        "description_is_snippet": False,
        "tags": [],
        "skills": [],
        "category": "backend",
        "category_reason": "title: backend engineer",
        "remote": False,
        "salary_is_predicted": False,
        "status": "open",
        "status_reason": "seen in the last fetch",
        "created_version": version,
        "changed_version": version,
        "posted_at": DAY,
        "first_seen_at": DAY,
        "updated_at": DAY,
        "posting_count": 1,
    }
    with connection.transaction():
        connection.execute("delete from removed_jobs where job_id = %s", (job_id,))
        for field in FIELDS:
            if field.every and values.get(field.name) is not None:
                row[field.every] = [values[field.name]]
        insert(connection, "jobs", row | values)
        add_posting(connection, job_id, job_id)


def add_publish(connection: Connection, run_id: str, **values: Any) -> None:
    counts = [
        "new",
        "updated",
        "removed",
        "skipped",
        "irrelevant",
        "rejected",
        "closed",
        "reopened",
        "total",
    ]
    row = {
        "run_id": run_id,
        "started_at": DAY,
        "finished_at": DAY,
        "duration_seconds": 4.2,
        "full_refresh": False,
        "transform_version": "1",
        "fetched": Jsonb({"remoteok": 30, "jsearch": 92}),
        **dict.fromkeys(counts, 0),
    }
    insert(connection, "publishes", row | values)


def add_source(connection: Connection, source: str, **values: Any) -> None:
    row = {
        "source": source,
        "title": source.title(),
        "attribution": f"Jobs by {source.title()}",
        "staged": 0,
    }
    insert(connection, "sources", row | values)
