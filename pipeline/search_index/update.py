"""Bring the index to the published revision: a full segment at first, then one for each publish."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import Timeout
from psycopg import Connection, IsolationLevel
from psycopg.rows import TupleRow
from pyroaring import BitMap

from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.builder import build
from pipeline.search_index.directory import Commit, Directory
from pipeline.search_index.documents import changed, documents, in_parts, removed
from pipeline.search_index.merge import merge
from pipeline.search_index.segment import Segment

DOCUMENTS_AT_ONCE = 20_000
"""As many are analyzed before their segment is written."""
MAX_SEGMENTS = 8
"""With more, the small ones are merged: each takes its part of every search."""
MAX_SMALL = 0.2
"""With a larger share of the documents in small segments, or no longer live, all are merged."""

REVISION_OF = (
    b"select version || '-' || to_hex((extract(epoch from finished_at) * 1000000)::bigint)"
    b" as revision from publishes where version = %(version)s"
)
"""What ``published_edition()`` said when a version was the latest; no row where the database does
not know it."""


class TooMuchError(Exception):
    """There is more to do than the caller has time for."""


@dataclass(frozen=True)
class Report:
    """What an update did.

    Attributes:
        indexed: documents that were analyzed.
        merged: documents that were written anew as part of a merge.
        seconds: of the whole update, waiting for the lock included.
    """

    commit: Commit
    indexed: int
    merged: int
    seconds: float


def update(
    directory: Directory,
    connection: Connection[TupleRow],
    analyzer: Analyzer,
    *,
    at_most: int | None = None,
) -> Report | None:
    """Commit the published revision, if it is not; None before the first publish.

    One process does so at a time: others wait, and then find it done. Who has to refuse the work
    does not wait for who does it.

    Args:
        connection: in no transaction, with no settings that it must keep.
        at_most: index no more documents than this, and merge none.

    Raises:
        TooMuchError: more than ``at_most`` would have to be indexed.
        psycopg.Error: the server cannot be asked.
        OSError: the folder cannot be written.
    """
    began = time.monotonic()
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    if at_most is not None:
        _refuse_more(directory, connection, at_most)
    with directory.lock():
        commit = directory.latest()
        indexed = merged = 0
        with connection.transaction():
            revision = _one(connection, b"select published_edition()")
            if revision is None:
                return None
            delta = None
            if commit is None or commit.revision != revision:
                delta = _read(directory, connection, analyzer, commit)
        if delta is not None:
            try:
                commit = _commit(directory, revision, commit, delta, began)
            except BaseException:
                _remove(delta.parts)
                raise
            indexed = delta.documents
    assert commit is not None  # noqa: S101 - without one before, there is a delta
    if at_most is None and (chosen := _to_merge(commit)):
        commit, merged = _merge(directory, commit, chosen)
    return Report(commit, indexed, merged, time.monotonic() - began)


def _refuse_more(directory: Directory, connection: Connection[TupleRow], at_most: int) -> None:
    with connection.transaction():
        after = _version(directory.latest(), connection)
        (count,) = connection.execute(
            "select (select count(*) from jobs where changed_version > %s)"
            " + (select count(*) from removed_jobs where removed_version > %s)",
            (after, after),
        ).fetchone() or (0,)
    if count > at_most:
        raise TooMuchError(f"{count:,} documents")


def needs_merge(commit: Commit) -> bool:
    """Whether an update without ``at_most`` would merge segments."""
    return bool(_to_merge(commit))


@dataclass(frozen=True)
class _Delta:
    """What changed since a commit, or all there is: segments of the jobs that there are now, and
    the ids of the documents that are no longer live."""

    is_all: bool
    documents: int
    parts: Sequence[Path]
    dead: Sequence[str]
    attribution: Mapping[str, str]


def _read(
    directory: Directory,
    connection: Connection[TupleRow],
    analyzer: Analyzer,
    before: Commit | None,
) -> _Delta:
    after = _version(before, connection)
    ids = changed(connection, after)
    parts: list[Path] = []
    try:
        for part in in_parts(documents(connection, after), DOCUMENTS_AT_ONCE):
            parts.append(directory.new_segment())
            build(parts[-1], part, analyzer)
    except BaseException:
        _remove(parts)
        raise
    dead = [*ids, *removed(connection, after)] if after >= 0 else []
    terms = connection.execute("select source, attribution from sources").fetchall()
    return _Delta(after < 0, len(ids), parts, dead, dict(terms))


def _remove(parts: Sequence[Path]) -> None:
    """Leave nothing of an update that failed: the next may fail for lack of just that space."""
    for part in parts:
        part.unlink(missing_ok=True)


def _commit(
    directory: Directory, revision: str, before: Commit | None, delta: _Delta, began: float
) -> Commit:
    names: list[str] = []
    live: list[BitMap] = []
    if before is not None and not delta.is_all:
        dead = [job_id.encode() for job_id in delta.dead]
        for segment, docs in zip(before.segments, before.live, strict=True):
            found = (segment.find(job_id) for job_id in dead)
            kept = docs - BitMap(doc for doc in found if doc is not None)
            if kept:
                names.append(segment.name)
                live.append(kept)
    segments = [Segment(path) for path in delta.parts]
    if len(segments) > 1:
        path = directory.new_segment()
        merge(path, segments, [BitMap(range(segment.size)) for segment in segments])
        segments = [Segment(path)]
        _remove(delta.parts)
    names += [segment.name for segment in segments]
    live += [BitMap(range(segment.size)) for segment in segments]
    seconds = time.monotonic() - began
    try:
        return directory.commit(
            revision, delta.attribution, names, live, indexed=delta.documents, seconds=seconds
        )
    except BaseException:
        _remove([directory.path / segment.name for segment in segments])
        raise


def _version(before: Commit | None, connection: Connection[TupleRow]) -> int:
    """The version that a commit is of; -1 where it is not of this database, or of one that was
    restored."""
    if before is None:
        return -1
    version = int(before.revision.partition("-")[0])
    known = _one(connection, REVISION_OF, {"version": version})
    return version if known == before.revision else -1


def _to_merge(commit: Commit) -> list[int]:
    """The places of the segments that are better one; none if all is well."""
    sizes = [len(docs) for docs in commit.live]
    if not sizes:
        return []
    largest = max(range(len(sizes)), key=sizes.__getitem__)
    small = commit.documents - sizes[largest]
    dead = commit.segments[largest].size - sizes[largest]
    if max(small, dead) > MAX_SMALL * commit.documents and (len(sizes) > 1 or dead):
        return list(range(len(sizes)))
    if len(sizes) > MAX_SEGMENTS:
        return [place for place in range(len(sizes)) if place != largest]
    return []


def _merge(directory: Directory, before: Commit, chosen: Sequence[int]) -> tuple[Commit, int]:
    """Make some segments one. Publishes go on meanwhile: what they replaced is no longer live in
    the merged segment either. Nothing is done where another process merges."""
    with contextlib.suppress(Timeout), directory.merge_lock():
        path = directory.new_segment()
        merge(path, [before.segments[n] for n in chosen], [before.live[n] for n in chosen])
        whole = Segment(path)
        with directory.lock():
            now = directory.latest() or before
            live_now = {s.name: docs for s, docs in zip(now.segments, now.live, strict=True)}
            live = BitMap(range(whole.size))
            for n in chosen:
                segment = before.segments[n]
                for doc in before.live[n] - live_now.pop(segment.name, BitMap()):
                    found = whole.find(segment.ids[doc])
                    assert found is not None  # noqa: S101 - it was merged
                    live.discard(found)
            if live:
                live_now[whole.name] = live
            merged = directory.commit(
                now.revision,
                now.attribution,
                list(live_now),
                list(live_now.values()),
                indexed=now.indexed,
                seconds=now.seconds,
            )
            return merged, whole.size
    return before, 0


def _one(
    connection: Connection[TupleRow], query: bytes, parameters: Mapping[str, object] | None = None
) -> str | None:
    row = connection.execute(query, parameters).fetchone()
    return row[0] if row else None
