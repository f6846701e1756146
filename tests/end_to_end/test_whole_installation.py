"""`job-market demo` as a new user starts it: every process, the schedule, the API, and the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from installation import PROJECT, wait_for
from websockets import Origin, Subprotocol
from websockets.sync.client import connect

from benchmarks.servers import free_port

RUNS = "{ runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }"
SCHEDULES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules {
  name cronSchedule scheduleState { status } } } } } }"""


class Demo:
    """The running demo. ``lines`` is what its console showed."""

    def __init__(self, folder: Path) -> None:
        self.ports = {
            name: free_port() for name in ("API_PORT", "DAGSTER_PORT", "DAGSTER_CODE_PORT")
        }
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {name: str(port) for name, port in self.ports.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "demo"],
            cwd=folder,
            env=kept | own | {"PYTHONPATH": str(PROJECT), "DAGSTER_HOME": str(PROJECT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.folder = folder
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.lines.extend(self.process.stderr)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.ports['API_PORT']}"

    @property
    def key(self) -> str:
        """The key that the console showed, in a line of its own."""
        (key,) = {line.split()[-1] for line in self.lines if line.startswith("  The API key ")}
        return key

    def dagster(self, query: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.ports['DAGSTER_PORT']}/graphql"
        answer = httpx.post(url, json={"query": query}, trust_env=False, timeout=30)
        data: dict[str, Any] = answer.json()["data"]
        return data

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dagster(RUNS)["runsOrError"]["results"]
        return found


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    running = Demo(tmp_path_factory.mktemp("demo"))
    try:
        yield running
    finally:
        running.process.send_signal(signal.SIGINT)
        running.process.wait(60)


def test_jobs_are_served_and_a_run_can_be_started(demo: Demo) -> None:
    with httpx.Client(base_url=demo.api, timeout=120, trust_env=False) as api:
        wait_for(api, "/api/health", 120)
        deadline = time.monotonic() + 150
        while (first := api.get("/api/jobs").json())["total"] == 0:
            assert time.monotonic() < deadline, "".join(demo.lines[-40:])
            time.sleep(0.5)
        assert first["total"] > 100
        assert {"adzuna", "jsearch", "remoteok"} == set(
            api.get("/api/jobs", params={"limit": 200}).json()["attribution"]
        )

        assert api.post("/api/jobs/ingest?wait=false").status_code == 401
        api.headers["X-API-Key"] = demo.key
        # The schedule may start a run of its own in between.
        while (started := api.post("/api/jobs/ingest?wait=false")).status_code == 409:
            wait_until_idle(demo)
        assert started.status_code == 202, started.text
        second = api.post("/api/jobs/ingest")
        assert second.status_code == 409
        assert second.json()["run_id"] == started.json()["run_id"]
        while (run := api.get(started.headers["Location"]).json())["statistics"] is None:
            assert run["status"] not in ("FAILURE", "CANCELED"), "".join(demo.lines[-40:])
            time.sleep(0.5)
        assert set(run["statistics"]["sources"]) == {"adzuna", "jsearch", "remoteok"}
        assert run["statistics"]["total_jobs"] > 100
        assert started.json()["run_id"] in [run["runId"] for run in demo.runs()]
        wait_until_idle(demo)
        assert api.get("/api/jobs").json()["total"] == run["statistics"]["db"]["total"]


def test_the_schedule_is_on(demo: Demo) -> None:
    nodes = demo.dagster(SCHEDULES)["repositoriesOrError"]["nodes"]
    schedules = {schedule["name"]: schedule for schedule in nodes[0]["schedules"]}
    assert schedules["ingest_schedule"]["cronSchedule"] == "*/30 * * * *"
    assert schedules["ingest_schedule"]["scheduleState"]["status"] == "RUNNING"


def test_one_asset_can_be_materialized_again(demo: Demo) -> None:
    before = httpx.get(f"{demo.api}/api/jobs", trust_env=False).json()["total"]
    mutation = """mutation { launchRun(executionParams: {
      selector: {repositoryLocationName: "job-market", repositoryName: "__repository__",
                 jobName: "ingest", assetSelection: [{path: ["published_jobs"]}]},
      runConfigData: {} }) { __typename ... on LaunchRunSuccess { run { runId } }
      ... on PythonError { message } } }"""
    launched = demo.dagster(mutation)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    wait_until_idle(demo)
    statuses = {run["runId"]: run["status"] for run in demo.runs()}
    assert statuses[launched["run"]["runId"]] == "SUCCESS"
    assert httpx.get(f"{demo.api}/api/jobs", trust_env=False).json()["total"] == before


SHUTDOWN = """mutation { shutdownRepositoryLocation(repositoryLocationName: "job-market") {
  __typename } }"""


def test_no_page_elsewhere_commands_dagster(demo: Demo) -> None:
    ui = f"http://127.0.0.1:{demo.ports['DAGSTER_PORT']}"
    body = json.dumps({"query": SHUTDOWN})
    with httpx.Client(base_url=ui, trust_env=False) as browser:
        # An image, a form, a script, and a page under a name that resolves to this machine.
        assert browser.get("/graphql", params={"query": SHUTDOWN}).status_code == 405
        for content_type in ("text/plain", "application/graphql"):
            headers = {"Content-Type": content_type}
            assert browser.post("/graphql", content=body, headers=headers).status_code == 415
        for foreign in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = browser.post("/graphql", json={"query": SHUTDOWN}, headers=foreign)
            assert answer.status_code == 403
        rebound = {"Host": "rebound.example"}
        assert browser.get("/runs", headers=rebound).status_code == 421
        page = browser.get("/runs")
        assert page.status_code == 200
        policies = page.headers.get_list("content-security-policy")
        assert any("img-src 'self' data: blob:;" in policy for policy in policies)
    assert demo.dagster(SCHEDULES)["repositoriesOrError"]["nodes"], "the code server is there"


def test_the_own_page_follows_a_run(demo: Demo) -> None:
    port = demo.ports["DAGSTER_PORT"]
    run_id = demo.runs()[0]["runId"]
    subscription = f"""subscription {{ pipelineRunLogs(runId: "{run_id}") {{ __typename }} }}"""
    start = {"type": "start", "id": "1", "payload": {"query": subscription}}
    with connect(
        f"ws://127.0.0.1:{port}/graphql", subprotocols=[Subprotocol("graphql-ws")],
        origin=Origin(f"http://127.0.0.1:{port}"), proxy=None,
    ) as socket:  # fmt: skip
        socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(socket.recv(10))["type"] == "connection_ack"
        socket.send(json.dumps(start))
        assert "pipelineRunLogs" in json.loads(socket.recv(30))["payload"]["data"]


def test_the_key_of_the_api_is_in_no_log(demo: Demo) -> None:
    files = [file for file in (demo.folder / "logs").iterdir() if file.is_file()]
    assert {"api.jsonl", "up.jsonl", "dagster-webserver.jsonl"} <= {file.name for file in files}
    assert not [file.name for file in files if demo.key in file.read_text()]


def test_one_signal_stops_everything(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0
    for port in demo.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_idle(demo: Demo) -> None:
    deadline = time.monotonic() + 120
    while any(run["status"] not in ("SUCCESS", "FAILURE", "CANCELED") for run in demo.runs()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
