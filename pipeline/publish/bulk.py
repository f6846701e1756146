"""Fill an empty table without the indexes that cost most, and build those from the rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

from psycopg import Connection
from psycopg.rows import TupleRow

_INDEXES = (files(__package__) / "bulk_indexes.sql").read_bytes()


@contextmanager
def bulk_indexes_built_after(connection: Connection[TupleRow]) -> Iterator[None]:
    """While the block fills ``jobs``, it has no GIN index; then each is built from all rows at
    once, which takes a fraction of adding row by row; that of the words is left to
    :func:`pipeline.publish.text_index.ensure_text_index`.

    Does nothing where there are jobs. Readers of the table wait until the transaction, which must
    be open, ends: before the first publish there is nothing to read.
    """
    if connection.execute("select from jobs limit 1").fetchone() is not None:
        yield
        return
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _, _ in indexes:
        connection.execute(f"drop index {name}".encode())
    yield
    connection.execute("set local maintenance_work_mem = '256MB'")
    for _, definition, within_the_publish in indexes:
        if within_the_publish:
            connection.execute(definition.encode())
    connection.execute("analyze jobs, job_postings")
