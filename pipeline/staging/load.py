"""Ask a source and load what it answers into its staging file."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import polars as pl
from filelock import FileLock, Timeout

from pipeline.extract.client import Client
from pipeline.extract.drift import Drift
from pipeline.extract.errors import FetchError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import Settings, SourceSettings
from pipeline.sources import Source
from pipeline.staging import (
    StagingError,
    has_postings,
    history,
    packages,
    snapshot_path,
    staging_path,
)
from pipeline.staging.conform import Conformed
from pipeline.staging.history import Fetch
from pipeline.staging.snapshot import publish_snapshot

log = logging.getLogger(__name__)

LOCK_SECONDS = 60.0
_CHUNK = 1_000
"""Postings conformed at once: a source's answers need not be held whole as objects."""


def load(
    source: Source,
    source_settings: SourceSettings,
    settings: Settings,
    run_id: str,
    *,
    respect_cadence: bool,
    run: packages.Run = packages.run_directly,
    lock_seconds: float = LOCK_SECONDS,
) -> Fetch:
    """Fetch a source, load its postings, and swap in a new snapshot.

    First a load that an earlier run left pending is finished, also where the source is then
    skipped: because it is disabled, lacks keys, has no quota left or, with ``respect_cadence``,
    is not due. Of postings with the same key in one fetch the last one wins.

    Args:
        run: runs the dlt pipeline on the dlt source that it is given.
        lock_seconds: how long to wait for another process that works on the same source.

    Returns:
        How it went. Whatever the source does, and errors in its own code, are ``failed``, or
        ``partial`` where postings came before the error; those are loaded. A failed or skipped
        fetch leaves ``postings`` untouched.

    Raises:
        StagingError: the disk, the staging file or its lock; the message says what to do.
    """
    path = staging_path(settings, source.name)
    with _locked(path, source.name, lock_seconds), _advised(source.name):
        pipeline = packages.pipeline_of(source.name, settings.data_dir.absolute() / "dlt", path)
        with duckdb.connect(str(path)) as connection:
            history.create_tables(connection)
        pending = packages.finish_pending(pipeline)
        quota = Quota(source.name, source_settings, settings.data_dir)
        started_at = datetime.now(UTC)
        with duckdb.connect(str(path)) as connection:
            reason = _skip_reason(source, source_settings, quota, connection, respect_cadence)
            if reason is None:
                history.begin(connection, run_id, started_at)
        if reason is not None:
            log.info("%s", reason)
            fetch = Fetch(
                source.name, run_id, started_at, datetime.now(UTC), "skipped", reason,
                quota_left=_left(quota), pending=pending,
            )  # fmt: skip
        else:
            client = Client(source.name, source_settings, quota)
            answer = _ask(source, source_settings, client)
            fetch = _store(source, path, run_id, started_at, answer, pipeline, run)
            fetch = replace(
                fetch, requests=client.requests, quota_left=_left(quota), pending=pending
            )
        with duckdb.connect(str(path)) as connection:
            fetch = history.finish(connection, fetch)
        packages.prune(pipeline)
        publish_snapshot(path, snapshot_path(settings, source.name))
        return fetch


@dataclass(frozen=True)
class _Answer:
    postings: Conformed
    error: str | None
    drift: tuple[Drift, ...]


@contextmanager
def _locked(path: Path, source: str, seconds: float) -> Iterator[None]:
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=seconds)
    except Timeout:
        raise StagingError(
            f"{source}: another process has been loading this source for more than "
            f"{seconds:.0f} s. Wait until it ends, or end it, and run again."
        ) from None
    except OSError as error:
        raise StagingError(f"{source}: {packages.advice(error)}") from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _advised(source: str) -> Iterator[None]:
    try:
        yield
    except StagingError as error:
        raise StagingError(f"{source}: {error}") from error
    except Exception as error:
        root = packages.storage_error(error)
        if root is None:
            raise
        raise StagingError(f"{source}: {packages.advice(root)}") from error


def _skip_reason(
    source: Source,
    source_settings: SourceSettings,
    quota: Quota,
    connection: duckdb.DuckDBPyConnection,
    respect_cadence: bool,
) -> str | None:
    if not source_settings.enabled:
        return f"{source.title} is disabled."
    if missing := source_settings.missing_keys:
        return f"{source.title} needs {' and '.join(missing)}: set it in the environment or .env."
    if _left(quota) == 0:
        return f"{source.title}: the quota of requests is used up; it is asked again once it frees."
    asked_at = history.last_asked_at(connection) if respect_cadence else None
    if asked_at is not None:
        due_at = asked_at + timedelta(minutes=source_settings.interval_minutes)
        now = datetime.now(UTC)
        # A last fetch in the future is a clock that was set back: that must not stop the source.
        if asked_at <= now < due_at:
            return f"{source.title} is not due before {due_at:%Y-%m-%d %H:%M} UTC."
    return None


def _left(quota: Quota) -> int | None:
    try:
        return quota.left()
    except FetchError:
        return None  # a ledger that cannot be read fails the first request, with its reason


