"""One ingestion in this process, and what became of the runs of processes that are gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dagster as dg
import psycopg
from dagster import DagsterEvent, DagsterEventType

from pipeline.installation import database
from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.orchestration import IngestFailedError
from pipeline.orchestration.schedules import UNFINISHED
from pipeline.publish.statistics import statistics
from pipeline.sources import SOURCES

STARTED_BY = "job_market/started_by"
FOREGROUND = "foreground"
PROGRESS = "progress"
LOCK = 0x72756E21
"""The advisory lock that a run in the foreground holds as long as its process lives ("run!")."""


def end_lost_runs(instance: dg.DagsterInstance, *, foreground: bool) -> int:
    """Mark runs as failed whose process cannot exist any more, so that they block no other.

    Args:
        foreground: those that this module started; only while holding its lock. Otherwise all
            others; only where the code server, which runs them, is not up yet.
    """
    lost = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED)):
        waits = run.status == dg.DagsterRunStatus.QUEUED
        if (run.tags.get(STARTED_BY) == FOREGROUND) == foreground and not waits:
            instance.report_run_failed(run, "The process that executed the run is gone.")
            lost += 1
    return lost


def end_lost_launches(instance: dg.DagsterInstance) -> int:
    """Mark runs as failed that a daemon was about to launch when it ended; only before the next
    daemon starts. Dagster itself waits two minutes for them, in which no other run starts. A
    worker that the launch did reach does not execute a run that has failed."""
    lost = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTING])):
        if run.tags.get(STARTED_BY) != FOREGROUND:
            instance.report_run_failed(run, "The daemon ended while it launched the run.")
            lost += 1
    return lost


def ingest_once(
    settings: Settings, source: str | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Fetch, transform and publish, as a run that also shows in the Dagster UI.

    Args:
        source: only this source; all by default.
        progress: called with a line for each step.

    Returns:
        The statistics of the run, and as ``problems`` by source why one could not be fetched.

    Raises:
        ConfigurationError: the source is unknown, or another run has not ended.
        IngestFailedError: the run failed.
    """
    if source is not None and source not in SOURCES:
        raise ConfigurationError(
            f"There is no source '{source}'. The sources are: {', '.join(SOURCES)}."
        )
    # Imported here: it loads all of the transform.
    from pipeline.orchestration.definitions import INGEST, definitions

    problems: dict[str, str] = {}
    defs = definitions(settings, {PROGRESS: _progress_logger(progress, problems)})
    with dg.DagsterInstance.get() as instance, _only_one(settings):
        end_lost_runs(instance, foreground=True)
        if unfinished := instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1):
            raise ConfigurationError(
                f"The run {unfinished[0].run_id} has not ended yet. Wait for it; only one runs at "
                "a time."
            )
        selection = None
        if source is not None:
            selected = dg.AssetSelection.assets(f"raw_{source}").downstream()
            selection = list(selected.resolve(defs.resolve_asset_graph()))
        job = defs.resolve_job_def(INGEST)
        result = job.execute_in_process(
            instance=instance,
            asset_selection=selection,
            raise_on_error=False,
            tags={STARTED_BY: FOREGROUND},
            run_config={"loggers": {PROGRESS: {}}},
        )
        if not result.success:
            raise IngestFailedError(_why(result))
        with database.connect(settings) as connection:
            found = statistics(connection, result.run_id)
    if found is None:
        raise IngestFailedError(f"The run {result.run_id} succeeded but published nothing.")
    if source is not None:
        found["sources"] = {source: found["sources"].get(source, 0)}
    return found | {"problems": problems}


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    with database.connect(settings) as connection:
        locked = connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        connection.commit()
        if not locked or not locked[0]:
            raise ConfigurationError(
                "Another process is ingesting at the moment. Wait for it; only one runs at a time."
            )
        try:
            yield
        finally:
            # Where the server went away, the lock went with it.
            with suppress(psycopg.OperationalError):
                connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


class _ProgressHandler(logging.Handler):
    """Reports the events of a run as they are logged."""

    def __init__(self, progress: Callable[[str], None], problems: dict[str, str]) -> None:
        super().__init__()
        self._progress = progress
        self._problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "dagster_event", None)
        if isinstance(event, DagsterEvent):
            _report(event, self._progress, self._problems)


def _progress_logger(
    progress: Callable[[str], None], problems: dict[str, str]
) -> dg.LoggerDefinition:
    def logger(context: dg.InitLoggerContext) -> logging.Logger:
        own = logging.Logger(PROGRESS)
        own.addHandler(_ProgressHandler(progress, problems))
        return own

    return dg.LoggerDefinition(logger, description="Shows progress to who started the run.")


def _report(event: DagsterEvent, progress: Callable[[str], None], problems: dict[str, str]) -> None:
    kind = event.event_type
    if kind == DagsterEventType.STEP_START:
        progress(f"{event.step_key} …")
    elif kind == DagsterEventType.STEP_UP_FOR_RETRY:
        progress(f"{event.step_key}: failed, trying again")
    elif kind == DagsterEventType.STEP_FAILURE:
        progress(f"{event.step_key}: FAILED")
    elif kind == DagsterEventType.ASSET_MATERIALIZATION:
        materialization = event.step_materialization_data.materialization
        metadata = {name: value.value for name, value in materialization.metadata.items()}
        rows = metadata.get("dagster/row_count", metadata.get("rows"))
        status = metadata.get("status", "ok")
        progress(f"{materialization.asset_key.to_user_string()}: {status}, {rows} rows")
        name = materialization.asset_key.path[-1]
        if name.startswith("snapshot_") and status != "ok":
            problems[name.removeprefix("snapshot_")] = str(metadata.get("reason", status))
            progress(f"  {metadata.get('reason')}")


def _why(result: dg.ExecuteInProcessResult) -> str:
    failed = [event for event in result.all_events if event.is_step_failure]
    if not failed:
        return f"The run {result.run_id} failed. The Dagster UI shows why."
    error = failed[0].step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    reason = error.message.strip() if error is not None else "no reason given"
    steps = ", ".join(str(event.step_key) for event in failed)
    return f"The run {result.run_id} failed in: {steps}. {reason}"
