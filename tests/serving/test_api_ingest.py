"""Starting runs: who may, one at a time, and what happens when Dagster fails.

Dagster's faults are played by a real HTTP server that speaks the part of its GraphQL interface
that the API uses; the way through a real Dagster is tested with the orchestration.
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from dagster_server import RUN, DagsterServer
from published_rows import Connection, Start, add_job, add_publish

KEY = "correct horse battery staple"


@pytest.fixture
def api(start: Start, dagster: DagsterServer) -> httpx.Client:
    return start(dagster_url=dagster.url)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    return document


def test_a_run_is_waited_for_and_answers_with_its_statistics(
    api: httpx.Client, dagster: DagsterServer, connection: Connection
) -> None:
    add_publish(connection, RUN, new=85, skipped=42, total=1310)
    timer = threading.Timer(1.2, setattr, (dagster, "status", "SUCCESS"))
    timer.start()
    answer = api.post("/api/jobs/ingest")
    timer.join()
    assert answer.json() == {
        "sources": {"remoteok": 30, "jsearch": 92},
        "db": {
            "new": 85,
            "updated": 0,
            "removed": 0,
            "skipped": 42,
            "irrelevant": 0,
            "closed": 0,
            "reopened": 0,
            "rejected": 0,
            "total": 1310,
        },
        "total_jobs": 122,
        "ran_at": "2026-02-06T10:30:00Z",
        "run_id": RUN,
        "duration_seconds": 4.2,
    }


@pytest.mark.parametrize(
    ("query", "headers"), [("?wait=false", {}), ("", {"Prefer": "respond-async"})]
)
def test_a_run_can_be_left_to_itself(
    api: httpx.Client,
    dagster: DagsterServer,
    connection: Connection,
    query: str,
    headers: dict[str, str],
) -> None:
    answer = api.post(f"/api/jobs/ingest{query}", headers=headers)
    assert answer.status_code == 202
    assert answer.json() == {"run_id": RUN}
    link = answer.headers["location"]
    assert api.get(link).json() == {
        "run_id": RUN,
        "status": "STARTED",
        "failed_steps": [],
        "statistics": None,
    }
    dagster.status = "SUCCESS"
    add_publish(connection, RUN, new=85)
    assert api.get(link).json()["statistics"]["db"]["new"] == 85


def test_only_one_run_starts_over_all_replicas(start: Start, dagster: DagsterServer) -> None:
    replicas = [start(dagster_url=dagster.url) for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda n: replicas[n % 2].post("/api/jobs/ingest?wait=false"), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    assert dagster.runs == [RUN]
    for answer in answers:
        if answer.status_code == 409:
            assert problem(answer, 409)["run_id"] == RUN


def test_a_failed_run_is_reported_with_its_step(api: httpx.Client, dagster: DagsterServer) -> None:
    dagster.status, dagster.failed_steps = "FAILURE", ["published_jobs"]
    answer = problem(api.post("/api/jobs/ingest"), 502)
    assert answer["run_id"] == RUN
    assert answer["failed_steps"] == ["published_jobs"]


def test_a_run_that_published_elsewhere_is_reported(
    api: httpx.Client, dagster: DagsterServer
) -> None:
    dagster.status = "SUCCESS"
    assert "DATABASE_URL" in problem(api.post("/api/jobs/ingest"), 502)["detail"]


def test_an_absent_dagster_is_reported_with_what_to_start(start: Start) -> None:
    answer = start(dagster_url="http://127.0.0.1:9").post("/api/jobs/ingest")
    assert "Start it" in problem(answer, 503)["detail"]
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "{}", '{"data": null}', '{"errors": [1], "data": {"a": 1}}', "null"]
)
def test_another_server_in_dagsters_place_is_reported(
    api: httpx.Client, dagster: DagsterServer, body: str
) -> None:
    dagster.body = body
    assert "DAGSTER_URL" in problem(api.post("/api/jobs/ingest"), 503)["detail"]


def test_a_missing_job_is_reported(api: httpx.Client, dagster: DagsterServer) -> None:
    dagster.jobs = ["other"]
    assert "not loaded the job 'ingest'" in problem(api.post("/api/jobs/ingest"), 503)["detail"]


def test_an_unknown_run_is_a_problem(api: httpx.Client) -> None:
    problem(api.get(f"/api/runs/{RUN}"), 404)
    problem(api.get("/api/runs/17"), 422)


@pytest.mark.parametrize(
    "headers", [{"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}], ids=["header", "bearer"]
)
def test_the_key_is_accepted(start: Start, dagster: DagsterServer, headers: dict[str, str]) -> None:
    api = start(dagster_url=dagster.url, api_key=KEY)
    assert api.post("/api/jobs/ingest?wait=false", headers=headers).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": "clé".encode("latin-1")},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
    ],
    ids=str,
)
def test_another_key_is_refused(start: Start, dagster: DagsterServer, headers: Any) -> None:
    api = start(dagster_url=dagster.url, api_key=KEY)
    for answer in (
        api.post("/api/jobs/ingest", headers=headers),
        api.get(f"/api/runs/{RUN}", headers=headers),
    ):
        assert KEY not in json.dumps(problem(answer, 401))
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert dagster.runs == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "rebound.example"},
        {"Host": "re_bound.example"},
        {"Host": "[::1"},
        {"X-Forwarded-For": "203.0.113.7"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
    ],
    ids=str,
)
def test_without_a_key_strangers_are_refused(
    api: httpx.Client, dagster: DagsterServer, headers: dict[str, str]
) -> None:
    assert "API_KEY" in problem(api.post("/api/jobs/ingest", headers=headers), 403)["detail"]
    assert dagster.runs == []


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_without_a_key_the_own_documentation_may(api: httpx.Client, site: str) -> None:
    origin = str(api.base_url).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": site}
    assert api.post("/api/jobs/ingest?wait=false", headers=headers).status_code == 202


def test_a_client_that_leaves_does_not_end_the_run(
    api: httpx.Client, dagster: DagsterServer, connection: Connection
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        api.post("/api/jobs/ingest", timeout=0.5)
    assert dagster.runs == [RUN]
    assert problem(api.post("/api/jobs/ingest"), 409)["run_id"] == RUN


def test_an_unreachable_database_is_reported_before_a_run_starts(
    start: Start, dagster: DagsterServer
) -> None:
    api = start(dagster_url=dagster.url, database_url="postgresql://u@127.0.0.1:9/none")
    problem(api.post("/api/jobs/ingest"), 503)
    assert dagster.runs == []


def test_whoever_waited_for_a_run_reads_what_it_published(
    api: httpx.Client, dagster: DagsterServer, connection: Connection
) -> None:
    add_publish(connection, "run-1")
    assert [api.get("/api/jobs").json()["total"] for _ in range(2)] == [0, 0]

    def publish() -> None:
        with connection.transaction():
            add_job(connection, "a_1")
            add_publish(connection, RUN)
        dagster.status = "SUCCESS"

    timer = threading.Timer(0.3, publish)
    timer.start()
    assert api.post("/api/jobs/ingest").status_code == 200
    assert api.get("/api/jobs").json()["total"] == 1
    timer.join()
