"""The change feed, the statistics and what tells of the operation."""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from serving.models import Changes, Publishes, Sources, Statistics
from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_posting,
    add_publish,
    add_source,
    remove_job,
)

Mirror = dict[str, dict[str, Any]]


def follow(api: httpx.Client, cursor: str | None, limit: int = 2) -> tuple[list[Any], str | None]:
    """All changes after the cursor, and the next one."""
    changes = []
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = api.get("/api/jobs/changes", params=query)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert Changes.model_validate(body, extra="forbid")
        changes += body["changes"]
        cursor = body["next"]
        if not body["more"]:
            return changes, cursor


def test_a_client_follows_the_changes(api: httpx.Client, connection: Connection) -> None:
    for number in range(5):
        add_job(connection, f"a_{number}", description="Text")
    changes, cursor = follow(api, None)
    assert [(c["change"], c["id"]) for c in changes] == [("created", f"a_{n}") for n in range(5)]
    assert changes[0]["job"]["title"] == "Backend Engineer"
    assert changes[0]["description"] == "Text"

    assert follow(api, cursor) == ([], cursor)
    connection.execute("update jobs set title = 'X', changed_version = 2 where job_id = 'a_3'")
    connection.execute(
        "update jobs set status = 'closed', changed_version = 3 where job_id = 'a_1'"
    )
    remove_job(connection, "a_0", removed_version=3, merged_into="a_4")
    add_job(connection, "b_9", created_version=4, changed_version=4)
    changes, cursor = follow(api, cursor)
    assert [(c["version"], c["change"], c["id"]) for c in changes] == [
        (2, "updated", "a_3"),
        (3, "removed", "a_0"),
        (3, "closed", "a_1"),
        (4, "created", "b_9"),
    ]
    assert changes[1]["merged_into"] == "a_4"
    assert changes[1]["job"] is None
    assert changes[2]["job"]["status"] == "closed"


def test_a_job_that_changed_often_is_told_once(api: httpx.Client, connection: Connection) -> None:
    add_job(connection, "a_1", created_version=1, changed_version=7)
    changes, _ = follow(api, None)
    assert [(c["version"], c["change"]) for c in changes] == [(7, "created")]


def test_a_mirror_stays_equal_to_what_is_published(
    api: httpx.Client, connection: Connection
) -> None:
    """A long life of jobs that come, change and go, read in steps that do not fit the publishes."""
    mirror: Mirror = {}
    cursor: str | None = None
    for version in range(1, 40):
        add_job(connection, f"a_{version}", created_version=version, changed_version=version)
        if version % 3 == 0:
            connection.execute(
                "update jobs set title = %s, changed_version = %s where job_id = %s",
                (f"Version {version}", version, f"a_{version // 2}"),
            )
        if version % 5 == 0:
            remove_job(connection, f"a_{version - 3}", removed_version=version)
        add_publish(connection, f"run-{version}")
        if version % 4 == 0:
            changes, cursor = follow(api, cursor, limit=version % 7 + 1)
            for change in changes:
                if change["change"] == "removed":
                    mirror.pop(change["id"], None)
                else:
                    mirror[change["id"]] = change["job"]
    changes, _ = follow(api, cursor, 100)
    mirror |= {c["id"]: c["job"] for c in changes if c["job"]}
    for change in changes:
        if change["change"] == "removed":
            mirror.pop(change["id"], None)
    published = api.get("/api/jobs?limit=200").json()["jobs"]
    assert mirror == {job["id"]: job for job in published}


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwxXQ", "Wy0xLCIiXQ", "é", "A" * 2000])
def test_a_foreign_cursor_is_refused(api: httpx.Client, cursor: str) -> None:
    assert api.get("/api/jobs/changes", params={"cursor": cursor}).status_code == 422


def test_why_postings_are_one_job(api: httpx.Client, connection: Connection) -> None:
    add_job(connection, "a_b/c")
    add_posting(
        connection, "b_7", "a_b/c", merge_rule="similar_text", merge_evidence="0.97 of the words",
        merge_score=0.97, merged_with="a_b/c", run_id="run-9",
        first_seen_at=DAY + timedelta(hours=1),
    )  # fmt: skip
    for path in ("/api/jobs/a_b%2Fc/postings", "/api/jobs/b_7/postings"):
        body = api.get(path).json()
        assert body["job_id"] == "a_b/c"
        first, second = body["postings"]
        assert first["merge_rule"] == "first"
        assert second["merge_score"] == 0.97
        assert second["merged_with"] == "a_b/c"
        assert second["run_id"] == "run-9"
    assert api.get("/api/jobs/none/postings").status_code == 404


