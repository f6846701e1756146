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

from tests.serving.dagster_server import RUN, DagsterServer
from tests.serving.published_rows import Connection, Start, add_job, add_publish

KEY = "correct horse battery staple"


@pytest.fixture
def api(start: Start, dagster: DagsterServer) -> httpx.Client:
    return with_key(start(dagster_url=dagster.url, api_key=KEY))


def with_key(api: httpx.Client) -> httpx.Client:
    api.headers["X-API-Key"] = KEY
    return api


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


@pytest.mark.trial("runs", "Runs are started through several replicas of the API at once")
def test_only_one_run_starts_over_all_replicas(start: Start, dagster: DagsterServer) -> None:
    replicas = [with_key(start(dagster_url=dagster.url, api_key=KEY)) for _ in range(2)]
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


@pytest.mark.trial("processes", "Dagster is down when a run is to be started")
def test_an_absent_dagster_is_reported_with_what_to_start(start: Start) -> None:
    api = with_key(start(dagster_url="http://127.0.0.1:9", api_key=KEY))
    answer = api.post("/api/jobs/ingest")
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
@pytest.mark.trial("key", "A run is to be started with another key")
def test_another_key_is_refused(start: Start, dagster: DagsterServer, headers: Any) -> None:
    api = start(dagster_url=dagster.url, api_key=KEY)
    for answer in (
        api.post("/api/jobs/ingest", headers=headers),
        api.get(f"/api/runs/{RUN}", headers=headers),
    ):
        assert KEY not in json.dumps(problem(answer, 401))
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert dagster.runs == []


ADDRESSES = [
    "X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP",
    "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "Fly-Client-IP",
    "X-Envoy-External-Address", "X-Original-Forwarded-For", "X-ProxyUser-Ip", "Via",
]  # fmt: skip


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Host": "localhost"},
        {"Host": "rebound.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-origin"},
        {"X-Forwarded-Host": "localhost"},
        *({name: "127.0.0.1"} for name in ADDRESSES),
    ],
    ids=str,
)
@pytest.mark.trial("key", "A run is to be started where no key is configured")
def test_without_a_key_configured_nobody_starts_a_run(
    start: Start, dagster: DagsterServer, headers: dict[str, str]
) -> None:
    api = start(dagster_url=dagster.url)
    for answer in (
        api.post("/api/jobs/ingest", headers=headers),
        api.get(f"/api/runs/{RUN}", headers=headers),
    ):
        assert "Set API_KEY" in problem(answer, 403)["detail"]
    assert dagster.runs == []


@pytest.mark.parametrize("name", [*ADDRESSES, "Origin", "Referer", "Host", "X-Forwarded-Host"])
@pytest.mark.trial("key", "A header claims to be of this machine or of a proxy")
def test_no_header_stands_for_the_key(start: Start, dagster: DagsterServer, name: str) -> None:
    api = start(dagster_url=dagster.url, api_key=KEY, trusted_proxies="127.0.0.1")
    for value in ("127.0.0.1", "localhost", str(api.base_url)):
        problem(api.post("/api/jobs/ingest", headers={name: value}), 401)
    assert dagster.runs == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000"])
@pytest.mark.trial("page", "A page of another site starts a run")
def test_a_browser_does_not_send_the_key_for_another_sites_page(start: Start, origin: str) -> None:
    """A header of its own needs a preflight request, and no cookie stands for the key."""
    api = start(api_key=KEY)
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    answer = api.options(
        "/api/jobs/ingest", headers=asked | {"Access-Control-Request-Headers": "x-api-key"}
    )
    assert "access-control-allow-origin" not in answer.headers
    assert "set-cookie" not in api.get("/api/jobs").headers


@pytest.mark.trial("key", "An answer of the API could hold the key of Dagster")
def test_dagsters_key_is_sent_to_dagster_alone(start: Start, dagster: DagsterServer) -> None:
    api = with_key(
        start(dagster_url=dagster.url, api_key=KEY, dagster_key="a key of the Dagster UI")
    )
    answer = api.post("/api/jobs/ingest?wait=false")
    assert answer.status_code == 202
    assert set(dagster.authorizations) == {"Bearer a key of the Dagster UI"}
    assert "Dagster UI" not in answer.text + str(answer.headers)


@pytest.mark.parametrize(("status", "variable"), [(401, "DAGSTER_KEY"), (421, "DAGSTER_URL")])
def test_a_refusal_by_the_guard_of_dagster_is_explained(
    api: httpx.Client, dagster: DagsterServer, status: int, variable: str
) -> None:
    dagster.http_status = status
    assert variable in problem(api.post("/api/jobs/ingest"), 503)["detail"]
    assert dagster.runs == []


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.trial("client", "A client names itself anew with each request")
def test_whoever_names_himself_anew_is_still_one_client(start: Start, name: str) -> None:
    api = start(api_rate_limit="3/hour")
    statuses = [
        api.get("/api/stats", headers={name: f"203.0.113.{number}"}).status_code
        for number in range(5)
    ]
    assert statuses == [200, 200, 200, 429, 429]


def test_a_trusted_proxy_names_the_clients(start: Start) -> None:
    api = start(api_rate_limit="2/hour", trusted_proxies="127.0.0.0/8, 10.1.2.3")

    def ask(addresses: str) -> int:
        return api.get("/api/stats", headers={"X-Forwarded-For": addresses}).status_code

    assert [ask("203.0.113.1") for _ in range(3)] == [200, 200, 429]
    assert ask("203.0.113.2") == 200
    # What the client wrote itself stands before what the nearest trusted proxy added.
    assert ask("198.51.100.7, 203.0.113.1") == 429
    assert ask("198.51.100.8, 203.0.113.1, 10.1.2.3") == 429


@pytest.mark.trial("client", "A client has an IPv6 network of addresses")
def test_the_addresses_of_one_ipv6_network_are_one_client(start: Start) -> None:
    api = start(api_rate_limit="2/hour", trusted_proxies="127.0.0.1")

    def ask(address: str) -> int:
        return api.get("/api/stats", headers={"X-Forwarded-For": address}).status_code

    assert [ask(f"2001:db8:1:2::{number:x}") for number in range(1, 4)] == [200, 200, 429]
    assert ask("2001:db8:1:3::1") == 200
    assert [ask("203.0.113.1"), ask("::ffff:203.0.113.1"), ask("203.0.113.1")] == [200, 200, 429]


def test_a_client_that_leaves_does_not_end_the_run(
    api: httpx.Client, dagster: DagsterServer, connection: Connection
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        api.post("/api/jobs/ingest", timeout=0.5)
    assert dagster.runs == [RUN]
    assert problem(api.post("/api/jobs/ingest"), 409)["run_id"] == RUN


@pytest.mark.trial("PostgreSQL", "It is down when a run is to be started")
def test_an_unreachable_database_is_reported_before_a_run_starts(
    start: Start, dagster: DagsterServer
) -> None:
    unreachable = "postgresql://u@127.0.0.1:9/none"
    api = with_key(start(dagster_url=dagster.url, database_url=unreachable, api_key=KEY))
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
