"""The simulated market: the same for the same seed and time, always moving, its truth known."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fields import CATEGORIES
from pipeline.simulator.market import Market

NOON = datetime(2026, 2, 6, 12, tzinfo=UTC)
ID_FIELDS: dict[str, str] = {"remoteok": "id", "jsearch": "job_id", "adzuna": "id"}
MOMENTS = st.datetimes(datetime(2021, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def shown(market: Market, source: str, at: datetime) -> dict[str, dict[str, Any]]:
    return {job[ID_FIELDS[source]]: job for job in market.postings(source, at)}


@settings(max_examples=15)
@given(seed=st.integers(0, 2**40), at=MOMENTS, speed=st.sampled_from([0.5, 1.0, 60.0]))
def test_a_market_is_a_function_of_seed_and_time(seed: int, at: datetime, speed: float) -> None:
    for source in ID_FIELDS:
        first = list(Market(seed, 30, speed).postings(source, at))
        assert first == list(Market(seed, 30, speed).postings(source, at))
        ids = [job[ID_FIELDS[source]] for job in first]
        assert len(ids) == len(set(ids))
        json.dumps(first)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**40), at=MOMENTS)
def test_as_many_openings_as_said_are_open_at_any_time(seed: int, at: datetime) -> None:
    openings = list(Market(seed, 50).openings(at))
    assert len({opening.number for opening in openings}) == 50
    second = (at - datetime(2020, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert all(opening.opened_at <= second < opening.closed_at for opening in openings)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**40), at=MOMENTS)
def test_truth_knows_every_posting_that_is_shown(seed: int, at: datetime) -> None:
    market = Market(seed, 60)
    for source in ID_FIELDS:
        for source_id in shown(market, source, at):
            truth = Market(seed, 60).truth(source, source_id)
            assert truth.listed_from <= at < truth.listed_until
            assert truth.opened_at <= truth.listed_from
            assert truth.hidden is None or not truth.hidden[0] <= at < truth.hidden[1]
            assert truth.category is None or truth.category in CATEGORIES


@pytest.mark.parametrize("source_id", ["", "abc", "-5", "999", "oxHwImbOVyyjEfAiZl3CaA=="])
def test_truth_refuses_what_the_market_does_not_have(source_id: str) -> None:
    for source in ID_FIELDS:
        with pytest.raises(KeyError, match="no posting"):
            Market(seed=3).truth(source, source_id)


def test_another_seed_is_another_market() -> None:
    titles = [[o.full_title for o in Market(seed, 100).openings(NOON)] for seed in (1, 2)]
    assert titles[0] != titles[1]


def test_one_in_a_hundred_openings_comes_and_goes_in_half_an_hour() -> None:
    market = Market()
    before = {opening.number for opening in market.openings(NOON)}
    turnover = []
    for half_hours in range(1, 11):
        after = {o.number for o in market.openings(NOON + timedelta(minutes=30 * half_hours))}
        turnover.append(len(after - before) / market.size)
        before = after
    assert 0.007 < sum(turnover) / len(turnover) < 0.013


def test_speed_makes_the_same_day_eventful_and_leaves_no_date_in_the_future() -> None:
    market = Market(size=300, speed=60)
    before = {opening.number for opening in market.openings(NOON)}
    after = {opening.number for opening in market.openings(NOON + timedelta(minutes=30))}
    assert 0.3 < len(after - before) / market.size < 0.7
    for job in market.postings("remoteok", NOON):
        assert datetime.fromisoformat(job["date"]) <= NOON


def test_since_gives_what_is_new_edited_or_back() -> None:
    market = Market(size=400)
    earlier = NOON - timedelta(hours=4)
    for source in ID_FIELDS:
        old, new = shown(market, source, earlier), shown(market, source, NOON)
        expected = {source_id for source_id, job in new.items() if old.get(source_id) != job}
        told = {job[ID_FIELDS[source]] for job in market.postings(source, NOON, since=earlier)}
        assert expected <= told < new.keys()
        for source_id in told - expected:  # the source does not show what was edited
            assert market.listing(source, source_id).opening.revision


def test_postings_are_edited_reposted_hidden_and_linger() -> None:
    market = Market(size=600)
    old, new = (
        shown(market, "jsearch", NOON - timedelta(hours=6)),
        shown(market, "jsearch", NOON),
    )
    edited = [
        source_id for source_id in old.keys() & new.keys() if old[source_id] != new[source_id]
    ]
    truths = [market.truth("jsearch", source_id) for source_id in new]
    assert edited
    assert any(truth.is_repost for truth in truths)
    assert any(truth.hidden for truth in truths)
    assert any(truth.closed_at <= NOON for truth in truths)
    assert new.keys() - old.keys()


def test_an_opening_is_seen_at_several_sources_in_different_words() -> None:
    market = Market()
    titles: dict[int, set[str]] = {}
    sources: dict[int, set[str]] = {}
    links: dict[int, set[str]] = {}
    for source, title, link in (
        ("remoteok", "position", "apply_url"),
        ("jsearch", "job_title", "job_apply_link"),
        ("adzuna", "title", "redirect_url"),
    ):
        for source_id, job in shown(market, source, NOON).items():
            opening = market.truth(source, source_id).opening
            titles.setdefault(opening, set()).add(job[title])
            sources.setdefault(opening, set()).add(source)
            links.setdefault(opening, set()).add(job[link])
    shared = [opening for opening, where in sources.items() if len(where) > 1]
    assert len(shared) > 300
    assert any(len(titles[opening]) > 1 for opening in shared)
    assert any(len(links[opening]) < len(sources[opening]) for opening in shared)
    assert sum(len(where) == 3 for where in sources.values()) > 10


def test_two_openings_never_share_the_employers_own_page() -> None:
    urls = [opening.ats_url for opening in Market().openings(NOON) if opening.ats_url]
    assert len(urls) > 1000
    assert len(urls) == len(set(urls))


def test_the_market_has_every_category_and_much_that_is_none() -> None:
    categories = Counter(opening.category for opening in Market().openings(NOON))
    assert set(categories) == {*CATEGORIES, None}
    assert min(categories.values()) > 20


def test_texts_have_the_flaws_of_the_real_ones() -> None:
    market = Market()
    remoteok = list(market.postings("remoteok", NOON))
    assert 60 < len(remoteok) < 130
    assert any("â€™" in job["description"] for job in remoteok)
    assert any("&amp;" in job["company"] for job in remoteok)
    assert any(job["position"] != job["position"].strip() or "  " in job["position"]
               for job in remoteok)  # fmt: skip
    assert all("Please mention the word **" in job["description"] for job in remoteok)
    jsearch = list(market.postings("jsearch", NOON))
    lengths = sorted(len(job["job_description"].split()) for job in jsearch)
    assert lengths[0] > 150
    assert 220 < lengths[len(lengths) // 2] < 400
    assert {"job_employment_types" in job for job in jsearch} == {True, False}
    assert {type(job.get("job_min_salary")) for job in jsearch} == {int, str, type(None)}
    adzuna = list(market.postings("adzuna", NOON))
    assert all(len(job["description"]) <= 501 for job in adzuna)
    assert {job["salary_is_predicted"] for job in adzuna} == {"0", "1", 0}
    assert any("display_name" not in job["company"] for job in adzuna)


def test_a_market_of_a_million_gives_its_first_postings_without_building_the_rest() -> None:
    market = Market(size=1_000_000)
    some = list(islice(market.postings("adzuna", NOON), 20))
    assert len({job["id"] for job in some}) == 20
    assert all(market.truth("adzuna", job["id"]).listed_from <= NOON for job in some)


@pytest.mark.parametrize(("size", "speed"), [(0, 1), (10, 0), (10, 1e9)])
def test_a_market_that_cannot_be_is_refused(size: int, speed: float) -> None:
    with pytest.raises(ValueError, match="needs a size"):
        Market(size=size, speed=speed)


def test_a_time_before_the_market_is_refused() -> None:
    with pytest.raises(ValueError, match="begins to move"):
        next(Market().listings("adzuna", datetime(2020, 1, 1, tzinfo=UTC)))
