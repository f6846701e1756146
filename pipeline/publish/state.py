"""What a run needs to know of what is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from io import BytesIO

import polars as pl
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from pipeline.declaration import Findings
from pipeline.fields import FIELDS
from pipeline.publish.statements import load
from pipeline.transform.deduplication.blocking import Override
from pipeline.transform.schema import CompleteFetch, KeyedPosting

_FRONTIER = 5_000
"""Keys, jobs or postings that one statement looks up."""

MAX_DUE = 50_000
"""Jobs that one run looks at because of the time alone, so that a pause of months does not bring
more at once than memory holds; the next runs take the others."""


def base_version(connection: Connection[TupleRow]) -> int:
    """The newest published version, 0 before the first. Ask before reading anything else."""
    row = connection.execute("select coalesce(max(version), 0) from publishes").fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return int(row[0])


def watermarks(connection: Connection[TupleRow]) -> dict[str, str | None]:
    """By source, the newest dlt load id whose rows are published; null if none is."""
    return dict(connection.execute("select source, read_up_to from sources").fetchall())


def lower_watermarks(connection: Connection[TupleRow], to: Mapping[str, str | None]) -> None:
    """By source, the load after which the next run reads again, or null: everything."""
    for source, load_id in to.items():
        connection.execute(
            "update sources set read_up_to = %s where source = %s", (load_id, source)
        )


def accounted_postings(connection: Connection[TupleRow]) -> pl.DataFrame:
    """The column ``posting_id`` of every posting of which it is known what became of it: it is
    published (or was, until its job was retired), rejected, or of another role."""
    text = BytesIO()
    with connection.cursor().copy(load("accounted_postings")) as copying:
        for piece in copying:
            text.write(piece)
    if not text.tell():
        return pl.DataFrame(schema={"posting_id": pl.String})
    text.seek(0)
    return pl.read_csv(text, has_header=False, schema={"posting_id": pl.String})


def needs_full_refresh(connection: Connection[TupleRow], transform_version: str) -> bool:
    """Whether what is published was computed by other rules, or nothing is published."""
    row = connection.execute(
        "select transform_version from publishes order by version desc limit 1"
    ).fetchone()
    return row is None or row[0] != transform_version


def overrides(connection: Connection[TupleRow]) -> pl.DataFrame:
    """What people decided about pairs of postings: ``Override`` rows."""
    rows = connection.execute(
        "select posting_id, other_posting_id, action from posting_overrides order by 1, 2"
    ).fetchall()
    return pl.DataFrame(rows, Override.create_empty().schema, orient="row")


def decided_postings(
    connection: Connection[TupleRow], overrides: pl.DataFrame, exclude: pl.DataFrame
) -> pl.DataFrame:
    """The published postings that an override names or a withdrawn one named, but for those in
    the column ``posting_id`` of ``exclude``: ``KeyedPosting`` rows, with the keys that they were
    published with."""
    withdrawn = connection.execute("select posting_id from withdrawn_overrides").fetchall()
    ids = {posting_id for (posting_id,) in withdrawn}
    ids.update(overrides["posting_id"], overrides["other_posting_id"])
    with connection.transaction():
        return _postings(connection, sorted(ids.difference(exclude["posting_id"])))


def complete_fetches(connection: Connection[TupleRow]) -> pl.DataFrame:
    """The published ``CompleteFetch`` rows."""
    with connection.transaction():
        connection.execute("set local timezone = 'UTC'")
        rows = connection.execute(
            "select source, fetched_at, reaches_back_to from complete_fetches order by 1, 2"
        ).fetchall()
    return pl.DataFrame(rows, CompleteFetch.create_empty().schema, orient="row")


def due_postings(
    connection: Connection[TupleRow], as_of: datetime, exclude: pl.DataFrame
) -> pl.DataFrame:
    """The published postings of the jobs whose status may have changed by ``as_of`` without
    anything being read, but for those in the column ``posting_id`` of ``exclude``:
    ``KeyedPosting`` rows. At most :data:`MAX_DUE` jobs, those first that have waited longest."""
    due = connection.execute(
        "select posting_id from job_postings where job_id in ("
        " select job_id from job_reviews where review_at <= %s order by review_at limit %s)",
        (as_of, MAX_DUE),
    ).fetchall()
    ids = {posting_id for (posting_id,) in due}
    with connection.transaction():
        return _postings(connection, sorted(ids.difference(exclude["posting_id"])))


def related(
    connection: Connection[TupleRow], delta: pl.DataFrame, seen_ids: Collection[str]
) -> pl.DataFrame:
    """The published postings that must be deduplicated again together with ``delta``.

    Those are all that share a key, directly or through others, with a posting of ``delta`` or
    with what a seen posting was when it was last published, and all postings of the jobs of any
    of these. Together with ``delta`` they are closed under shared keys and under jobs.

    Args:
        delta: ``KeyedPosting`` rows.
        seen_ids: the ids of every posting that was read, also of those that are not in ``delta``
            (irrelevant or rejected by now). They are not in the answer.

    Returns:
        ``KeyedPosting`` rows, ordered by ``posting_id``. The time follows their number and that
        of ``delta``, not the size of the table.
    """
    seen = set(seen_ids) | set(delta["posting_id"])
    with connection.transaction():
        # The planner cannot know how few rows an array of keys matches.
        connection.execute("set local enable_seqscan = off")
        found = _closure(connection, set(delta["keys"].explode().drop_nulls()), set(seen))
        return _postings(connection, sorted(found - seen))


def _closure(connection: Connection[TupleRow], keys: set[str], postings: set[str]) -> set[str]:
    found: set[str] = set()
    asked: dict[str, set[str]] = {"keys": set(), "jobs": set(), "postings": set()}
    wanted = {"keys": keys, "jobs": set[str](), "postings": postings}
    while any(wanted.values()):
        parts = {name: _taken(values) for name, values in wanted.items()}
        for name, part in parts.items():
            asked[name].update(part)
        rows = connection.execute(load("related_identities"), parts).fetchall()
        for posting_id, job_id, its_keys in rows:
            found.add(posting_id)
            wanted["jobs"].add(job_id)
            wanted["keys"].update(its_keys)
        for name in ("keys", "jobs"):
            wanted[name] -= asked[name]
    return found


def _taken(values: set[str]) -> list[str]:
    return [values.pop() for _ in range(min(len(values), _FRONTIER))]


def _postings(connection: Connection[TupleRow], ids: list[str]) -> pl.DataFrame:
    schema = KeyedPosting.create_empty().schema
    # A frame holds the text of what PostgreSQL holds as JSON.
    texts = {field.name for field in FIELDS if isinstance(field.kind, Findings)}
    columns = sql.SQL(", ").join(
        sql.SQL("{}::text" if name in texts else "{}").format(sql.Identifier(name))
        for name in schema
    )
    query = sql.SQL(
        "select {} from job_postings where posting_id = any (%s) order by posting_id"
    ).format(columns)
    # Times are read in the time zone of the session.
    connection.execute("set local timezone = 'UTC'")
    frames = [pl.DataFrame(schema=schema)]
    for start in range(0, len(ids), _FRONTIER):
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(query, (ids[start : start + _FRONTIER],)).fetchall()
        frames.append(pl.DataFrame(rows, schema, orient="row"))
    return pl.concat(frames)
