"""``/api/jobs`` through the front door."""

from __future__ import annotations

import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_posting,
    add_publish,
    add_source,
    coming_version,
    ids,
    remove_job,
)


def test_a_job_is_answered_in_the_documented_shape(
    api: httpx.Client, connection: Connection
) -> None:
    add_job(
        connection,
        "jsearch_abc123",
        title="Senior Backend Engineer",
        company="Initech",
        city="Austin",
        country="US",
        employment_type="FULLTIME",
        skills=["Go"],
        salary_min=Decimal("120000.00"),
        salary_max=Decimal("142766.78"),
        salary_currency="USD",
        salary_period="YEAR",
        apply_url="https://example.com/apply",
        source_url="https://example.com/job",
    )
    assert api.get("/api/jobs").json() | {"attribution": {}} == {
        "total": 1,
        "jobs": [
            {
                "id": "jsearch_abc123",
                "source": "jsearch",
                "sources": ["jsearch"],
                "title": "Senior Backend Engineer",
                "company": "Initech",
                "location": {
                    "city": "Austin",
                    "country": "US",
                    "remote": False,
                    "workplace": None,
                    "remote_eligibility": [],
                },
                "employment_type": "FULLTIME",
                "category": "backend",
                "skills": ["Go"],
                "seniority": None,
                "salary_min": "120000",
                "salary_max": "142766.78",
                "salary_currency": "USD",
                "salary_period": "YEAR",
                "salary_is_predicted": False,
                "salary_kind": None,
                "salary_yearly_min": None,
                "salary_yearly_max": None,
                "apply_url": "https://example.com/apply",
                "source_url": "https://example.com/job",
                "posted_at": "2026-02-06T10:30:00Z",
                "posted_at_is_approximate": False,
                "deadline": None,
                "status": "open",
            }
        ],
        "attribution": {},
        "match": "exact",
        "next": None,
    }


@pytest.mark.parametrize(
    ("stored", "answered"),
    [("120000.00", "120000"), ("42766.78", "42766.78"), ("20.50", "20.5"), ("0.10", "0.1")],
)
def test_salaries_are_exact_text(
    api: httpx.Client, connection: Connection, stored: str, answered: str
) -> None:
    add_job(connection, "a_1", salary_min=Decimal(stored))
    assert api.get("/api/jobs").json()["jobs"][0]["salary_min"] == answered
    assert api.get("/api/jobs/a_1").json()["salary_min"] == answered


def test_the_newest_comes_first_and_the_undated_last(
    api: httpx.Client, connection: Connection
) -> None:
    add_job(connection, "a_undated", posted_at=None)
    add_job(connection, "a_old", posted_at=DAY - timedelta(days=1))
    add_job(connection, "a_twin_2")
    add_job(connection, "a_twin_1")
    assert ids(api.get("/api/jobs")) == ["a_twin_2", "a_twin_1", "a_old", "a_undated"]


def test_pages_are_disjoint_and_complete(api: httpx.Client, connection: Connection) -> None:
    for number in range(7):
        add_job(connection, f"a_{number}")
    pages = [api.get("/api/jobs", params={"limit": 3, "offset": offset}) for offset in (0, 3, 6, 9)]
    assert [page.json()["total"] for page in pages] == [7, 7, 7, 7]
    assert [len(ids(page)) for page in pages] == [3, 3, 1, 0]
    assert sorted(job_id for page in pages for job_id in ids(page)) == [
        f"a_{number}" for number in range(7)
    ]


@pytest.fixture
def varied(connection: Connection) -> None:
    add_job(connection, "a_1", title="Go Developer", company="Initech", country="US", remote=True)
    add_job(connection, "a_2", tags=["kubernetes"], employment_type="CONTRACT", country="DE")
    add_job(connection, "b_1", description="Site reliability on AWS", category="sre")
    add_job(connection, "b_2", sources=["a", "b"], employment_type="FULLTIME", category="cloud")


