"""Adzuna: the key travels in the URL, the country in the request, salaries may be estimates."""

from __future__ import annotations

import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.extract.errors import AuthenticationError, FetchError, IncompleteFetchError
from pipeline.installation.settings import ConfigurationError
from pipeline.simulator.faults import MISSING, server_error
from pipeline.simulator.server import Simulator
from pipeline.sources.adzuna import AdzunaSettings
from tests.support.source_fetch import MONTH_MINUTES, as_mapped, fetch, quick, recorded, row
from tests.support.source_postings import adzuna_job


def test_the_default_cadence_stays_within_every_limit_with_retries_to_spare() -> None:
    settings = AdzunaSettings(_env_file=None)
    limits = {
        1: settings.quota_per_minute,
        1440: settings.quota_per_day,
        7 * 1440: settings.quota_per_week,
        MONTH_MINUTES: settings.quota_per_month,
    }
    assert list(limits.values()) == [25, 250, 1_000, 2_500]
    for minutes, limit in limits.items():
        fetches = minutes // settings.interval_minutes + 1
        assert limit is not None
        assert fetches * settings.pages_per_fetch <= 0.9 * limit


def test_missing_keys_and_unknown_countries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ADZUNA_APP_ID", "ADZUNA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert AdzunaSettings.load(_env_file=None).missing_keys == ["ADZUNA_APP_ID", "ADZUNA_API_KEY"]
    monkeypatch.setenv("ADZUNA_APP_ID", "id")
    assert AdzunaSettings.load(_env_file=None).missing_keys == ["ADZUNA_API_KEY"]
    monkeypatch.setenv("ADZUNA_COUNTRIES", "GB, xx")
    with pytest.raises(ConfigurationError, match="ADZUNA_COUNTRIES is not usable: xx is not"):
        AdzunaSettings.load(_env_file=None)
    monkeypatch.setenv("ADZUNA_COUNTRIES", "GB, de")
    assert AdzunaSettings.load(_env_file=None).countries == ["gb", "de"]


def test_the_country_that_was_asked_is_added_to_each_posting(tmp_path: Path) -> None:
    british, american = adzuna_job(), adzuna_job()
    with Simulator() as server:
        server.give("adzuna", [british, None], country="gb")
        server.give("adzuna", [american, british], country="us")
        settings = quick("adzuna", server.base_url("adzuna"))
        found, error = fetch("adzuna", settings, tmp_path)
        (first, _) = server.requests
    assert error is None
    assert found == [british | {"_country": "gb"}, None, american | {"_country": "us"}]
    assert first.query["app_id"] == first.query["app_key"] == "s3cr3t"
    assert first.query["results_per_page"] == "50"
    assert first.query["category"] == "it-jobs"
    assert "what" not in first.query


def test_a_page_with_room_left_is_not_the_last_while_more_are_counted(tmp_path: Path) -> None:
    pages = [[adzuna_job() for _ in range(size)] for size in (49, 50, 21)]
    with Simulator() as server:
        for number, page in enumerate(pages, start=1):
            server.give("adzuna", page, page=number)
        settings = quick("adzuna", server.base_url("adzuna"), countries=["gb"], pages_per_query=10)
        found, error = fetch("adzuna", settings, tmp_path)
        assert (len(found), error) == (120, None)
        assert [request.page for request in server.requests] == [1, 2, 3]


def test_a_sweep_that_came_up_short_says_so(tmp_path: Path) -> None:
    page = {"count": 120, "mean": 1.5, "results": [adzuna_job() for _ in range(50)]}
    with Simulator() as server:
        server.give("adzuna", page)
        settings = quick("adzuna", server.base_url("adzuna"), countries=["gb"], pages_per_query=10)
        found, error = fetch("adzuna", settings, tmp_path)
        assert [request.page for request in server.requests] == [1, 2]
    assert len(found) == 50
    assert "adzuna announced 100 postings on these pages, and they held 50" in str(error)


