"""JSearch: queries by countries, old and new fields, and a cadence within the free plan."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract.errors import (
    AuthenticationError,
    IncompleteFetchError,
    PlanExhaustedError,
    RateLimitedError,
)
from pipeline.installation.settings import ConfigurationError
from pipeline.simulator.faults import MISSING, html_instead_of_json, rate_limited, server_error
from pipeline.simulator.server import Simulator
from pipeline.sources.jsearch import JSearchSettings
from tests.support.source_fetch import MONTH_MINUTES, fetch, quick, recorded, row
from tests.support.source_postings import jsearch_job


def test_the_default_cadence_stays_within_the_free_plan_with_retries_to_spare() -> None:
    settings = JSearchSettings(_env_file=None)
    assert settings.quota_per_month == 200
    fetches = MONTH_MINUTES / settings.interval_minutes + 1
    assert fetches * settings.pages_per_fetch <= 0.9 * settings.quota_per_month


def test_keys_and_lists_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAPIDAPI_KEY", raising=False)
    assert JSearchSettings.load(_env_file=None).missing_keys == ["RAPIDAPI_KEY"]
    monkeypatch.setenv("RAPIDAPI_KEY", " ")
    assert JSearchSettings.load(_env_file=None).missing_keys == ["RAPIDAPI_KEY"]
    monkeypatch.setenv("RAPIDAPI_KEY", "s3cr3t")
    monkeypatch.setenv("JSEARCH_QUERIES", "go engineer, sre")
    monkeypatch.setenv("JSEARCH_QUOTA_PER_MONTH", "10000")
    settings = JSearchSettings.load(_env_file=None)
    assert settings.missing_keys == []
    assert settings.queries == ["go engineer", "sre"]
    assert settings.quota_per_month == 10_000
    assert "s3cr3t" not in repr(settings)
    monkeypatch.setenv("JSEARCH_PAGES_PER_QUERY", "many")
    with pytest.raises(ConfigurationError, match="JSEARCH_PAGES_PER_QUERY"):
        JSearchSettings.load(_env_file=None)


def test_every_query_is_asked_in_every_country(tmp_path: Path) -> None:
    jobs = [jsearch_job() for _ in range(3)]
    with Simulator() as server:
        server.give("jsearch", jobs[:2])
        server.give("jsearch", jobs[1:], page=2)
        settings = quick(
            "jsearch", server.base_url("jsearch"), queries=["a", "b"], countries=["us", "gb"],
            pages_per_query=2, remote_only=True, employment_types=["FULLTIME", "INTERN"],
        )  # fmt: skip
        found, error = fetch("jsearch", settings, tmp_path)
        assert error is None
        assert found == [job | {"_country": "us"} for job in jobs]
        asked = [(r.query["query"], r.query["country"], r.page) for r in server.requests]
        first = server.requests[0]
    assert asked == [
        (query, country, page) for country in ("us", "gb") for query in "ab" for page in (1, 2)
    ]
    assert (first.path, first.query.get("page")) == ("/jsearch/search-v2", None)
    assert [request.query.get("cursor") for request in server.requests[:2]] == [None, "page-2"]
    assert first.headers["x-rapidapi-key"] == "s3cr3t"
    assert first.headers["x-rapidapi-host"] == "jsearch.p.rapidapi.com"
    assert first.query["work_from_home"] == "true"
    assert first.query["employment_types"] == "FULLTIME,INTERN"


def test_the_older_path_pages_by_number(tmp_path: Path) -> None:
    jobs = [jsearch_job() for _ in range(3)]
    with Simulator() as server:
        server.give("jsearch", jobs[:2])
        server.give("jsearch", jobs[2:], page=2)
        settings = quick(
            "jsearch", server.base_url("jsearch"), path="/search", queries=["a"], pages_per_query=5
        )
        found, error = fetch("jsearch", settings, tmp_path)
        asked = [(request.path, request.query.get("page")) for request in server.requests]
    assert error is None
    assert [job["job_id"] for job in found] == [job["job_id"] for job in jobs]
    assert asked == [("/jsearch/search", page) for page in (None, "2", "3")]


@pytest.mark.parametrize("cursor", [None, "", 7, {}, "page-2"])
def test_a_cursor_that_leads_nowhere_ends_the_search(tmp_path: Path, cursor: object) -> None:
    with Simulator() as server:
        server.give("jsearch", {"status": "OK", "data": {"jobs": [jsearch_job()],
                                                           "cursor": cursor}})  # fmt: skip
        settings = quick("jsearch", server.base_url("jsearch"), queries=["a"], pages_per_query=5)
        found, error = fetch("jsearch", settings, tmp_path)
        assert (len(found), error) == (1, None)
        assert len(server.requests) == (2 if cursor == "page-2" else 1)


def test_a_path_that_is_gone_is_asked_once_an_hour(tmp_path: Path) -> None:
    """What the retirement of an endpoint looks like: 404 to a valid key."""
    with Simulator() as server:
        body = {"message": "Endpoint '/search-v2' does not exist"}
        server.give("jsearch", body, status=404)
        settings = quick("jsearch", server.base_url("jsearch"), queries=["a", "b"])
        _, first = fetch("jsearch", settings, tmp_path)
        _, again = fetch("jsearch", settings, tmp_path)
        assert len(server.requests) == 1
        for error in (first, again):
            assert "has nothing at /search-v2 (HTTP 404: Endpoint '/search-v2' does" in str(error)
            assert "the key is not the reason" in str(error)
            assert "JSEARCH_PATH or JSEARCH_BASE_URL" in str(error)
            assert "It is not asked again before" in str(error)
        moved = settings.model_copy(update={"path": "/search"})
        server.give("jsearch", [jsearch_job()])
        found, error = fetch("jsearch", moved, tmp_path)
    assert (len(found), error) == (1, None)


def test_a_key_that_is_refused_is_asked_once_an_hour(tmp_path: Path) -> None:
    with Simulator() as server:
        body = {"message": "You are not subscribed to this API."}
        server.give("jsearch", body, status=403)
        settings = quick("jsearch", server.base_url("jsearch"))
        _, first = fetch("jsearch", settings, tmp_path)
        _, again = fetch("jsearch", settings, tmp_path)
        assert len(server.requests) == 1
        assert str(first) == str(again)
        assert "refused the key (HTTP 403: You are not subscribed to this API" in str(first)
        assert "Check RAPIDAPI_KEY" in str(first)
        fetch("jsearch", quick("jsearch", server.base_url("jsearch"), RAPIDAPI_KEY="n3w"), tmp_path)
        assert len(server.requests) == 2


def test_a_month_that_is_used_up_is_told_apart_and_not_retried(tmp_path: Path) -> None:
    with Simulator() as server:
        body = {"message": "You have exceeded the MONTHLY quota for Requests on your current plan, "
                "BASIC. Upgrade your plan at https://rapidapi.example/pricing"}  # fmt: skip
        server.give("jsearch", body, status=429)
        settings = quick("jsearch", server.base_url("jsearch"), max_attempts=4)
        _, first = fetch("jsearch", settings, tmp_path)
        _, again = fetch("jsearch", settings, tmp_path)
        assert len(server.requests) == 1
    assert isinstance(first, PlanExhaustedError)
    assert "the requests of the plan are used up (HTTP 429: You have exceeded" in str(first)
    assert "JSEARCH_QUOTA_PER_MONTH" in str(first)
    assert str(again) == str(first)


def test_a_query_that_fails_leaves_the_others(tmp_path: Path) -> None:
    first, last = jsearch_job(), jsearch_job()
    with Simulator() as server:
        server.give("jsearch", [first], query="a")
        server.give("jsearch", b"<html>", query="b")
        server.give("jsearch", [last], query="c")
        settings = quick("jsearch", server.base_url("jsearch"), queries=["a", "b", "c"])
        found, error = fetch("jsearch", settings, tmp_path)
    assert [job["job_id"] for job in found] == [first["job_id"], last["job_id"]]
    assert isinstance(error, IncompleteFetchError)
    assert (
        "1 of 3 searches failed or came up short. 'b' in us (page 1): jsearch answered with HTML"
        in str(error)
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (rate_limited(retry_after=900, times=None), RateLimitedError),
        (html_instead_of_json(None, 401), AuthenticationError),
    ],
)
def test_what_every_query_would_meet_is_asked_once(tmp_path: Path, fault: Any, kind: type) -> None:
    with Simulator() as server:
        server.fault("jsearch", fault)
        found, error = fetch("jsearch", quick("jsearch", server.base_url("jsearch")), tmp_path)
        assert found == []
        assert isinstance(error, kind)
        assert len(server.requests) == 1


def test_when_all_queries_fail_the_reason_is_said_once(tmp_path: Path) -> None:
    with Simulator() as server:
        server.fault("jsearch", server_error(None, 500))
        settings = quick("jsearch", server.base_url("jsearch"), queries=["a", "b"])
        _, error = fetch("jsearch", settings, tmp_path)
        assert len(server.requests) == 4
    assert "2 of 2 searches failed or came up short" in str(error)
    assert str(error).count("HTTP 500") == 1


def test_an_error_document_is_told_in_its_own_words(tmp_path: Path) -> None:
    with Simulator() as server:
        answer = {"status": "ERROR", "error": {"message": "num_pages is too large"}}
        server.give("jsearch", answer)
        settings = quick("jsearch", server.base_url("jsearch"), queries=["a"])
        _, error = fetch("jsearch", settings, tmp_path)
    assert "num_pages is too large" in str(error)


def test_the_recorded_posting_with_the_older_fields_is_mapped() -> None:
    found = row("jsearch", recorded("jsearch_2022.json")["data"][0])
    expected = {
        "source_id": "ZjYFdJ-QsEoAAAAAAAAAAA==",
        "title": "JavaScript Developer ( Corp to Corp",
        "company": "System Canada",
        "location_text": "Irving, TX, US",
        "city": "Irving",
        "region": "TX",
        "country": "US",
        "remote": False,
        "employment_type": "FULLTIME",
        "salary_min": None,
        "salary_currency": None,
        "publisher": "Learn4Good",
        "posted_at": datetime(2023, 7, 11, tzinfo=UTC),
        "expires_at": datetime(2024, 1, 10, tzinfo=UTC),
    }
    assert {name: found[name] for name in expected} == expected
    assert found["apply_url"].startswith("https://www.learn4good.com/")
    assert found["source_url"].startswith("https://www.google.com/")


@pytest.mark.parametrize(
    ("overrides", "column", "expected"),
    [
        ({}, "employment_type", "FULLTIME"),
        ({"job_employment_types": ["FULLTIME", "PARTTIME"]}, "employment_type",
         "FULLTIME, PARTTIME"),
        ({"job_employment_types": []}, "employment_type", "Full-time"),
        ({"job_employment_types": MISSING, "job_employment_type": "Full–time and Part–time"},
         "employment_type", "Full–time and Part–time"),
        ({"job_employment_types": "FULLTIME"}, "employment_type", "Full-time"),
        ({"job_min_salary": "$120,000"}, "salary_min", 120000),
        ({"job_max_salary": "120K - 150K"}, "salary_max", 150000),
        ({"job_min_salary": MISSING, "job_max_salary": None}, "salary_period", None),
        ({"job_salary_period": "HOUR"}, "salary_period", "HOUR"),
        ({"job_is_remote": "true"}, "remote", True),
        ({"job_is_remote": None}, "remote", None),
        ({"job_apply_link": None, "apply_options": [{"apply_link": "https://x.example"}]},
         "apply_url", "https://x.example"),
        ({"job_apply_link": "https://board.example/1", "apply_options": [
            {"apply_link": "https://board.example/1", "is_direct": False},
            {"apply_link": "https://jobs.employer.example/7", "is_direct": True}]},
         "apply_url", "https://jobs.employer.example/7"),
        ({"job_apply_link": "https://jobs.employer.example/9", "job_apply_is_direct": True,
          "apply_options": [{"apply_link": "https://jobs.employer.example/7", "is_direct": True}]},
         "apply_url", "https://jobs.employer.example/9"),
        ({"job_apply_link": "https://a.example", "apply_options": [
            {"apply_link": "https://b.example"}, None, "text", {"apply_link": 3}, {}]},
         "apply_urls", ["https://a.example", "https://b.example", "3"]),
        ({"job_location": "Madrid     •  a través de LinkedIn"}, "location_text", "Madrid"),
        ({"job_location": "La Spezia SP • tramite Indeed"}, "location_text", "La Spezia SP"),
        ({"job_location": "Austin, TX • via LinkedIn"}, "location_text", "Austin, TX"),
        ({"job_location": "Köln • über StepStone", "job_publisher": "StepStone"},
         "location_text", "Köln"),
        ({"job_location": "Oslo • Finn", "job_publisher": "Finn"}, "location_text", "Oslo"),
        ({"job_location": "Berlin • Hamburg"}, "location_text", "Berlin • Hamburg"),
        ({"job_location": "     •  via Jooble", "job_city": None, "job_state": None,
          "job_country": None}, "location_text", None),
        ({"job_country": None, "_country": "es"}, "country", "es"),
        ({"job_salary_currency": MISSING}, "salary_currency", "USD"),
        ({"job_salary_currency": MISSING, "job_country": "GB"}, "salary_currency", "GBP"),
        ({"job_salary_currency": "", "job_country": None, "_country": "es"}, "salary_currency",
         "EUR"),
        ({"job_salary_currency": "$", "job_country": "AU"}, "salary_currency", "AUD"),
        ({"job_salary_currency": "$", "job_country": "DE"}, "salary_currency", None),
        ({"job_salary_currency": "EUR", "job_country": "US"}, "salary_currency", "EUR"),
        ({"job_min_salary": None, "job_max_salary": None, "job_salary": 27,
          "job_salary_period": "HOUR"}, "salary_max", 27),
        ({"job_is_remote": None, "work_arrangement": "remote"}, "remote", True),
        ({"job_is_remote": True, "work_arrangement": "hybrid"}, "remote", False),
        ({"job_is_remote": True, "work_arrangement": "On-site"}, "remote", False),
        ({"job_is_remote": True, "work_arrangement": None}, "remote", True),
        ({"required_technologies": ["Go", "Kafka"], "preferred_technologies": ["Rust"],
          "seniority_level": "senior"}, "tags", ["Go", "Kafka", "Rust", "senior"]),
        ({"job_posted_at": "2 weeks ago"}, "posted_at", datetime(2024, 12, 3, tzinfo=UTC)),
        ({"job_posted_at": "2 weeks ago"}, "posted_at_is_approximate", False),
        ({"job_posted_at": "hace 5 días", "job_posted_at_datetime_utc": None,
          "job_posted_at_timestamp": None}, "posted_at_is_approximate", True),
        ({"job_posted_at": "soon", "job_posted_at_datetime_utc": None,
          "job_posted_at_timestamp": None}, "posted_at_is_approximate", False),
        ({"job_apply_link": "", "apply_options": "none"}, "apply_url", None),
        ({"job_location": MISSING}, "location_text", "Austin, Texas, US"),
        ({"job_location": None, "job_city": None, "job_state": None, "job_country": None},
         "location_text", None),
        ({"job_posted_at_datetime_utc": None}, "posted_at", datetime(2024, 12, 3, tzinfo=UTC)),
        ({"job_title": {"text": "SRE"}}, "title", '{"text":"SRE"}'),
    ],
)  # fmt: skip
def test_newer_and_drifted_postings_are_mapped(
    overrides: dict[str, object], column: str, expected: object
) -> None:
    assert row("jsearch", jsearch_job(**overrides))[column] == expected