def _ask(source: Source, source_settings: SourceSettings, client: Client) -> _Answer:
    postings = Conformed(source)
    chunk: list[Any] = []
    reason = None
    try:
        for posting in _postings(source.resource(source_settings, client)):
            chunk.append(posting)
            if len(chunk) == _CHUNK:
                postings.add(chunk)
                chunk = []
    except Exception as error:
        reason = failure_in_words(source, error)
    postings.add(chunk)
    return _Answer(postings, reason, (*client.drift(), *postings.drift()))


def _postings(pages: Any) -> Iterator[Any]:
    # A dlt resource opens its pages itself; a plain iterator yields them whole.
    for page in pages:
        if isinstance(page, list):
            yield from page
        else:
            yield page


def fetch_error(error: BaseException | None) -> FetchError | None:
    """The error of the source's own among those that dlt wraps around it, if it was one."""
    while error is not None and not isinstance(error, FetchError):
        error = error.__cause__ or error.__context__
    return error


def failure_in_words(source: Source, error: Exception) -> str:
    """Why a source could not be read, without anything that it sent or that is secret.

    Raises:
        Exception: the given one, where the disk is full.
    """
    if (told := fetch_error(error)) is not None:
        return str(told)
    if (disk := packages.storage_error(error)) and getattr(disk, "errno", None) == 28:
        raise error
    # Its message may hold what the source sent or a URL with a key: only type and place are safe.
    cause = packages.root_cause(error)
    frames = traceback.extract_tb(cause.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    reason = (
        f"{source.title}: unexpected {type(cause).__name__}{place}. "
        "This is a defect of the source's file."
    )
    log.error("%s", reason)
    return reason


def _store(
    source: Source,
    path: Path,
    run_id: str,
    started_at: datetime,
    answer: _Answer,
    pipeline: dlt.Pipeline,
    run: packages.Run,
) -> Fetch:
    frame = answer.postings.frame()
    status: history.Status = "ok"
    if answer.error is not None:
        status = "partial" if len(frame) else "failed"
    new_rows, load_id, oldest_posted_at = 0, None, None
    if len(frame):
        with duckdb.connect(str(path)) as connection:
            known = _first_seen(connection, frame)
            _bring_back_future_loads(connection)
        new_rows = len(frame) - len(known)
        stamped = frame.join(known, on="source_id", how="left", maintain_order="left").with_columns(
            pl.col("first_seen_at").fill_null(started_at),
            last_seen_at=pl.lit(started_at, pl.Datetime("us", "UTC")),
            run_id=pl.lit(run_id),
        )
        oldest_posted_at = _oldest_posted_at(source, stamped)
        try:
            run(pipeline, packages.postings_source(source.name, stamped))
        except Exception as error:
            _note_failed_load(path, source, run_id, started_at)
            if packages.storage_error(error):
                raise
            raise StagingError(
                f"dlt could not load the postings ({type(packages.root_cause(error)).__name__}). "
                "They are kept, and the next run loads them first."
            ) from error
        with duckdb.connect(str(path)) as connection:
            load_id = connection.execute(
                "select max(_dlt_load_id) from staging.postings where last_seen_at = ?",
                [started_at],
            ).fetchall()[0][0]
    return Fetch(
        source.name, run_id, started_at, datetime.now(UTC), status, answer.error,
        rows=len(frame), new_rows=new_rows, oldest_posted_at=oldest_posted_at,
        drift=answer.drift, load_id=load_id,
    )  # fmt: skip


def _oldest_posted_at(source: Source, frame: pl.DataFrame) -> datetime | None:
    posted_at = source.mapping.get("posted_at")
    if posted_at is None:
        return None
    oldest: datetime | None = frame.select(posted_at.min()).item()
    return oldest


def _first_seen(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {
        "source_id": pl.String(),
        "first_seen_at": pl.Datetime("us", "UTC"),
    }
    if not has_postings(connection):
        return pl.DataFrame(schema=schema)
    connection.execute("set TimeZone = 'UTC'")
    connection.register("fetched", frame.select("source_id").to_arrow())
    found = connection.execute(
        "select source_id, min(first_seen_at) as first_seen_at from staging.postings"
        " where source_id in (select source_id from fetched) group by all"
    ).fetchall()
    connection.unregister("fetched")
    return pl.DataFrame(found, schema=schema, orient="row")


def _bring_back_future_loads(connection: duckdb.DuckDBPyConnection) -> None:
    """dlt numbers loads by the clock, and readers ask for later numbers than they have read.
    Where the clock was set back, loads of before must not stand above the coming ones. Their
    numbers vanish, so that who has read up to one of them reads everything again."""
    if has_postings(connection):
        now = {"now": str(time.time())}
        for table, column in (("postings", "_dlt_load_id"), ("_dlt_loads", "load_id")):
            connection.execute(
                f"update staging.{table} set {column} = $now where {column} > $now",  # noqa: S608
                now,
            )


def _note_failed_load(path: Path, source: Source, run_id: str, started_at: datetime) -> None:
    fetch = Fetch(
        source.name, run_id, started_at, datetime.now(UTC), "failed",
        "The postings could not be loaded into staging; the next run tries again.",
    )  # fmt: skip
    try:
        with duckdb.connect(str(path)) as connection:
            history.finish(connection, fetch)
    except duckdb.Error:
        log.exception("%s: the failure could not be noted in staging either", source.name)
