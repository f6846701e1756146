"""One visit to a source: ask it, and load what it answers into its staging file.

The source's dlt resource runs in a dlt pipeline. Around it, in this order: the lock, what an
earlier run left pending, whether the source is due, the log of fetches, the snapshot.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dlt
import duckdb
from dlt.extract import DltResource
from filelock import FileLock, Timeout

from pipeline.extract.client import Client
from pipeline.extract.errors import FetchError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import Settings, SourceSettings
from pipeline.sources import Source
from pipeline.staging import (
    StagingError,
    dlt_pipeline,
    fetch_log,
    has_postings,
    snapshot_path,
    staging_path,
)
from pipeline.staging.fetch_log import Fetch
from pipeline.staging.rows import Rows
from pipeline.staging.snapshot import publish_snapshot

log = logging.getLogger(__name__)

LOCK_SECONDS = 60.0


def load(
    source: Source,
    source_settings: SourceSettings,
    settings: Settings,
    run_id: str,
    *,
    respect_cadence: bool,
    run: dlt_pipeline.Run = dlt_pipeline.run_directly,
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
        with duckdb.connect(str(path)) as staging:
            staging.execute("set TimeZone = 'UTC'")
            fetch_log.create_tables(staging)
            pipeline = dlt_pipeline.pipeline_of(
                source.name, settings.data_dir.absolute() / "dlt", staging
            )
            pending = dlt_pipeline.make_ready(
                pipeline, interrupted=fetch_log.was_interrupted(staging)
            )
            quota = Quota(source.name, source_settings, settings.data_dir)
            started_at = datetime.now(UTC)
            reason = _skip_reason(source, source_settings, quota, staging, respect_cadence)
            if reason is None:
                fetch_log.begin(staging, run_id, started_at)
                client = Client(source.name, source_settings, quota)
                rows = Rows(source, staging, run_id, started_at)
                resource = source.resource(source_settings, client).add_step(rows)
                _run(run, pipeline, resource, rows)
                fetch = _fetched(rows, client)
            else:
                log.info("%s", reason)
                fetch = Fetch(source.name, run_id, started_at, datetime.now(UTC), "skipped", reason)
            fetch = fetch_log.finish(
                staging, replace(fetch, quota_left=_left(quota), pending=pending)
            )
        publish_snapshot(path, snapshot_path(settings, source.name))
        return fetch


def _fetched(rows: Rows, client: Client) -> Fetch:
    """How the fetch went, once all pages are loaded."""
    reason = None if rows.error is None else failure_in_words(rows.source, rows.error)
    status: fetch_log.Status = "ok"
    if reason is not None:
        status = "partial" if rows.count else "failed"
    return Fetch(
        rows.source.name, rows.run_id, rows.started_at, datetime.now(UTC), status, reason,
        rows=rows.count, new_rows=rows.new, load_id=rows.load_id(), requests=client.requests,
        oldest_posted_at=rows.oldest_posted_at, drift=(*client.drift(), *rows.drift()),
    )  # fmt: skip


def _run(run: dlt_pipeline.Run, pipeline: dlt.Pipeline, resource: DltResource, rows: Rows) -> None:
    _bring_back_future_loads(rows.staging)
    try:
        run(pipeline, dlt_pipeline.source_of(rows.source.name, resource, rows.schema))
    except Exception as error:
        _note_failed_load(rows, kept=pipeline.has_pending_data)
        kept = "They are kept, and the next run loads them first."
        if not pipeline.has_pending_data:
            kept = "The next run asks the source again."
            with suppress(OSError):  # half an extract is of no use to anyone
                pipeline.drop()
        if dlt_pipeline.storage_error(error):
            raise
        cause = type(dlt_pipeline.root_cause(error)).__name__
        raise StagingError(f"dlt could not load the postings ({cause}). {kept}") from error


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
        raise StagingError(f"{source}: {dlt_pipeline.advice(error)}") from error
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
        root = dlt_pipeline.storage_error(error)
        if root is None:
            raise
        raise StagingError(f"{source}: {dlt_pipeline.advice(root)}") from error


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
    asked_at = fetch_log.last_asked_at(connection) if respect_cadence else None
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
    if (disk := dlt_pipeline.storage_error(error)) and getattr(disk, "errno", None) == 28:
        raise error
    # Its message may hold what the source sent or a URL with a key: only type and place are safe.
    cause = dlt_pipeline.root_cause(error)
    frames = traceback.extract_tb(cause.__traceback__)
    place = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    reason = (
        f"{source.title}: unexpected {type(cause).__name__}{place}. "
        "This is a defect of the source's file."
    )
    log.error("%s", reason)
    return reason


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


def _note_failed_load(rows: Rows, *, kept: bool) -> None:
    fetch = Fetch(
        rows.source.name, rows.run_id, rows.started_at, datetime.now(UTC), "failed",
        "The postings could not be loaded into staging; the next run tries again.",
    )  # fmt: skip
    try:
        if kept:
            fetch_log.finish(rows.staging, fetch)
        else:
            fetch_log.note_lost(rows.staging, fetch)
    except duckdb.Error:
        log.exception("%s: the failure could not be noted in staging either", rows.source.name)