def test_statistics_keep_predicted_salaries_apart(
    api: httpx.Client, connection: Connection
) -> None:
    salary = {"salary_currency": "USD", "salary_period": "YEAR"}
    for number in range(1, 5):
        add_job(connection, f"a_{number}", salary_min=Decimal(number * 100_000), **salary)
    add_job(connection, "b_1", salary_min=Decimal(7), salary_is_predicted=True, skills=["Go"],
            sources=["a", "b"], posted_at=DAY - timedelta(days=1), country="DE",
            **salary)  # fmt: skip
    add_job(connection, "b_2", status="closed")
    body = api.get("/api/stats").json()
    assert Statistics.model_validate(body, extra="forbid")
    assert body["total"] == 5
    assert body["by_day"] == [
        {"value": "2026-02-05", "jobs": 1},
        {"value": "2026-02-06", "jobs": 4},
    ]
    assert body["by_source"] == [{"value": "a", "jobs": 5}, {"value": "b", "jobs": 1}]
    assert body["by_country"] == [{"value": None, "jobs": 4}, {"value": "DE", "jobs": 1}]
    assert body["by_skill"] == [{"value": "Go", "jobs": 1}]
    own, predicted = body["salaries"]
    assert (own["jobs"], own["lower_quartile"], own["median"]) == (4, 175_000, 250_000)
    assert (predicted["predicted"], predicted["median"]) == (True, 7)


def test_sources_tell_how_they_are(api: httpx.Client, connection: Connection) -> None:
    add_source(connection, "a", last_fetch_status="ok", last_success_at=DAY, quota_left=180)
    add_source(connection, "b", last_fetch_status="failed", last_fetch_reason="429")
    add_job(connection, "a_1")
    body = api.get("/api/sources").json()
    assert Sources.model_validate(body, extra="forbid")
    first, second = body["sources"]
    assert first["jobs"] == 1
    assert first["quota_left"] == 180
    assert first["age_seconds"] > 0
    assert first["attribution"] == "Jobs by A"
    assert second["last_fetch_reason"] == "429"
    assert second["age_seconds"] is None


def test_runs_are_listed_latest_first(api: httpx.Client, connection: Connection) -> None:
    for number in range(1, 4):
        add_publish(connection, f"run-{number}", new=number)
    body = api.get("/api/runs?limit=2").json()
    assert Publishes.model_validate(body, extra="forbid")
    assert [run["run_id"] for run in body["runs"]] == ["run-3", "run-2"]
    older = api.get("/api/runs?before=2").json()["runs"]
    assert [(run["version"], run["new"]) for run in older] == [(1, 1)]


def test_ready_is_about_the_database(start: Start, api: httpx.Client) -> None:
    assert api.get("/api/ready").json() == {"status": "ready", "last_publish": None}
    away = start(database_url="postgresql://someone@127.0.0.1:9/none").get("/api/ready")
    assert away.status_code == 503
    assert "unreachable" in away.json()["detail"]


def test_ready_waits_for_the_index(start: Start, database_url: str, connection: Connection) -> None:
    add_job(connection, "a_1")
    add_publish(connection, "run-1")

    def ready(api: httpx.Client, status: int) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while (answer := api.get("/api/ready")).status_code != status:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        state: dict[str, Any] = answer.json()
        return state

    with psycopg.connect(database_url) as locking:
        locking.execute("lock table jobs in access exclusive mode")
        api = start(publishes=False)
        assert "being indexed" in ready(api, 503)["detail"]
        assert api.get("/api/health").status_code == 200
        listed = api.get("/api/jobs")
        assert listed.status_code == 503
        assert listed.headers["retry-after"] == "5"
        assert "being indexed" in listed.json()["detail"]
    assert ready(api, 200)["last_publish"]["version"] == 1
