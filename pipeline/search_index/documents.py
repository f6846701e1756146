"""The published jobs as the index reads them from PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.search_index.builder import Document
from pipeline.search_index.schema import KEYWORDS, NUMBERS
from pipeline.select_lists import COMPOSED

ROWS_AT_ONCE = 2_000

_SUMMARY = "(select row_to_json(summary)::text from (select {}) as summary)"
_TEXTS = ("job_id", "title", "company", "skills", "tags", "description")
_COLUMNS = list(dict.fromkeys(keyword.column for keyword in KEYWORDS))


def documents(connection: Connection[TupleRow], after: int) -> Iterator[Document]:
    """The jobs that publishes after the version ``after`` brought or changed, in no order.

    Args:
        connection: in a transaction, whose snapshot they are of.

    Raises:
        psycopg.OperationalError: the server went away.
    """
    with connection.cursor("documents") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(_select(), (after,))
        texts, columns = len(_TEXTS), len(_TEXTS) + 1 + len(_COLUMNS)
        for row in cursor:
            job_id, title, company, skills, tags, description = row[:texts]
            values = map(_value, row[texts + 1 : columns])
            yield Document(
                job_id,
                row[texts],
                title,
                company,
                skills,
                tags,
                description,
                dict(zip(_COLUMNS, values, strict=True)),
                dict(zip((number.name for number in NUMBERS), row[columns:], strict=True)),
            )


def statement() -> str:
    """What is read of each job, with the JSON that lists show of it."""
    return _select().as_string(None)


def removed(connection: Connection[TupleRow], after: int) -> list[str]:
    """The ids of the jobs that publishes after a version removed."""
    rows = connection.execute(
        "select job_id from removed_jobs where removed_version > %s", (after,)
    ).fetchall()
    return [job_id for (job_id,) in rows]


def changed(connection: Connection[TupleRow], after: int) -> list[str]:
    """The ids of the jobs that :func:`documents` reads."""
    rows = connection.execute("select job_id from jobs where changed_version > %s", (after,))
    return [job_id for (job_id,) in rows.fetchall()]


def in_parts(found: Iterable[Document], size: int) -> Iterator[list[Document]]:
    """So many at a time."""
    remaining = iter(found)
    while part := list(islice(remaining, size)):
        yield part


def _value(value: str | list[str] | bool | None) -> str | list[str] | None:
    return str(value).lower() if isinstance(value, bool) else value


@cache
def _select() -> sql.Composed:
    numbers = (sql.SQL(number.expression) for number in NUMBERS)
    return sql.SQL("select {} from jobs where changed_version > %s").format(
        sql.SQL(", ").join(
            [
                *map(sql.Identifier, _TEXTS),
                sql.SQL(_SUMMARY.format(COMPOSED["list_columns"])),
                *map(sql.Identifier, _COLUMNS),
                *numbers,
            ]
        )
    )