def test_full_pages_are_followed_up_to_the_configured_number(tmp_path: Path) -> None:
    with Simulator() as server:
        for page in range(1, 6):
            server.give("adzuna", [adzuna_job(), adzuna_job()], page=page)
        settings = quick(
            "adzuna", server.base_url("adzuna"), countries=["gb"], queries=["go", "rust"],
            results_per_page=2, pages_per_query=3,
        )  # fmt: skip
        found, _ = fetch("adzuna", settings, tmp_path)
        asked = [(request.query["what"], request.page) for request in server.requests]
    assert len(found) == 6
    assert asked == [(what, page) for what in ("go", "rust") for page in (1, 2, 3)]


def test_a_country_that_fails_leaves_the_other_and_no_key_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(request: Any) -> Any:
        if request.country == "us":
            return {"exception": "AUTH", "display": "no key s3cr3t <a href='?k=s3cr3t'>here</a>"}
        return [adzuna_job(id="1")]

    with Simulator() as server, caplog.at_level(logging.DEBUG):
        server.give("adzuna", answer, page=1)
        settings = quick("adzuna", server.base_url("adzuna"))
        found, error = fetch("adzuna", settings, tmp_path)
    assert [posting["id"] for posting in found] == ["1"]
    assert isinstance(error, IncompleteFetchError)
    assert "in us (page 1): adzuna answered without a list of jobs" in str(error)
    assert "no key *** here" in str(error)
    told = "".join(traceback.format_exception(error)) + caplog.text
    assert "s3cr3t" not in told


def test_a_refused_key_names_the_variables(tmp_path: Path) -> None:
    with Simulator() as server:
        server.fault("adzuna", server_error(None, 401))
        _, error = fetch("adzuna", quick("adzuna", server.base_url("adzuna")), tmp_path)
    assert isinstance(error, AuthenticationError)
    assert "Check ADZUNA_APP_ID and ADZUNA_API_KEY" in str(error)


def test_a_page_that_fails_keeps_those_before_it(tmp_path: Path) -> None:
    job = adzuna_job()
    with Simulator() as server:
        server.give("adzuna", [job])
        server.give("adzuna", [adzuna_job()], page=2)
        server.fault("adzuna", server_error(None), page=2)
        settings = quick("adzuna", server.base_url("adzuna"), countries=["gb"], results_per_page=1)
        found, error = fetch("adzuna", settings, tmp_path)
    assert found == [job | {"_country": "gb"}]
    assert isinstance(error, FetchError)
    assert "(page 2): adzuna is not available (HTTP 503)" in str(error)


