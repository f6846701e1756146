"""A run that Dagster took for ended, and that is alive; and runs that go on from another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import dagster as dg
from installation import PROJECT, Installation
from source_server import adzuna_job, hang, jsearch_job, remoteok_job

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.run.reconciliation import unaccounted

RUN = """
import dagster as dg
from pipeline.orchestration.definitions import INGEST, definitions
from pipeline.installation.settings import Settings
with dg.DagsterInstance.get() as instance:
    job = definitions(Settings.load()).resolve_job_def(INGEST)
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    failed = [event for event in result.all_events if event.is_step_failure]
    print(result.success, [str(event.step_failure_data.error) for event in failed])
"""
GO_ON = """
import json, sys
import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from pipeline.run import steps
from pipeline.orchestration.definitions import INGEST
job = ReconstructableRepository.for_module(
    "pipeline.orchestration.definitions", "defs"
).get_reconstructable_job(INGEST)
def broken(*_):
    raise dg.Failure("broken", allow_retries=False)
cluster, steps.cluster = steps.cluster, broken
with dg.DagsterInstance.get() as instance:
    failed = dg.execute_job(job, instance)
    steps.cluster = cluster
    options = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
    again = dg.execute_job(job, instance, reexecution_options=options)
    done = [event.step_key for event in again.all_events if event.is_step_success]
print(json.dumps([failed.success, again.success, done]))
"""


def play(installation: Installation, number: int) -> None:
    """Each source shows one job, of its own name and with this number."""
    server = installation.server
    server.answer("remoteok", [remoteok_job(id=str(number), company=f"R{number}")])
    server.answer("jsearch", [jsearch_job(job_id=str(number), employer_name=f"J{number}")])
    server.answer("adzuna", [adzuna_job(id=str(number), company={"display_name": f"Z{number}"})])


def start(installation: Installation, script: str) -> subprocess.Popen[str]:
    """A run in a process of its own, as the code server starts one."""
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(PROJECT), "ADZUNA_TIMEOUT_SECONDS": "30",
                          "ADZUNA_MAX_SECONDS": "60"},
        cwd=installation.folder, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_until_asked(installation: Installation, source: str, times: int) -> None:
    deadline = time.monotonic() + 120
    while len(installation.server.requests_to(source)) < times:  # type: ignore[arg-type]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def published(installation: Installation) -> set[str]:
    return {row[0] for row in installation.query("select posting_id from job_postings")}


def lost() -> list[Any]:
    settings = Settings.load()
    with database.connect(settings) as connection:
        return unaccounted(settings, connection)


def test_a_run_that_was_taken_for_ended_publishes_nothing_and_loses_nothing(
    ingested: Callable[[], dict[str, Any]], installation: Installation
) -> None:
    play(installation, 1)
    ingested()
    asked = len(installation.server.requests_to("adzuna"))
    play(installation, 2)
    installation.server.fault("adzuna", hang(10))
    alive = start(installation, RUN)
    wait_until_asked(installation, "adzuna", asked + 1)
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
        instance.report_run_failed(run, "The process that executed the run is gone.")
    play(installation, 3)
    ingested()
    output, _ = alive.communicate(timeout=120)
    assert output.startswith("False")
    assert "has taken over" in output
    play(installation, 4)
    ingested()
    wanted = {f"{source}_{number}" for source in ("remoteok", "jsearch", "adzuna")
              for number in (1, 3, 4)}  # fmt: skip
    # What the superseded run had loaded by then is published as well.
    assert published(installation) >= wanted | {"adzuna_2"}
    assert lost() == []
    assert (run.run_id,) not in installation.query("select run_id from publishes")


def test_a_second_run_is_refused_though_nothing_queued_it(
    ingested: Callable[[], dict[str, Any]], installation: Installation
) -> None:
    play(installation, 1)
    ingested()
    asked = len(installation.server.requests_to("adzuna"))
    installation.server.fault("adzuna", hang(15))
    first = start(installation, RUN)
    wait_until_asked(installation, "adzuna", asked + 1)
    second = start(installation, RUN)
    output, _ = second.communicate(timeout=120)
    assert output.startswith("False")
    assert "only one runs at a time" in output
    assert len(installation.server.requests_to("adzuna")) == asked + 1
    output, _ = first.communicate(timeout=120)
    assert output == "True []\n"


def test_a_run_goes_on_from_the_step_that_failed(
    ingested: Callable[[], dict[str, Any]], installation: Installation
) -> None:
    play(installation, 1)
    ingested()
    play(installation, 2)
    process = start(installation, GO_ON)
    output, _ = process.communicate(timeout=180)
    failed, again, done = json.loads(output.splitlines()[-1])
    assert (failed, again, done) == (False, True, ["cluster", "published_jobs", "search_index"])
    assert "adzuna_2" in published(installation)
    assert lost() == []
