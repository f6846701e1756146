"""When runs start by themselves, whatever becomes of the clock and of the daemon."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import (
    InProcessTestWorkspaceLoadTarget,
    create_test_daemon_workspace_context,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._utils.schedules import schedule_execution_time_iterator

from pipeline.commands.ingest_once import FOREGROUND, STARTED_BY, end_lost_launches
from pipeline.orchestration.schedules import housekeeping_schedule, ingest_schedule


@dg.op
def nothing() -> None: ...


@dg.job
def ingest() -> None:
    nothing()


@dg.repository
def installation() -> list[object]:
    return [ingest, ingest_schedule("ingest", 30, {})]


@dataclass
class Daemon:
    """Dagster's daemon, which looks at the schedule when it is told to and starts no process."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext

    def runs_at(self, at: datetime) -> int:
        """How many runs there are after it has looked at this time."""
        list(launch_scheduled_runs(self.workspace, logging.getLogger("test"), at, {}))
        return self.instance.get_runs_count()

    def end_runs(self) -> None:
        for run in self.instance.get_runs():
            self.instance.report_run_failed(run)


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    coordinator = {"module": "dagster._core.test_utils", "class": "MockedRunCoordinator"}
    origin = LoadableTargetOrigin(python_file=__file__, attribute="installation")
    location = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin))
    with (
        dg.instance_for_test(overrides={"run_coordinator": coordinator}) as instance,
        create_test_daemon_workspace_context(location, instance) as workspace,
    ):
        yield Daemon(instance, workspace)


@pytest.mark.trial("clock", "The daemon was away for many ticks")
def test_missed_ticks_are_one_run(daemon: Daemon) -> None:
    now = datetime.now(UTC)
    assert daemon.runs_at(now) == 0
    assert daemon.runs_at(now + timedelta(hours=7)) == 1
    assert daemon.runs_at(now + timedelta(hours=9)) == 1, "it has not ended"
    daemon.end_runs()
    assert daemon.runs_at(now + timedelta(days=3)) == 2


@pytest.mark.trial("clock", "It is set back after a tick")
def test_a_tick_that_comes_again_starts_nothing(daemon: Daemon) -> None:
    now = datetime.now(UTC)
    assert daemon.runs_at(now) == 0
    assert daemon.runs_at(now + timedelta(hours=5)) == 1
    daemon.end_runs()
    assert daemon.runs_at(now + timedelta(hours=2)) == 1
    assert daemon.runs_at(now + timedelta(hours=5)) == 1
    assert daemon.runs_at(now + timedelta(hours=6)) == 2


@pytest.mark.trial("runs", "The daemon is killed while it launches a run")
def test_the_next_run_does_not_wait_for_a_launch_that_was_cut_off(daemon: Daemon) -> None:
    """As the next start of the daemon ends it."""
    now = datetime.now(UTC)
    daemon.runs_at(now)
    assert daemon.runs_at(now + timedelta(hours=1)) == 1
    (cut_off,) = daemon.instance.get_runs()
    daemon.instance.report_dagster_event(
        DagsterEvent(DagsterEventType.PIPELINE_STARTING.value, cut_off.job_name), cut_off.run_id
    )
    others = [
        daemon.instance.create_run_for_job(ingest, status=status, tags=tags)
        for status, tags in (
            (dg.DagsterRunStatus.NOT_STARTED, {}),
            (dg.DagsterRunStatus.STARTED, {}),
            (dg.DagsterRunStatus.STARTING, {STARTED_BY: FOREGROUND}),
        )
    ]
    assert daemon.runs_at(now + timedelta(hours=2)) == 4
    assert end_lost_launches(daemon.instance) == 1
    statuses = {run.run_id: run.status for run in daemon.instance.get_runs()}
    assert statuses.pop(cut_off.run_id) == dg.DagsterRunStatus.FAILURE
    assert statuses == {other.run_id: other.status for other in others}
    for other in others:
        daemon.instance.delete_run(other.run_id)
    assert daemon.runs_at(now + timedelta(hours=3)) == 2


@pytest.mark.trial("clock", "Summer time begins and ends between ticks")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "schedule",
    [
        *(ingest_schedule("ingest", minutes, {}) for minutes in (30, 120, 1440)),
        housekeeping_schedule,
    ],
    ids=lambda schedule: schedule.cron_schedule,
)
def test_ticks_are_evenly_apart_all_year(
    monkeypatch: pytest.MonkeyPatch, zone: str, schedule: dg.ScheduleDefinition
) -> None:
    """The machine's time zone does not matter: ticks are in UTC."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        times = schedule_execution_time_iterator(
            datetime(2026, 1, 1, tzinfo=UTC).timestamp(),
            schedule.cron_schedule,
            schedule.execution_timezone,
        )
        ticks = [*takewhile(lambda at: at < datetime(2027, 1, 1, tzinfo=UTC), times)]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(ticks) >= 365
    assert len({later.timestamp() - before.timestamp() for before, later in pairwise(ticks)}) == 1