def test_all_recorded_postings_are_mapped() -> None:
    results = recorded("adzuna_gb_2022-06.json")["results"]
    frame = as_mapped("adzuna", [{**posting, "_country": "gb"} for posting in results])
    assert len(frame) == 10
    for name in ("title", "company", "description", "location_text", "posted_at", "apply_url"):
        assert frame[name].null_count() == 0, name
    assert frame["description_is_snippet"].all()
    assert frame["salary_is_predicted"].all()
    assert set(frame["country"]) == {"GB"}
    assert set(frame["salary_currency"]) == {"GBP"}
    first = frame.row(0, named=True)
    assert first["company"] == "Amazon UK Services Ltd."
    assert (first["city"], first["region"]) == ("Coventry", "West Midlands")
    assert first["employment_type"] == "full_time"
    assert first["salary_min"] == first["salary_max"] == 42766.78
    assert first["posted_at"] == datetime(2022, 6, 7, 4, 14, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("overrides", "column", "expected"),
    [
        ({"contract_type": "contract"}, "employment_type", "contract"),
        ({"contract_time": "part_time"}, "employment_type", "part_time"),
        ({"contract_time": MISSING}, "employment_type", "permanent"),
        ({"contract_time": "", "contract_type": MISSING}, "employment_type", None),
        ({"salary_is_predicted": 1}, "salary_is_predicted", True),
        ({"salary_is_predicted": "1"}, "salary_is_predicted", True),
        ({"salary_is_predicted": 0}, "salary_is_predicted", False),
        ({"salary_is_predicted": True}, "salary_is_predicted", True),
        ({"salary_is_predicted": MISSING}, "salary_is_predicted", False),
        ({"salary_min": "65,000"}, "salary_min", 65000),
        ({"salary_min": MISSING, "salary_max": MISSING}, "salary_currency", None),
        ({"company": MISSING}, "company", None),
        ({"company": {"__CLASS__": "x"}}, "company", None),
        ({"company": "Initech"}, "company", None),
        ({"location": {"display_name": "UK", "area": ["UK"]}}, "city", None),
        ({"location": {"area": ["UK", "London"]}}, "region", "London"),
        ({"location": []}, "location_text", None),
        ({"description": "Short and whole."}, "description_is_snippet", False),
        ({"title": "<strong>Go</strong> developer"}, "title", "<strong>Go</strong> developer"),
        ({"_country": MISSING}, "country", None),
        *(({"_country": country}, "salary_currency", currency) for country, currency in
          (("us", "USD"), ("de", "EUR"), ("in", "INR"), ("sg", "SGD"))),
        ({"salary_is_predicted": "1", "salary_max": MISSING}, "salary_max", 65000),
        ({"salary_max": MISSING}, "salary_max", None),
        ({"redirect_url": "https://www.adzuna.co.uk/jobs/land/ad/42?se=s3ss10n&v=58EB"},
         "apply_url", "https://www.adzuna.co.uk/jobs/details/42"),
        ({"redirect_url": "https://www.adzuna.com/details/42?utm_medium=api&utm_source=4pp1d"},
         "source_url", "https://www.adzuna.com/details/42"),
        ({"redirect_url": "https://employer.example/jobs?id=42"}, "apply_url",
         "https://employer.example/jobs?id=42"),
        *(({"location": {"area": area}, "_country": country}, "city", city)
          for country, area, city in (
            ("gb", ["UK", "London", "Central London", "Charing Cross"], "London"),
            ("gb", ["UK", "London"], "London"),
            ("gb", ["UK", "London", "South West London", "Richmond"], "London"),
            ("gb", ["UK", "Yorkshire And The Humber", "West Yorkshire", "Leeds"], "Leeds"),
            ("gb", ["UK", "North West England", "Greater Manchester", "Stockport", "Disley",
                    "Newtown"], "Stockport"),
            ("gb", ["UK", "East Midlands", "Northamptonshire"], None),
            ("us", ["US", "New York", "New York City", "Manhattan"], "New York"),
            ("us", ["US", "New York", "Albany County", "Albany"], "Albany"),
            ("us", ["US", "Texas", "Travis County"], None),
            ("us", ["US", "Texas"], None),
            ("us", ["US", "Washington, D.C."], "Washington"),
            ("us", ["US", "Missouri", "Saint Louis County", "Kinloch"], "Kinloch"),
            ("ca", ["Canada", "Ontario", "Toronto", "City of Toronto", "CN Tower"], "Toronto"),
            ("fr", ["France", "Ile-de-France", "Hauts-de-Seine", "Antony", "Sceaux"], "Antony"),
            ("es", ["España", "Comunidad de Madrid", "Madrid", "Madrid"], "Madrid"),
            ("de", ["Deutschland", "Berlin", "Mitte"], "Berlin"),
            ("br", ["Brasil", "São Paulo", "Campinas"], "Campinas"),
            ("in", ["India", "Delhi"], "Delhi"),
            ("in", ["India", "Maharashtra", "Mumbai"], "Mumbai"),
            ("gb", ["UK", None, 7, {}], None),
            ("gb", "London", None),
            ("gb", None, None),
        )),
    ],
)  # fmt: skip
def test_drifted_postings_are_mapped_as_far_as_they_go(
    overrides: dict[str, object], column: str, expected: object
) -> None:
    assert row("adzuna", adzuna_job(**({"_country": "gb"} | overrides)))[column] == expected
