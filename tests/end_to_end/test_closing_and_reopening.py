"""Jobs open, close, reopen, are reposted and go, from what the sources show to the API."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.installation import Installation

Ingested = Callable[[], dict[str, Any]]


def remoteok(number: int, **values: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "position": f"Senior Backend Engineer, Team {number}",
        "company": f"Company {number}",
        "description": f"You build the services of team {number} in Go and PostgreSQL.",
        "date": "2026-02-01T10:00:00+00:00",
        "apply_url": f"https://remoteok.com/remote-jobs/{number}",
        "url": f"https://remoteok.com/remote-jobs/{number}",
        "tags": ["golang"],
    } | values


def jsearch(number: str, **values: Any) -> dict[str, Any]:
    return {
        "job_id": number,
        "job_title": "Site Reliability Engineer",
        "employer_name": "Initech",
        "job_publisher": "Indeed",
        "job_description": "You keep the platform up, on call one week in six. " * 12,
        "job_apply_link": "https://boards.greenhouse.io/initech/jobs/5729825003",
        "job_country": "US",
        "job_city": "Austin",
        "job_posted_at_datetime_utc": "2026-02-01T10:00:00.000Z",
    } | values


@pytest.fixture
def show(installation: Installation) -> Callable[..., None]:
    """Lets the sources show these postings from now on."""

    def _show(
        feed: Sequence[dict[str, Any]] = (), search: Sequence[dict[str, Any]] = (), **how: Any
    ) -> None:
        installation.server.give("remoteok", list(feed), **how)
        installation.server.give("jsearch", list(search))
        installation.server.give("adzuna", [])

    return _show


def statuses(installation: Installation) -> dict[str, str]:
    return dict(installation.query("select job_id, status from jobs order by 1"))


def test_a_feed_closes_what_it_no_longer_shows(
    ingested: Ingested, installation: Installation, show: Callable[..., None]
) -> None:
    feed = [remoteok(number) for number in range(10)]
    show(feed)
    assert ingested()["db"]["new"] == 10

    # Neither an answer that is cut off nor a suspiciously small one proves anything.
    installation.server.give("remoteok", feed[:9], status=500)
    ingested()
    show(feed[:3])
    ingested()
    assert set(statuses(installation).values()) == {"open"}

    show(feed[:9])
    once = ingested()["db"]
    assert (once["updated"], once["closed"]) == (1, 0)
    assert statuses(installation)["remoteok_9"] == "likely_closed"
    twice = ingested()["db"]
    assert (twice["updated"], twice["closed"], twice["total"]) == (1, 1, 10)
    ((status, reason, closed_at, last_seen_at),) = installation.query(
        "select j.status, j.status_reason, j.closed_at, p.last_seen_at"
        " from jobs j join job_postings p using (job_id) where job_id = 'remoteok_9'"
    )
    assert (status, reason[:45]) == ("closed", "Its source lists all that it has, and since 2")
    assert closed_at > last_seen_at
    assert ingested()["db"]["updated"] == 0

    with installation.serving() as api:
        assert api.get("/api/jobs").json()["total"] == 9
        assert api.get("/api/jobs", params={"status": "closed"}).json()["total"] == 1
        assert api.get("/api/jobs/remoteok_9").json()["status"] == "closed"
        changes = api.get("/api/jobs/changes").json()["changes"]
        assert changes[-1]["change"] == "closed"
        assert changes[-1]["id"] == "remoteok_9"

        show(feed)
        again = ingested()["db"]
        assert (again["updated"], again["reopened"], again["new"]) == (1, 1, 0)
        assert api.get("/api/jobs").json()["total"] == 10
    assert set(statuses(installation).values()) == {"open"}
    assert installation.query("select closed_at from jobs where closed_at is not null") == []


@pytest.mark.trial("sources", "A list is cut off where older postings would follow")
def test_what_newer_postings_may_have_pushed_out_stays_open(
    ingested: Ingested, installation: Installation, show: Callable[..., None]
) -> None:
    old = remoteok(1, date="2026-01-01T10:00:00+00:00")
    gone = remoteok(2, date="2026-02-02T10:00:00+00:00")
    full = [remoteok(number) for number in range(100, 200)]
    show([old, gone, *full[:98]])
    ingested()
    show(full)
    ingested()
    ingested()
    found = statuses(installation)
    assert (found["remoteok_1"], found["remoteok_2"]) == ("open", "closed")


def test_a_search_closes_by_expiry_and_age_without_asking(
    ingested: Ingested,
    installation: Installation,
    show: Callable[..., None],
) -> None:
    other = jsearch("b", employer_name="Globex", job_apply_link="https://globex.example/jobs/77421")
    new = 0
    for seconds in (30, 120, 480):
        expires_at = datetime.now(UTC) + timedelta(seconds=seconds)
        expiring = jsearch("a", job_offer_expiration_datetime_utc=expires_at.isoformat())
        show(search=[expiring, other])
        new += ingested()["db"]["new"]
        show()
        unchanged = ingested()["db"]["updated"] == 0
        if datetime.now(UTC) < expires_at:  # else this machine is slow: with more time, again
            break
    assert (new, unchanged) == (2, True)
    time.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()) + 0.1)
    expired = ingested()["db"]
    assert (expired["updated"], expired["closed"]) == (1, 1)
    assert statuses(installation) == {"jsearch_a": "closed", "jsearch_b": "open"}
    assert installation.query(
        "select status_reason, closed_at from jobs where closed_at is not null"
    ) == [("It has expired, at the time that its source had given.", expires_at)]


def test_a_job_goes_after_the_retention_and_is_known_again(
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    installation: Installation,
    show: Callable[..., None],
) -> None:
    monkeypatch.setenv("CLOSED_RETENTION_DAYS", "0")
    ingested: Ingested = request.getfixturevalue("ingested")
    feed = [remoteok(1), remoteok(2), remoteok(3)]
    first_seen = "select first_seen_at from jobs where job_id = 'remoteok_3'"
    show(feed)
    ingested()
    before = installation.query(first_seen)
    show(feed[:2])
    ingested()
    gone = ingested()["db"]
    assert (gone["removed"], gone["total"]) == (1, 2)
    assert statuses(installation).keys() == {"remoteok_1", "remoteok_2"}
    with installation.serving() as api:
        assert api.get("/api/jobs/remoteok_3").status_code == 404
        last = api.get("/api/jobs/changes").json()["changes"][-1]
        assert (last["change"], last["id"]) == ("removed", "remoteok_3")
    assert ingested()["db"]["removed"] == 0
    show(feed)
    assert ingested()["db"]["new"] == 1
    assert installation.query(first_seen) == before
    assert installation.query("select count(*) from removed_jobs") == [(0,)]


def test_a_repost_is_recorded_and_keeps_the_job(
    ingested: Ingested, installation: Installation, show: Callable[..., None]
) -> None:
    show(search=[jsearch("a")])
    ingested()
    ((first_seen_at,),) = installation.query("select first_seen_at from jobs")
    show(search=[jsearch("b")])
    second = ingested()
    assert (second["db"]["new"], second["db"]["updated"]) == (0, 1)
    assert installation.query(
        "select job_id, first_seen_at, reposted_at > first_seen_at, posting_count from jobs"
    ) == [("jsearch_a", first_seen_at, True, 2)]
    with installation.serving() as api:
        answer = api.get("/api/jobs/jsearch_a/postings").json()
    assert [posting["repost_of"] for posting in answer["postings"]] == [None, "jsearch_a"]
    merged = answer["postings"][1]
    assert merged["merge_rule"] == "requisition"
    assert merged["merged_in_run"] == second["run_id"]
