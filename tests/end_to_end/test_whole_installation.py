"""`job-market demo` as a new user starts it: every process, the schedule, the API, and the end."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from websockets import Origin, Subprotocol
from websockets.sync.client import connect

from tests.end_to_end.installation import PROJECT, wait_for
from tests.support.ports import free_port

RUNS = "{ runsOrError { ... on Runs { results { runId status jobName tags { key value } } } } }"
SCHEDULES = """{ repositoriesOrError { ... on RepositoryConnection { nodes { schedules {
  name cronSchedule scheduleState { status } } } } } }"""


class Demo:
    """The running demo. ``lines`` is what its console showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reading = threading.Lock()
        self.ports = {
            name: free_port() for name in ("API_PORT", "DAGSTER_PORT", "DAGSTER_CODE_PORT")
        }
        self.start()

    def start(self) -> None:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {name: str(port) for name, port in self.ports.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "demo"],
            cwd=self.folder,
            env=kept | own | {"PYTHONPATH": str(PROJECT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        lines = self.lines
        for line in self.process.stderr:
            with self.reading:
                lines.append(line)

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
        data: dict[str, Any] | None = answer.json()["data"]
        if data is None:  # while PostgreSQL is away
            raise LookupError(answer.text)
        return data

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dagster(RUNS)["runsOrError"]["results"]
        return found

    def processes(self) -> dict[str, psutil.Process]:
        """Those that live, by what their command lines hold."""
        found = {}
        supervisor = psutil.Process(self.process.pid)
        for process in supervisor.children(recursive=True):
            command = " ".join(process.cmdline())
            for part in ("code_server", "pipeline webserver", "dagster._daemon", "pipeline serve",
                         "spawn_main"):  # fmt: skip
                if part in command and process.status() != psutil.STATUS_ZOMBIE:
                    found[part] = process
        file = self.folder / "data/demo/postgres/postmaster.pid"
        if file.exists():
            server = psutil.Process(int(file.read_text().splitlines()[0]))
            if server.status() != psutil.STATUS_ZOMBIE:
                found["postgres"] = server
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
        while (first := api.get("/api/jobs").json()).get("total", 0) == 0:
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
        every = api.get("/api/jobs", params={"category": "all", "status": "all"}).json()
        assert every["total"] == run["statistics"]["db"]["total"]


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


@pytest.mark.trial(
    "page",
    "A page elsewhere commands Dagster by an image, a form or a script, or under a rebound name",
)
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


@pytest.mark.trial("key", "The made key is looked for in the logs")
def test_the_key_of_the_api_is_in_no_log(demo: Demo) -> None:
    files = [file for file in (demo.folder / "logs").iterdir() if file.is_file()]
    assert {"api.jsonl", "up.jsonl", "dagster-webserver.jsonl"} <= {file.name for file in files}
    assert not [file.name for file in files if demo.key in file.read_text()]


def eventually(demo: Demo, condition: Callable[[], bool], seconds: float = 240) -> None:
    # A run whose launch was cut off blocks others until Dagster gives it up after two minutes.
    deadline = time.monotonic() + seconds
    while True:
        with suppress(httpx.HTTPError, psutil.Error, OSError, LookupError, ValueError):
            if condition():
                return
        assert time.monotonic() < deadline, "".join(demo.lines[-60:])
        time.sleep(0.3)


def start_run(demo: Demo) -> str:
    """A new run that is in progress. Returns its id."""
    started: list[str] = []

    def start() -> bool:
        answer = httpx.post(
            f"{demo.api}/api/jobs/ingest?wait=false",
            headers={"X-API-Key": demo.key},
            trust_env=False,
            timeout=60,
        )
        started.extend([answer.json()["run_id"]] if answer.status_code == 202 else [])
        return bool(started)

    eventually(demo, start)
    eventually(demo, lambda: status_of(demo, started[0]) == "STARTED")
    return started[0]


def status_of(demo: Demo, run_id: str) -> str:
    return {run["runId"]: run["status"] for run in demo.runs()}[run_id]


ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("pipeline serve", marks=pytest.mark.trial("processes", "The API is killed")),
        pytest.param(
            "pipeline webserver", marks=pytest.mark.trial("processes", "The Dagster UI is killed")
        ),
        pytest.param(
            "dagster._daemon", marks=pytest.mark.trial("processes", "The daemon is killed")
        ),
    ],
)
def test_each_process_comes_back_after_a_kill(demo: Demo, name: str) -> None:
    killed = demo.processes()[name]
    killed.kill()
    eventually(demo, lambda: demo.processes()[name] != killed)
    eventually(demo, lambda: httpx.get(f"{demo.api}/api/ready", trust_env=False).is_success)
    eventually(demo, lambda: demo.runs() is not None)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("postgres", marks=pytest.mark.trial("PostgreSQL", "It is killed in a run")),
        pytest.param(
            "code_server",
            marks=pytest.mark.trial("processes", "The code server is killed in a run"),
        ),
        pytest.param(
            "spawn_main", marks=pytest.mark.trial("runs", "The worker of a run is killed")
        ),
    ],
)
def test_after_a_kill_in_a_run_the_next_run_completes(demo: Demo, name: str) -> None:
    first = start_run(demo)
    killed = demo.processes()[name]
    killed.kill()
    if name != "spawn_main":
        eventually(demo, lambda: demo.processes()[name] != killed)
    eventually(demo, lambda: status_of(demo, first) in ENDED)
    second = start_run(demo)
    eventually(demo, lambda: status_of(demo, second) in ENDED)
    assert status_of(demo, second) == "SUCCESS", "".join(demo.lines[-60:])


