"""Every declared field is written by a publish, when it is new, when it alone differs, and when
what is stored is not what was published. One row for each column, in which that column differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from psycopg import sql

from pipeline.fields import Column, declared, of_table
from pipeline.publish.migrate import migrate
from pipeline.transform.schema import Job, JobPosting
from tests.publish.postings import Connection, publish_frames
from tests.support.values_of_fields import value

KEYS = {"jobs": "job_id", "job_postings": "posting_id"}
OF_PUBLISH = {
    "jobs": {"updated_at", "created_version", "changed_version", "moved_version"},
    "job_postings": {"merged_version"},
}
"""The columns that no run computes."""


def columns(connection: Connection, table: str) -> list[str]:
    """Those that a run computes, as PostgreSQL has them."""
    found = connection.execute(
        "select column_name from information_schema.columns where table_name = %s"
        " and table_schema = 'public' order by ordinal_position",
        (table,),
    ).fetchall()
    return [name for (name,) in found if name not in OF_PUBLISH[table]]


def rows_of(table: str, names: Sequence[str], number: int) -> list[dict[str, Any]]:
    """A row for each column: the same but for that column, whose value is that of ``number``."""
    fields = [declared(name) for name in names]
    return [
        {field.name: value(field, number if field.name == varied else 0) for field in fields}
        | {KEYS[table]: f"remoteok_{varied}"}
        | ({"job_id": _job_of(varied, number)} if table == "job_postings" else {})
        for varied in names
        if varied != KEYS[table]
    ]


def _job_of(varied: str, number: int) -> str:
    return f"remoteok_{varied}{'_other' if varied == 'job_id' and number else ''}"


def publish_rows(
    connection: Connection, jobs: list[dict[str, Any]], postings: list[dict[str, Any]]
) -> int:
    """How many jobs were updated."""
    jobs_schema = Job.create_empty().schema
    unpublished = {"review_at": None, "is_retired": False}
    return publish_frames(
        connection,
        pl.DataFrame([unpublished | row for row in jobs], jobs_schema),
        pl.DataFrame(postings, JobPosting.create_empty().schema),
    ).updated


def stored(connection: Connection, table: str, names: Sequence[str]) -> list[dict[str, Any]]:
    statement = sql.SQL("select {} from {} order by {}").format(
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.Identifier(table),
        sql.Identifier(KEYS[table]),
    )
    return [
        {name: _as_in_frame(found) for name, found in zip(names, row, strict=True)}
        for row in connection.execute(statement).fetchall()
    ]


def _as_in_frame(found: Any) -> Any:
    match found:
        case Decimal():
            return float(found)
        case [{}, *_]:
            return json.dumps(found)
        case _:
            return found


def tamper(connection: Connection, table: str, row: dict[str, Any], column: str) -> None:
    statement = sql.SQL("update {} set {} = %s where {} = %s").format(
        sql.Identifier(table), sql.Identifier(column), sql.Identifier(KEYS[table])
    )
    changed = connection.execute(statement, (row[column], row[KEYS[table]]))
    assert changed.rowcount == 1


def varied_rows(connection: Connection, table: str, number: int) -> tuple[list[Any], list[Any]]:
    """Jobs and postings, of which those of ``table`` vary."""
    names = {name: columns(connection, name) for name in KEYS}
    if table == "jobs":
        jobs = rows_of("jobs", names["jobs"], number)
        posting = rows_of("job_postings", names["job_postings"], 0)[0]
        return jobs, [
            posting | {"posting_id": job["job_id"], "job_id": job["job_id"]} for job in jobs
        ]
    postings = rows_of("job_postings", names["job_postings"], number)
    job = rows_of("jobs", names["jobs"], 0)[0]
    return [job | {"job_id": posting["job_id"]} for posting in postings], postings


def sorted_rows(table: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row[KEYS[table]]))


def test_every_column_is_declared(connection: Connection) -> None:
    unpublished = {"review_at", "is_retired"}
    assert set(columns(connection, "jobs")) == set(Job.column_names()) - unpublished
    assert set(columns(connection, "job_postings")) == set(JobPosting.column_names())


@pytest.mark.parametrize("table", KEYS)
def test_the_tables_are_as_declared(connection: Connection, table: str) -> None:
    found = connection.execute(
        "select attname, format_type(atttypid, -1), not attnotnull,"
        " col_description(attrelid, attnum)"
        " from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        (table,),
    ).fetchall()
    columns = {name: Column(name, *rest) for name, *rest in found}
    for column in of_table(table):
        assert columns[column.name] == column


def test_a_comment_that_says_something_else_is_replaced(connection: Connection) -> None:
    connection.execute("comment on column jobs.title is 'out of date'")
    migrate(connection)
    said = "select col_description('jobs'::regclass, attnum) from pg_attribute where attname = %s"
    found = connection.execute(f"{said} and attrelid = 'jobs'::regclass", ("title",)).fetchone()
    assert found == (declared("title").description,)


@pytest.mark.parametrize("table", KEYS)
def test_a_column_that_alone_differs_is_written(connection: Connection, table: str) -> None:
    names = columns(connection, table)
    before, after = (varied_rows(connection, table, number) for number in (0, 1))
    which = list(KEYS).index(table)
    publish_rows(connection, *before)
    assert stored(connection, table, names) == sorted_rows(table, before[which])
    updated = publish_rows(connection, *after)
    assert stored(connection, table, names) == sorted_rows(table, after[which])
    assert updated == (len(after[0]) if table == "jobs" else 0)
    assert publish_rows(connection, *after) == 0


@pytest.mark.parametrize("table", KEYS)
def test_what_is_stored_wrongly_is_repaired(connection: Connection, table: str) -> None:
    names = columns(connection, table)
    other, right = (varied_rows(connection, table, number) for number in (0, 1))
    which = list(KEYS).index(table)
    publish_rows(connection, *right)
    for row, wrong in zip(right[which], other[which], strict=True):
        (column,) = [name for name in names if row[name] != wrong[name]]
        tamper(connection, table, wrong, column)
    assert stored(connection, table, names) == sorted_rows(table, other[which])
    publish_rows(connection, *right)
    assert stored(connection, table, names) == sorted_rows(table, right[which])


def test_when_a_posting_was_joined_is_told_anew_only_where_why_differs(
    connection: Connection,
) -> None:
    for number in (0, 1):
        publish_rows(connection, *varied_rows(connection, "job_postings", number))
    joined = connection.execute(
        "select posting_id from job_postings where merged_version = 2 order by 1"
    ).fetchall()
    why = ["job_id", "merge_evidence", "merge_rule", "merge_score", "merged_with"]
    assert [posting_id for (posting_id,) in joined] == [f"remoteok_{name}" for name in why]
