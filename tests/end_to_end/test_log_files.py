"""Each process writes a log file of its own, from its first line to its last."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.end_to_end.installation import PROJECT, Installation


def test_an_ingestion_keeps_its_log_file(installation: Installation) -> None:
    installation.ingest(ADZUNA_ENABLED="false", JSEARCH_ENABLED="false")
    logs = {path.name for path in (installation.folder / "logs").iterdir()}
    assert logs == {"ingest.jsonl"}
    lines = (installation.folder / "logs" / "ingest.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert {event["process"] for event in events} == {"ingest"}
    assert any("is disabled" in event["event"] for event in events)


@pytest.mark.parametrize(
    ("module_name", "file"),
    [("__main__", "code-server.jsonl"), ("__mp_main__", "run-worker.jsonl")],
)
def test_a_run_does_not_write_into_the_log_of_the_code_server(
    installation: Installation, module_name: str, file: str
) -> None:
    """The code server runs as ``__main__``; a run that it spawns imports it as ``__mp_main__``."""
    script = (
        "import runpy, sys; sys.argv = ['dagster', '--version'];"
        f"runpy.run_module('pipeline.orchestration.code_server', run_name={module_name!r})"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env=installation.environment | {"PYTHONPATH": str(PROJECT)},
        cwd=installation.folder,
        check=True,
    )
    assert [path.name for path in (installation.folder / "logs").iterdir()] == [file]