@pytest.mark.usefixtures("varied")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=developers", ["a_1"]),
        ("search=initech", ["a_1"]),
        ("search=KUBERNETES", ["a_2"]),
        ('search="site reliability"', ["b_1"]),
        ("search=go or aws", ["a_1", "b_1"]),
        ("search=engineer -aws", ["a_2", "b_2"]),
        ("search=the", []),
        ("search=", ["a_1", "a_2", "b_1", "b_2"]),
        ("source=a", ["a_1", "a_2", "b_2"]),
        ("source=b", ["b_1", "b_2"]),
        ("source=a&source=b", ["a_1", "a_2", "b_1", "b_2"]),
        ("source=unknown", []),
        ("employment_type=CONTRACT", ["a_2"]),
        ("employment_type=CONTRACT&employment_type=FULLTIME", ["a_2", "b_2"]),
        ("category=sre&category=cloud", ["b_1", "b_2"]),
        ("country=us", ["a_1"]),
        ("remote_only=true", ["a_1"]),
        ("remote_only=false", ["a_1", "a_2", "b_1", "b_2"]),
        ("source=a&country=DE&search=kubernetes", ["a_2"]),
        ("source=b&country=DE", []),
    ],
)
def test_filters(api: httpx.Client, query: str, found: list[str]) -> None:
    answer = api.get(f"/api/jobs?{query}")
    assert sorted(ids(answer)) == found
    assert answer.json()["total"] == len(found)


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=201", "limit", "less than or equal to 200"),
        ("limit=many", "limit", "integer"),
        ("offset=-1", "offset", "greater than or equal to 0"),
        ("offset=99999999999999999999999", "offset", "follow"),
        ("employment_type=BOSS", "employment_type.0", "FULLTIME"),
        ("country=USA", "country.0", "match"),
        ("search=a%00b", "search", "NUL"),
        ("source=a%00b", "source.0", "NUL"),
        ("search=" + "a" * 10_000, "search", "500"),
        ("serach=go", "serach", "did you mean 'search'?"),
        ("xyz=1", "xyz", "known: search, source, company"),
    ],
)
def test_a_faulty_parameter_is_named(
    api: httpx.Client, query: str, parameter: str, says: str
) -> None:
    answer = api.get(f"/api/jobs?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert error["parameter"] == parameter
    assert says in error["message"]


HOSTILE = [
    "'", '"', '""', "\\", "\\'", "'; drop table jobs; --", "& | ! <-> ( )", "a & | b", "!!!", "-",
    "--a", '"a', "a:*", ":*A", "<->", "%", "%s %(x)s", "\ud7ff", "😀", "日本語", "\u202e", "c++",
    "a" * 500, "é" * 500, '"a b" ' * 80, "-a " * 160, "or " * 160, "\x01\x7f", "½ ﬀ İ", "x'--/*",
]  # fmt: skip


@pytest.mark.usefixtures("varied")
@pytest.mark.parametrize("search", HOSTILE)
@pytest.mark.trial("client", "A search is SQL")
def test_a_hostile_search_is_just_a_search(api: httpx.Client, search: str) -> None:
    assert api.get("/api/jobs", params={"search": search}).status_code == 200


@pytest.mark.usefixtures("varied")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    search=st.text(st.characters(codec="utf-8"), max_size=600),
    name=st.sampled_from(["search", "source"]),
)
def test_no_text_makes_the_api_fail(api: httpx.Client, search: str, name: str) -> None:
    assert api.get("/api/jobs", params={name: search}).status_code in (200, 422)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=60))
def test_no_bytes_make_the_api_fail(api: httpx.Client, raw: bytes) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in raw)
    assert api.get(f"/api/jobs?search={encoded}").status_code in (200, 422)
    assert api.get(f"/api/jobs/x{encoded}").status_code in (404, 422)


def test_a_job_is_read_with_its_postings(api: httpx.Client, connection: Connection) -> None:
    later = DAY + timedelta(hours=2, microseconds=5)
    add_job(connection, "a_1", description="Text", region="Texas", tags=["go"], sources=["a", "b"])
    add_posting(
        connection, "b_7", "a_1", publisher="LinkedIn", apply_url="https://example.com/7",
        first_seen_at=later, last_seen_at=later, merge_evidence="example.com/7",
        status="closed", status_reason="It has expired, at the time that its source had given.",
        closed_at=DAY, repost_of="a_1", merged_version=coming_version(connection),
    )  # fmt: skip
    add_publish(connection, "run-7")
    job = api.get("/api/jobs/a_1").json()
    assert job["description"] == "Text"
    assert job["location"] == {
        "text": None, "city": None, "country": None, "region": "Texas", "cities": [],
        "countries": [], "remote": False, "workplace": None, "remote_eligibility": [],
        "eligible_countries": [],
    }  # fmt: skip
    assert job["tags"] == ["go"]
    assert job["category_reason"] == "title: backend engineer"
    assert job["first_seen_at"] == "2026-02-06T10:30:00Z"
    assert job["last_seen_at"] == "2026-02-06T12:30:00.000005Z"
    assert [posting["id"] for posting in job["postings"]] == ["a_1", "b_7"]
    assert job["postings"][1] == {
        "id": "b_7",
        "source": "b",
        "publisher": "LinkedIn",
        "title": "Backend Engineer",
        "apply_url": "https://example.com/7",
        "source_url": None,
        "posted_at": None,
        "posted_at_is_approximate": False,
        "first_seen_at": "2026-02-06T12:30:00.000005Z",
        "last_seen_at": "2026-02-06T12:30:00.000005Z",
        "merge_rule": "same_apply_url",
        "merge_evidence": "example.com/7",
        "merge_score": None,
        "merged_with": None,
        "merged_in_run": "run-7",
        "status": "closed",
        "status_reason": "It has expired, at the time that its source had given.",
        "closed_at": "2026-02-06T10:30:00Z",
        "repost_of": "a_1",
        "run_id": "run-1",
        "evidence": [],
    }


