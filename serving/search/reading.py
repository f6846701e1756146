"""Read an index from PostgreSQL, and bring it to a later edition."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow
from pyarrow import csv

from serving import queries
from serving.clients.editions import version_of
from serving.search.jobs import SPELLED, TYPES, JobIndex
from serving.search.lexemes import Reading, split_vectors

PART_BYTES = 8_000_000
"""As much of what is read is held as text at a time."""
TEXTS_AT_ONCE = 20_000
MOST_CHANGED = 0.2
"""A larger share of the jobs is not followed: then all are read."""


def read(connection: Connection[TupleRow], before: JobIndex | None) -> JobIndex | None:
    """The index of the present edition; none before the first publish.

    Args:
        connection: in no transaction.
        before: an index of the same database, of which only what changed is read.

    Raises:
        psycopg.Error: the server cannot be asked.
        ValueError: two jobs have the same key.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    with connection.transaction():
        edition = _one(connection, queries.EDITION)
        if edition is None:
            return None
        if before is not None and before.edition == edition:
            return before
        if before is None or not _can_follow(connection, before, edition):
            connection.execute("set local enable_seqscan = on")
            index = _whole(connection, edition)
        else:
            index = _updated(connection, before, edition)
        index = _spelled(connection, index)
    index.prepare()
    _release_memory()
    return index


def _release_memory() -> None:
    """Give back what was freed, which glibc keeps otherwise: almost as much again as an index."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _can_follow(connection: Connection[TupleRow], before: JobIndex, edition: str) -> bool:
    after = version_of(before.edition)
    if version_of(edition) <= after:
        return False
    # Those are two databases, or one that was restored, unless both editions are in it.
    known, changed = connection.execute(
        "select exists (select from publishes where version = %(after)s),"
        " (select count(*) from jobs where changed_version > %(after)s)",
        {"after": after},
    ).fetchone() or (False, 0)
    return bool(known) and changed <= MOST_CHANGED * len(before.ids)


def is_worn(index: JobIndex) -> bool:
    """Whether an index has followed so much that it is better read anew."""
    dead = len(index.ids) - len(index.order)
    return max(dead, index.words.lexemes.changed) > MOST_CHANGED * len(index.ids)


def _whole(connection: Connection[TupleRow], edition: str) -> JobIndex:
    reading = Reading()
    parts = [pa.schema(TYPES).empty_table().drop_columns("vector")]
    for part in _rows(connection, -1):
        for chunk in part["vector"].chunks:  # all of them as texts would take more than all else
            reading.add(split_vectors(chunk))
        parts.append(part.drop_columns("vector"))
    rows = pa.concat_tables(parts).unify_dictionaries()
    return JobIndex.of(edition, rows, reading.lexemes())


def _updated(connection: Connection[TupleRow], before: JobIndex, edition: str) -> JobIndex:
    after = {"after": version_of(before.edition)}
    removed = connection.execute(queries.INDEX_REMOVED, after).fetchall()
    parts = [pa.schema(TYPES).empty_table(), *_rows(connection, after["after"])]
    return before.updated(
        edition,
        pa.concat_tables(parts).unify_dictionaries(),
        np.array([key for (key,) in removed], np.int64),
    )


def _spelled(connection: Connection[TupleRow], index: JobIndex) -> JobIndex:
    """With the trigrams and the words of new titles and companies."""
    spellings = {}
    for name in SPELLED:
        known, texts = index.spellings[name], index.columns[name].values
        new = known.new(texts)
        rows: list[TupleRow] = []
        for first in range(0, len(new), TEXTS_AT_ONCE):
            asked = {"texts": new[first : first + TEXTS_AT_ONCE]}
            rows += connection.execute(queries.INDEX_SPELLINGS, asked).fetchall()
        trigrams, words = [row[0] for row in rows], [row[1] for row in rows]
        spellings[name] = known.updated(texts, trigrams, words)
    return replace(index, spellings=spellings)


def _rows(connection: Connection[TupleRow], after: int) -> Iterator[pa.Table]:
    statement = b"copy (%s) to stdout (format csv)" % queries.INDEX_ROWS
    with connection.cursor().copy(statement, {"after": after}) as copy:
        text = bytearray()
        for row in copy:
            text += row
            if len(text) >= PART_BYTES:
                yield _parsed(text)
                text = bytearray()
        if text:
            yield _parsed(text)


def _parsed(text: bytearray) -> pa.Table:
    return csv.read_csv(
        pa.py_buffer(text),
        csv.ReadOptions(column_names=list(TYPES), block_size=len(text)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=TYPES,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def _one(connection: Connection[TupleRow], query: bytes) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None