@pytest.mark.trial("processes", "The supervisor is killed in a run")
def test_a_killed_supervisor_leaves_nothing_that_the_next_start_does_not_handle(
    demo: Demo,
) -> None:
    start_run(demo)
    left = demo.processes()
    demo.process.kill()
    demo.process.wait()
    assert left["spawn_main"].is_running()
    demo.start()
    # An API that is being ended still answers: the new console tells when the new one does.
    eventually(demo, lambda: bool(demo.key))
    assert demo.processes()["postgres"] == left.pop("postgres"), "it is taken over"
    _, alive = psutil.wait_procs(left.values(), 10)
    assert alive == []
    run = start_run(demo)
    eventually(demo, lambda: status_of(demo, run) == "SUCCESS")


@pytest.mark.trial("processes", "Nobody reads the console, and a run and a restart have to go on")
def test_a_console_that_nobody_reads_stops_nothing(demo: Demo) -> None:
    assert demo.process.stderr is not None
    if sys.platform == "linux":
        fcntl.fcntl(demo.process.stderr, fcntl.F_SETPIPE_SZ, 4_096)
    with demo.reading:
        run = start_run(demo)
        eventually(demo, lambda: status_of(demo, run) == "SUCCESS")
        killed = demo.processes()["pipeline serve"]
        killed.kill()
        eventually(demo, lambda: demo.processes()["pipeline serve"] != killed)
        eventually(demo, lambda: httpx.get(f"{demo.api}/api/health", trust_env=False).is_success)


@pytest.mark.trial("processes", "The installation is started twice")
def test_a_second_start_is_refused(demo: Demo) -> None:
    second = Demo(demo.folder)
    assert second.process.wait(60) == 2
    eventually(demo, lambda: "This installation runs already" in "".join(second.lines), 10)
    assert httpx.get(f"{demo.api}/api/health", trust_env=False).is_success


@pytest.mark.trial("processes", "Ctrl-C")
def test_one_signal_stops_everything(demo: Demo) -> None:
    started = demo.processes()
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0
    assert psutil.wait_procs(started.values(), 5)[1] == []
    for port in demo.ports.values():
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def wait_until_idle(demo: Demo) -> None:
    deadline = time.monotonic() + 120
    while any(run["status"] not in ("SUCCESS", "FAILURE", "CANCELED") for run in demo.runs()):
        assert time.monotonic() < deadline
        time.sleep(0.5)