def test_a_merged_id_answers_with_its_job(api: httpx.Client, connection: Connection) -> None:
    add_job(connection, "a_1")
    add_posting(connection, "b_7", "a_1")
    answer = api.get("/api/jobs/b_7")
    assert answer.json()["id"] == "a_1"
    assert answer.headers["content-location"] == "/api/jobs/a_1"


@pytest.mark.parametrize(
    "job_id", ["jsearch_ZjYFdJ-QsEoAAAAAAAAAAA==", "a_b/c//d", "a_%2F", "a_é ?#&", "a_'\"", "a_.."]
)
def test_an_id_may_hold_any_character(
    api: httpx.Client, connection: Connection, job_id: str
) -> None:
    add_job(connection, job_id)
    answer = api.get("/api/jobs/" + quote(job_id, safe=""))
    assert answer.json()["id"] == job_id
    assert api.get(answer.headers["content-location"]).json()["id"] == job_id


def test_an_unknown_job_is_a_problem(api: httpx.Client) -> None:
    answer = api.get("/api/jobs/a_1%22")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == "/api/jobs/a_1%22"
    assert api.get("/api/jobs/a%00b").status_code == 422


@pytest.mark.trial("runs", "A publish comes between two reads of one answer")
def test_an_answer_never_mixes_two_publishes(
    api: httpx.Client, connection: Connection, database_url: str
) -> None:
    """A writer replaces all jobs at once: the generations differ in size and in title."""
    stop = threading.Event()

    def publish() -> None:
        generation = 0
        with psycopg.connect(database_url) as writer:
            while not stop.is_set():
                generation = generation % 3 + 1
                for number in range(15):
                    remove_job(writer, f"a_{number}")
                for number in range(generation * 5):
                    add_job(writer, f"a_{number}", title=f"Generation {generation}")
                add_publish(writer, f"run-{generation}")
                writer.commit()

    for number in range(5):
        add_job(connection, f"a_{number}", title="Generation 1")
    thread = threading.Thread(target=publish)
    thread.start()
    try:
        seen: set[str] = set()
        attempt, deadline = 0, time.monotonic() + 60
        while attempt < 300 or len(seen) < 3:
            assert time.monotonic() < deadline
            attempt += 1
            answer = api.get("/api/jobs", params={"search": "generation"} if attempt % 2 else {})
            jobs: list[dict[str, Any]] = answer.json()["jobs"]
            (title,) = {job["title"] for job in jobs}
            assert answer.json()["total"] == len(jobs) == int(title.split()[1]) * 5
            seen.add(title)
    finally:
        stop.set()
        thread.join()


def test_the_attribution_of_each_source_is_shown(api: httpx.Client, connection: Connection) -> None:
    add_source(connection, "a")
    add_source(connection, "c")
    add_job(connection, "a_1")
    add_job(connection, "unknown_1")
    assert api.get("/api/jobs").json()["attribution"] == {"a": "Jobs by A"}
    assert api.get("/api/jobs/a_1").json()["attribution"] == {"a": "Jobs by A"}


@pytest.mark.trial("client", "A statement waits for a lock")
def test_a_statement_that_waits_ends_at_the_timeout(start: Start, connection: Connection) -> None:
    add_job(connection, "a_1")
    api = start(publishes=False, api_statement_timeout_ms=100)
    with connection.transaction():
        connection.execute("lock table jobs in access exclusive mode")
        answer = api.get("/api/jobs/a_1")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "took too long" in answer.json()["detail"]


@pytest.mark.parametrize(
    "since", ["2026-03-31", "2026-03-31T10:00:00Z", "2026-03-31T23:30:00-05:00"]
)
def test_a_day_to_apply_is_asked_for_as_it_is_written(
    api: httpx.Client, connection: Connection, since: str
) -> None:
    add_job(connection, "a_1", deadline=date(2026, 3, 31))
    add_job(connection, "a_2", deadline=date(2026, 3, 30))
    add_job(connection, "a_3")
    assert ids(api.get("/api/jobs", params={"deadline_since": since})) == ["a_1"]
