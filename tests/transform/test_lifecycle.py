"""When a posting counts as closed: by absence from a feed, by expiry or by age."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.jobs import build_jobs
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import CompleteFetch
from tests.transform.relevant_postings import SEEN, postings

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HALF_LIFE, RETENTION = 30 * DAY, 90 * DAY


def policy(as_of: datetime) -> LifecyclePolicy:
    return LifecyclePolicy(as_of, frozenset({"feed"}), HALF_LIFE, RETENTION)


def fetches(*answers: tuple[datetime, datetime | None], source: str = "feed") -> pl.DataFrame:
    return pl.DataFrame(
        [(source, *answer) for answer in answers],
        schema=CompleteFetch.create_empty().schema,
        orient="row",
    )


def members_at(
    as_of: datetime, *rows: dict[str, Any], complete: pl.DataFrame | None = None
) -> pl.DataFrame:
    clustered = deduplicate(with_blocking_keys(postings(*rows)))
    return with_status(clustered, fetches() if complete is None else complete, policy(as_of))


def member(as_of: datetime, row: dict[str, Any], complete: pl.DataFrame | None = None) -> Any:
    return members_at(as_of, row, complete=complete).row(0, named=True)


def job(as_of: datetime, *rows: dict[str, Any], complete: pl.DataFrame | None = None) -> Any:
    jobs = build_jobs(members_at(as_of, *rows, complete=complete), policy(as_of))
    return jobs.row(0, named=True)


FEED = {"source": "feed", "last_seen_at": SEEN}


def test_a_feed_closes_what_two_of_its_answers_lack() -> None:
    first, second = (SEEN + HOUR, None), (SEEN + 2 * HOUR, None)
    shown = member(SEEN + HOUR, FEED, fetches((SEEN, None)))
    assert (shown["status"], shown["closed_at"]) == ("open", None)
    once = member(SEEN + HOUR, FEED, fetches((SEEN, None), first))
    assert (once["status"], once["closed_at"]) == ("likely_closed", None)
    assert once["status_reason"] == (
        "Its source lists all that it has, and on 2026-02-06 11:30 UTC not this."
    )
    twice = member(SEEN + 2 * HOUR, FEED, fetches((SEEN, None), first, second))
    assert (twice["status"], twice["closed_at"]) == ("closed", SEEN + HOUR)
    assert twice["review_at"] is None


def test_what_a_feed_may_have_had_no_room_for_is_not_closed() -> None:
    full = fetches((SEEN + HOUR, SEEN - DAY), (SEEN + 2 * HOUR, SEEN - DAY))
    older = FEED | {"posted_at": SEEN - 2 * DAY}
    newer = FEED | {"posted_at": SEEN - DAY / 2}
    assert member(SEEN + 3 * HOUR, older, full)["status"] == "open"
    assert member(SEEN + 3 * HOUR, newer, full)["status"] == "closed"
    assert member(SEEN + 31 * DAY, older, full)["status"] == "likely_closed"


def test_the_answers_of_another_feed_prove_nothing() -> None:
    other = fetches((SEEN + HOUR, None), (SEEN + 2 * HOUR, None), source="other")
    assert member(SEEN + 3 * HOUR, FEED, other)["status"] == "open"


@pytest.mark.parametrize(
    ("days", "status"),
    [(29, "open"), (30, "likely_closed"), (99, "likely_closed"), (100, "closed")],
)
def test_the_chance_of_what_a_search_does_not_find_halves(days: int, status: str) -> None:
    found = member(SEEN + days * DAY, {"source": "search"})
    assert found["status"] == status
    if status != "open":
        assert "Not being found proves nothing" in found["status_reason"]
    if status == "closed":
        assert found["closed_at"] == pytest.approx(SEEN + 99.66 * DAY, abs=HOUR)


def test_an_old_advert_goes_twice_as_fast() -> None:
    old = {"source": "search", "posted_at": SEEN - 61 * DAY}
    assert member(SEEN + 15 * DAY, old)["status"] == "likely_closed"
    assert member(SEEN + 50 * DAY, old)["status"] == "closed"


def test_the_expiry_date_closes_unless_the_source_shows_it_later() -> None:
    expiring = {"source": "search", "expires_at": SEEN + 3 * DAY}
    assert member(SEEN + 2 * DAY, expiring)["status"] == "open"
    expired = member(SEEN + 3 * DAY, expiring)
    assert (expired["status"], expired["closed_at"]) == ("closed", SEEN + 3 * DAY)
    assert "expired" in expired["status_reason"]
    shown = member(SEEN + 5 * DAY, expiring | {"last_seen_at": SEEN + 4 * DAY})
    assert (shown["status"], shown["closed_at"]) == ("open", None)
    assert shown["status_reason"] == (
        "Its source shows it, although it has expired: the end it gave is 2026-02-09 10:30 UTC."
    )
    assert shown["review_at"] == SEEN + 34 * DAY


def test_an_expiry_that_is_extended_while_it_is_shown_closes_at_the_new_end() -> None:
    extended = {
        "source": "search",
        "last_seen_at": SEEN + 4 * DAY,
        "expires_at": SEEN + 10 * DAY,
    }
    assert member(SEEN + 5 * DAY, extended)["status_reason"] == "Its source shows it."
    closed = member(SEEN + 20 * DAY, extended)
    assert (closed["status"], closed["closed_at"]) == ("closed", SEEN + 10 * DAY)


@pytest.mark.parametrize("hours", [0.5, 1.5])
def test_what_closed_by_expiry_stays_so_when_its_feed_lacks_it(hours: float) -> None:
    expires_at = SEEN + hours * HOUR
    expiring = FEED | {"expires_at": expires_at}
    answers = [(SEEN + HOUR, None), (SEEN + 2 * HOUR, None)]
    for known in range(3):
        found = member(SEEN + max(hours, known) * HOUR, expiring, fetches(*answers[:known]))
        assert (found["closed_at"], "expired" in found["status_reason"]) == (expires_at, True)
    later = FEED | {"expires_at": SEEN + 3 * HOUR}
    found = member(SEEN + 4 * HOUR, later, fetches(*answers))
    assert (found["closed_at"], "expired" in found["status_reason"]) == (SEEN + HOUR, False)


def test_what_is_seen_again_is_open_again() -> None:
    answers = fetches((SEEN + HOUR, None), (SEEN + 2 * HOUR, None), (SEEN + 3 * HOUR, None))
    assert member(SEEN + 3 * HOUR, FEED, answers)["status"] == "closed"
    back = FEED | {"last_seen_at": SEEN + 3 * HOUR}
    assert member(SEEN + 3 * HOUR, back, answers)["status"] == "open"


REQUISITION = {"apply_url": "https://boards.greenhouse.io/acme/jobs/5729825003"}


def test_a_job_is_as_open_as_the_most_open_of_its_postings() -> None:
    answers = fetches((SEEN + HOUR, None), (SEEN + 2 * HOUR, None))
    feed, search = FEED | REQUISITION, {"source": "search"} | REQUISITION
    both = job(SEEN + 3 * HOUR, feed, search, complete=answers)
    assert (both["status"], both["closed_at"], both["posting_count"]) == ("open", None, 2)
    expired = search | {"expires_at": SEEN + DAY}
    closed = job(SEEN + 2 * DAY, feed, expired, complete=answers)
    assert (closed["status"], closed["closed_at"]) == ("closed", SEEN + DAY)
    assert "expired" in closed["status_reason"]


def test_a_job_says_why_it_is_open_although_it_has_expired() -> None:
    outlived = {"source": "search", "expires_at": SEEN - DAY} | REQUISITION
    undated = {"source": "feed"} | REQUISITION
    found = job(SEEN + DAY, outlived, undated)
    assert (found["status"], found["expires_at"]) == ("open", SEEN - DAY)
    assert "although it has expired" in found["status_reason"]
    later = {"source": "another", "expires_at": SEEN + 9 * DAY} | REQUISITION
    found = job(SEEN + DAY, outlived, undated, later)
    assert (found["status_reason"], found["expires_at"]) == (
        "Its source shows it.",
        SEEN + 9 * DAY,
    )


def test_a_closed_job_is_retired_after_the_retention() -> None:
    expiring = {"source": "search", "expires_at": SEEN + DAY}
    closed = job(SEEN + 90 * DAY, expiring)
    assert (closed["is_retired"], closed["review_at"]) == (False, SEEN + 91 * DAY)
    retired = job(SEEN + 91 * DAY, expiring)
    assert (retired["is_retired"], retired["review_at"]) == (True, None)


def test_a_repost_is_known_by_its_predecessor_being_gone() -> None:
    first = {"source": "search", "source_id": "1", "publisher": "Indeed"} | REQUISITION
    seen_again = {"first_seen_at": SEEN + DAY, "last_seen_at": SEEN + DAY}
    again = first | {"source_id": "2"} | seen_again
    found = members_at(SEEN + DAY, first, again)
    assert found["repost_of"].to_list() == [None, "search_1"]
    assert job(SEEN + DAY, first, again)["reposted_at"] == SEEN + DAY
    beside = first | {"last_seen_at": SEEN + DAY}
    assert members_at(SEEN + DAY, beside, again)["repost_of"].to_list() == [None, None]
    elsewhere = again | {"publisher": "LinkedIn"}
    assert members_at(SEEN + DAY, first, elsewhere)["repost_of"].to_list() == [None, None]


moments = st.integers(-100, 200).map(lambda days: SEEN + days * DAY)


@settings(max_examples=50)
@given(
    posted_at=st.none() | moments,
    expires_at=st.none() | moments,
    answers=st.lists(st.tuples(moments, st.none() | moments), max_size=5, unique_by=lambda a: a[0]),
    source=st.sampled_from(["feed", "search"]),
    times=st.lists(st.integers(0, 400), min_size=2, max_size=6),
)
def test_nothing_changes_before_it_is_due(
    posted_at: datetime | None,
    expires_at: datetime | None,
    answers: list[tuple[datetime, datetime | None]],
    source: str,
    times: list[int],
) -> None:
    """What runs rely on: between two of them only what is due by ``review_at`` can differ, a
    closed posting stays so, and ``closed_at`` is never moved."""
    row = {"source": source, "posted_at": posted_at, "expires_at": expires_at}
    earlier: dict[str, Any] | None = None
    for days in sorted(times):
        as_of = SEEN + days * DAY
        complete = fetches(*sorted(answer for answer in answers if answer[0] <= as_of))
        found = member(as_of, row, complete)
        told = [found[name] for name in ("status", "status_reason", "closed_at")]
        assert (found["status"] == "closed") == (found["closed_at"] is not None)
        if earlier is not None:
            before = [earlier[name] for name in ("status", "status_reason", "closed_at")]
            due = earlier["review_at"] is not None and earlier["review_at"] <= as_of
            assert due or told == before
        earlier = found
