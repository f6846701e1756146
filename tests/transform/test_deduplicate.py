"""Which postings become one job, which never do, and what the result depends on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.sources import SOURCES
from pipeline.transform.deduplication.blocking import Override, with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.schema import RelevantPosting
from pipeline.transform.understanding.understand import understand
from tests.support.source_fetch import PAYLOADS, as_mapped
from tests.transform.relevant_postings import SEEN, postings

BODY = " ".join(f"We build service {n} with team {n * 7 % 31} for customer {n}." for n in range(40))
OTHER_BODY = " ".join(
    f"You own cluster {n} and rota {n * 3 % 17} in region {n}." for n in range(40)
)
LEVER = "https://jobs.lever.co/acme/a102c558-c365-48cf-b1ae-76603750000"


def jobs_of(*rows: dict[str, Any], overrides: pl.DataFrame | None = None) -> list[set[int]]:
    """The rows' numbers, by job."""
    frame = postings(*rows)
    members = deduplicate(with_blocking_keys(frame, overrides), overrides)
    job_of = dict(members.select("posting_id", "job_id").iter_rows())
    jobs: dict[str, set[int]] = {}
    for number, posting_id in enumerate(frame["posting_id"]):
        jobs.setdefault(job_of[posting_id], set()).add(number)
    return list(jobs.values())


def decided(action: str, *pairs: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame(
        [(f"source{a}_{a}", f"source{b}_{b}", action) for a, b in pairs],
        schema=Override.column_names(),
        orient="row",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"company": "Acme Inc."}, {"company": "ACME"}),
        ({"company": "Amazon UK Services Ltd."}, {"company": "Amazon.com, Inc."}),
        ({"company": "CI&amp;T"}, {"company": "CI and T"}),
        ({"company": "Société Générale S.A."}, {"company": "Societe Generale"}),
        ({"title": "Sr. Backend Engineer"}, {"title": "Senior Back-End Engineer (m/f/d)"}),
        ({"title": "SWE (Payments)"}, {"title": "Software Engineer, Payments - Berlin"}),
        ({"city": "München", "country": "DE"}, {"city": "Munich", "country": "DE"}),
        ({"title": "Backend Intern"}, {"title": "Summer 2026 - Backend Internship"}),
        ({"title": "Java Spring Developer"}, {"title": "Java Spring Developer, 2026"}),
        ({"title": "SWE, University Graduate"}, {"title": "New Grad Software Engineer - 17784"}),
        ({"city": None, "country": "US"}, {"city": None, "country": "US", "remote": True}),
        ({"title": "SENIOR SRE (M/F/D)"}, {"title": "Senior SRE"}),
        ({"title": "Développeur Backend (H/F)"}, {"title": "Developpeur backend H/F"}),
        ({"title": "SRE - R0012345"}, {"title": "SRE"}),
        ({"title": "R0012345 SRE"}, {"title": "SRE (Req #12345)"}),
        ({"company": "Acme GmbH & Co. KG"}, {"company": "Acme"}),
        ({"company": "Acme Sp. z o.o."}, {"company": "Acme"}),
        ({"company": "Acme S.A. de C.V."}, {"company": "Acme"}),
        ({"company": "Acme (Pty) Ltd"}, {"company": "Acme Pty Ltd."}),
        ({"company": "Acme A/S"}, {"company": "Acme K.K."}),
        ({"company": "株式会社アクメ"}, {"company": "アクメ"}),
        ({"company": "北方软件有限公司"}, {"company": "北方软件"}),
        ({"company": "UAB Acme"}, {"company": "Acme OÜ"}),
        ({"company": "PT Acme Tbk"}, {"company": "Acme EIRELI"}),
        ({"company": "Acme™ | Careers"}, {"company": "Acme, Inc. - Remote"}),
        ({"company": "Acme (YC W21)"}, {"company": "Acme d.o.o."}),
        (
            {"city": "Austin", "region": "Texas", "country": "US"},
            {"city": "Austin", "country": "US"},
        ),
    ],
)
def test_wordings_of_one_opening_are_merged(one: dict[str, Any], other: dict[str, Any]) -> None:
    place = {"city": "Berlin", "country": "DE"}
    assert jobs_of(place | one, place | other) == [{0, 1}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"apply_url": LEVER + "1"}, {"apply_url": LEVER + "2"}),
        ({"title": "Senior Backend Engineer"}, {"title": "Backend Engineer"}),
        ({"title": "Senior Backend Engineer"}, {"title": "Staff Backend Engineer"}),
        ({"title": "Backend Engineer I"}, {"title": "Backend Engineer II"}),
        ({"title": "Backend Engineer - Grad 2025"}, {"title": "2026 Grad Backend Engineer"}),
        ({"title": "Backend Intern - Fall 2026"}, {"title": "Backend Intern - Summer 2026"}),
        ({"title": "Backend Engineer Co-op"}, {"title": "Backend Engineer Intern"}),
        ({"title": "New Grad Backend Engineer"}, {"title": "Junior Backend Engineer"}),
        ({"city": "Portland", "region": "Oregon", "country": "US"},
         {"city": "Portland", "region": "Maine", "country": "US"}),
        ({"city": None, "region": "Maryland", "country": "US"},
         {"city": "Herndon", "region": "Virginia", "country": "US"}),
        ({"country": "US", "city": None, "remote": True},
         {"country": "CA", "city": None, "remote": True}),
        ({"city": "Munich"}, {"city": "Berlin"}),
        ({"title": "SWE (Infrastructure)"}, {"title": "SWE (Authentication)"}),
        ({"company": "Other"}, {"company": "Acme"}),
        ({"company": "Acme Robotics"}, {"company": "Acme"}),
        ({"title": "SRE (Req #1311)"}, {"title": "SRE (Req #1312)"}),
        ({"title": "SRE JR25919"}, {"title": "SRE JR25853"}),
        ({"title": "SRE - Job ID 20481"}, {"title": "SRE - Job ID 20377"}),
        ({"title": "SRE, Kennziffer 12/24"}, {"title": "SRE, Kennziffer 13/24"}),
        ({"title": "SRE - 20481"}, {"title": "SRE [20377]"}),
        ({"title": "SRE (R0012345)"},
         {"title": "SRE", "apply_url": "https://acme.wd1.myworkdayjobs.com/x/job/Berlin/SRE_R0012399"}),
        ({"description": BODY}, {"description": OTHER_BODY}),
        ({"city": None, "remote": True}, {"city": "Berlin", "remote": False}),
    ],
)  # fmt: skip
def test_two_openings_stay_two(one: dict[str, Any], other: dict[str, Any]) -> None:
    place = {"city": "Berlin", "country": "DE"}
    assert jobs_of(place | one, place | other) == [{0}, {1}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"title": "Senior Engineer"}, {"title": "Junior Engineer"}),
        ({"country": "US"}, {"country": "CA"}),
        ({"title": "SWE (Infrastructure)"}, {"title": "SWE (Authentication)"}),
    ],
)
@pytest.mark.parametrize(
    "evidence", [{"apply_url": LEVER + "1"}, {"description": BODY, "apply_url": None}]
)
def test_no_evidence_overrides_what_must_stay_apart(
    one: dict[str, Any], other: dict[str, Any], evidence: dict[str, Any]
) -> None:
    assert jobs_of(one | evidence, other | evidence) == [{0}, {1}]
    # Nor does a third posting that contradicts neither.
    third = {"title": one.get("title", "Backend Engineer").split("(")[0]} | evidence
    assert {0, 2} not in jobs_of(one | evidence, third, other | evidence)
    assert len(jobs_of(one | evidence, third, other | evidence)) == 2


def test_one_requisition_is_one_opening_whatever_its_cities_are() -> None:
    assert jobs_of(
        {"city": "Berlin", "apply_url": LEVER + "1"},
        {"city": "Munich", "apply_url": LEVER + "1/apply?lever-source=x", "title": "Developer"},
    ) == [{0, 1}]


def test_two_numbers_in_titles_are_two_openings_whatever_else_is_equal() -> None:
    same = {"city": "Berlin", "apply_url": LEVER + "1", "description": BODY}
    one, other = same | {"title": "SRE (Req 1311)"}, same | {"title": "SRE (Req 1312)"}
    assert jobs_of(one, other) == [{0}, {1}]
    assert sorted(map(len, jobs_of(one, same | {"title": "SRE"}, other))) == [1, 2]


def test_a_number_tells_which_of_two_openings_is_meant() -> None:
    a, b = {"source": "a", "city": "Berlin"}, {"source": "b", "city": "Berlin"}
    this, next_ = {"title": "SRE - R0012345"}, {"title": "SRE - R0012346"}
    assert jobs_of(a | this, a | next_, b | next_) == [{0}, {1, 2}]
    assert jobs_of(a | this, a | next_, b | {"title": "SRE"}) == [{0}, {1}, {2}]
    vague = b | next_ | {"city": None, "country": "DE"}
    a = a | {"country": "DE"}
    assert jobs_of(a | this, a | next_, vague) == [{0}, {1, 2}]


SHARED = "https://career5.successfactors.eu/career?company={}&career_job_req_id=27372"


@pytest.mark.parametrize(
    "url",
    [
        "https://boards.greenhouse.io/acme/jobs/5729825003",
        "https://www.linkedin.com/jobs/view/3812345678",
        "https://board.example/jobs/12345",
        "https://career5.successfactors.eu/career?career_job_req_id=27372",
        "https://acme.com/careers#/jobs/77",
    ],
)
def test_an_address_joins_two_companies_only_with_more_evidence(url: str) -> None:
    one = {"company": "Metaphor", "apply_url": url, "city": "Berlin", "title": "SRE (Storage)"}
    other = {"company": "Facepage", "apply_url": url, "city": "Berlin"}
    assert jobs_of(one, other | {"title": "Cloud Engineer"}) == [{0}, {1}]
    assert jobs_of(one, other | {"title": "SRE (Storage)"}) == [{0, 1}]
    text = {"description": BODY}
    assert jobs_of(one | text, other | text | {"title": "Reliability of storage"}) == [{0, 1}]
    contradicting = one | {"company": "Facepage", "description": OTHER_BODY}
    assert jobs_of(one | text, contradicting) == [{0}, {1}]
    # Neither does a posting in between that names no company.
    nobody = one | {"company": None, "title": "Cloud Engineer"}
    third = other | {"title": "Cloud Engineer"}
    assert not any({1, 2} <= job for job in jobs_of(nobody, one, third))


def test_at_a_page_of_two_companies_another_place_is_another_opening() -> None:
    one = {"company": "Acme", "apply_url": "https://board.example/jobs/12345", "city": "Berlin"}
    assert jobs_of(one, one | {"company": "Other", "city": "Munich"}) == [{0}, {1}]
    assert jobs_of(one, one | {"company": "Other", "city": None}) == [{0, 1}]
    assert jobs_of(one, one | {"company": "Acme Labs", "city": "Munich"}) == [{0, 1}]
    words = one | {"apply_url": "https://board.example/senior-backend-engineer-in-berlin"}
    assert jobs_of(words, words | {"company": "Other"}) == [{0}, {1}]


def test_one_number_of_two_employers_at_a_shared_host_is_two_openings() -> None:
    one, other = (
        {"company": company, "city": "Austin", "apply_url": SHARED.format(company)}
        for company in ("alder", "birch")
    )
    assert jobs_of(one, other) == [{0}, {1}]
    assert jobs_of(one, one | {"title": "Cloud Engineer", "city": None}) == [{0, 1}]


def test_a_list_of_jobs_is_no_evidence_for_one_title_of_two_companies() -> None:
    listed = {"apply_url": "https://remoteok.com/remote-jobs/", "remote": True}
    assert jobs_of(listed, listed | {"company": "Other"}) == [{0}, {1}]


def test_each_address_that_an_advert_can_be_applied_at_is_evidence() -> None:
    board = "https://www.linkedin.com/jobs/view/engineer-3812345678"
    aggregated = {"company": "Optio Labs", "title": "Backend Engineer II", "apply_url": board,
                  "apply_urls": [board, LEVER + "1"], "city": "Leeds"}  # fmt: skip
    own = {"company": "Optio", "title": "Backend Engineer (Level 2), Core", "city": "Leeds",
           "apply_url": LEVER + "1"}  # fmt: skip
    assert jobs_of(aggregated, own) == [{0, 1}]
    assert jobs_of(aggregated, own | {"apply_url": board}) == [{0, 1}]
    same = aggregated | {"apply_url": None, "apply_urls": [LEVER + "2"]}
    assert jobs_of(aggregated, same) == [{0}, {1}]


def test_the_same_advert_that_comes_back_under_another_id_is_the_same_job() -> None:
    shown: dict[str, Any] = {"source": "a", "description": BODY, "city": "Leeds"}
    again = {"first_seen_at": SEEN + timedelta(days=3), "last_seen_at": SEEN + timedelta(days=9)}
    assert jobs_of(shown, shown | again) == [{0, 1}]


def test_one_careers_page_for_many_openings_is_no_evidence() -> None:
    page = {"apply_url": "https://acme.com/careers"}
    assert jobs_of(page | {"title": "Platform Engineer"}, page | {"title": "SRE"}) == [{0}, {1}]
    listed = {"apply_url": "https://acme.com/careers/2024-all-open-engineering-roles"}
    assert jobs_of(listed | {"title": "Platform Engineer"}, listed | {"title": "SRE"}) == [{0}, {1}]


def test_a_like_text_is_evidence_and_a_snippet_is_not() -> None:
    changed = BODY.replace("customer 3.", "client three.") + " Apply soon."
    one = {"city": "Berlin", "description": BODY, "title": "Backend Engineer (Payments)"}
    other = {"city": None, "remote": True, "description": changed}
    assert jobs_of(one, other) == [{0, 1}]
    assert jobs_of(one, other | {"description_is_snippet": True}) == [{0}, {1}]
    assert jobs_of(one | {"description": BODY[:350]}, other | {"description": BODY[:350]}) == [
        {0}, {1},
    ]  # fmt: skip


def test_one_feed_that_shows_a_title_twice_has_two_openings() -> None:
    feed = {"source": "a", "city": "Berlin"}
    assert jobs_of(feed, feed) == [{0}, {1}]
    assert jobs_of(feed | {"publisher": "LinkedIn"}, feed | {"publisher": "Indeed"}) == [{0, 1}]
    snippet = {"description": "Join us …", "description_is_snippet": True}
    assert jobs_of(feed | snippet, feed | snippet) == [{0, 1}]


def test_title_and_place_do_not_tell_which_of_two_openings_is_meant() -> None:
    a, b = {"source": "a", "city": "Berlin"}, {"source": "b", "city": "Berlin"}
    assert jobs_of(a, b, a) == [{0}, {1}, {2}]


def test_a_title_that_comes_back_at_its_place_is_another_round_of_hiring() -> None:
    spring: dict[str, Any] = {"city": "Berlin", "posted_at": SEEN - timedelta(days=200),
                              "first_seen_at": SEEN - timedelta(days=199),
                              "last_seen_at": SEEN - timedelta(days=150)}  # fmt: skip
    autumn: dict[str, Any] = {"city": "Berlin", "posted_at": SEEN - timedelta(days=30)}
    assert jobs_of(spring, autumn) == [{0}, {1}]
    assert jobs_of(spring | {"description": BODY}, autumn | {"description": BODY}) == [{0, 1}]
    still_shown = {"last_seen_at": SEEN - timedelta(days=60)}
    assert jobs_of(spring | still_shown, autumn) == [{0, 1}]
    # What a feed showed in an earlier round leaves no doubt about which opening is meant now.
    feed = {"source": "a"}
    assert jobs_of(spring | feed, autumn | feed, autumn) == [{0}, {1, 2}]


def test_years_tell_which_of_two_openings_is_meant() -> None:
    a, b = {"source": "a", "city": "Berlin"}, {"source": "b", "city": "Berlin"}
    this, next_ = {"title": "Backend Intern, 2026"}, {"title": "Backend Intern, 2027"}
    assert jobs_of(a | this, a | next_, b | next_) == [{0}, {1, 2}]
    assert jobs_of(a | this, a | next_, b | {"title": "Backend Intern"}) == [{0}, {1}, {2}]


def test_a_rough_place_joins_the_only_place_that_it_can_mean() -> None:
    berlin, munich = {"city": "Berlin", "country": "DE"}, {"city": "Munich", "country": "DE"}
    assert jobs_of({"country": "DE"}, berlin) == [{0, 1}]
    assert jobs_of({"country": "DE"}, berlin, munich) == [{0}, {1}, {2}]


def test_a_snippet_that_does_not_say_remote_joins_the_one_opening_in_its_city() -> None:
    snippet = {"city": "Berlin", "country": "DE", "description_is_snippet": True}
    whole = {"city": "Berlin", "country": "DE", "description": BODY}
    assert jobs_of(snippet, whole | {"remote": True}) == [{0, 1}]
    assert jobs_of(snippet, whole) == [{0, 1}]
    both = jobs_of(snippet, whole | {"remote": True}, whole | {"description": OTHER_BODY})
    assert both == [{0}, {1}, {2}]
    assert jobs_of(snippet, {"city": None, "country": "DE", "remote": True}) == [{0}, {1}]


def test_a_title_without_its_punctuation_is_the_same_title() -> None:
    place = {"city": "Berlin", "country": "DE"}
    written, flat = place | {"title": "Lead SRE (Storage)"}, place | {"title": "Lead SRE Storage"}
    assert jobs_of(written, flat) == [{0, 1}]
    assert jobs_of(written, flat, place | {"title": "Lead SRE (Search)"}) == [{0, 1}, {2}]
    assert jobs_of(written, place | {"title": "Lead SRE"}) == [{0}, {1}]


def test_a_person_joins_and_splits() -> None:
    one, other = (
        {"title": "Senior Go Developer"},
        {"title": "Junior Rust Developer", "company": "B"},
    )
    assert jobs_of(one, other, overrides=decided("join", (1, 0))) == [{0, 1}]
    same = {"apply_url": LEVER + "1"}
    assert jobs_of(same, same, overrides=decided("split", (0, 1))) == [{0}, {1}]
    third = jobs_of(same, same, same, overrides=decided("split", (0, 1)))
    assert third == [{0, 2}, {1}]
    both = pl.concat([decided("join", (0, 2), (2, 1)), decided("split", (1, 0))])
    assert jobs_of({}, one, other, overrides=both) == [{0, 2}, {1}]


def test_a_merge_says_why() -> None:
    keyed = with_blocking_keys(
        postings(
            {"city": "Berlin"},
            {"city": "Berlin", "apply_url": LEVER + "1"},
            {"title": "Engineer", "apply_url": LEVER + "1"},
        )
    )
    members = deduplicate(keyed)
    merges = members.select("merge_rule", "merged_with", "merge_evidence").rows()
    assert merges[0] == ("first", None, None)
    assert merges[1][:2] == ("company_title_place", "source0_0")
    assert merges[2][:2] == ("requisition", "source1_1")
    assert "lever:a102c558" in merges[2][2]


def test_an_empty_frame_gives_an_empty_frame() -> None:
    assert deduplicate(with_blocking_keys(postings())).is_empty()


def test_a_large_block_of_alike_openings_that_must_stay_apart() -> None:
    rows = [
        {"source": "a", "description": f"{BODY} {number}",
         "apply_url": f"https://boards.greenhouse.io/acme/jobs/{number + 10_000}"}
        for number in range(400)
    ]  # fmt: skip
    assert len(jobs_of(*rows)) == 400


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the recorded payloads are not beside the repo")
def test_no_recorded_postings_of_two_companies_are_one_job() -> None:
    sources = ("adzuna", "jsearch", "remoteok")
    understood, _ = understand(
        pl.concat([as_mapped(source, recorded_postings(source)) for source in sources])
    )
    frame = understood.unique("posting_id", keep="first").select(
        pl.exclude("category", "category_reason"),
        category=pl.lit("backend").cast(RelevantPosting.category.dtype),
        category_reason=pl.lit("as if each were relevant"),
    )
    jobs = (
        deduplicate(with_blocking_keys(frame))
        .join(frame.select("posting_id", "company"), on="posting_id")
        .group_by("job_id")
        .agg("posting_id", pl.col("company").drop_nulls().str.to_lowercase().unique())
        .filter(pl.col("posting_id").list.len() > 1)
    )
    assert ["remoteok_1052399", "remoteok_1059237"] in [
        sorted(job) for job in jobs["posting_id"].to_list()
    ]
    assert jobs.filter(pl.col("company").list.len() > 1).is_empty()


any_postings = st.lists(
    st.fixed_dictionaries(
        {
            "source": st.sampled_from(["a", "b", "c"]),
            "company": st.sampled_from(["Acme", "Acme Inc", "Beta", None]),
            "title": st.sampled_from(
                ["Engineer", "Sr Engineer", "Engineer (Payments)", "Engineer (Search)", "SRE"]
            ),
            "city": st.sampled_from(["Berlin", "Munich", None]),
            "country": st.sampled_from(["DE", "US", None]),
            "remote": st.booleans(),
            "description": st.sampled_from([BODY, BODY + " More.", OTHER_BODY, "Short", None]),
            "apply_url": st.sampled_from([LEVER + "1", LEVER + "2", None, None, None]),
        }
    ),
    max_size=14,
)


@settings(max_examples=25)
@given(any_postings, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows: list[dict[str, Any]], random: Any) -> None:
    keyed = with_blocking_keys(postings(*rows))
    order = list(range(len(rows)))
    random.shuffle(order)
    assert_frame_equal(deduplicate(keyed), deduplicate(keyed[order]))


@settings(max_examples=25)
@given(any_postings)
def test_each_component_of_shared_keys_stands_for_itself(rows: list[dict[str, Any]]) -> None:
    keyed = with_blocking_keys(postings(*rows))
    parts = [deduplicate(part) for part in components(keyed)]
    if parts:
        assert_frame_equal(deduplicate(keyed), pl.concat(parts).sort("posting_id"))


@settings(max_examples=25)
@given(any_postings)
def test_no_job_holds_what_must_stay_apart(rows: list[dict[str, Any]]) -> None:
    for job in jobs_of(*rows):
        members = [rows[number] for number in job]
        for column in ("country", "apply_url"):
            assert len({row[column] for row in members} - {None}) <= 1
        teams = {row["title"].partition("(")[2] for row in members} - {""}
        assert len(teams) <= 1
        if {row["city"] for row in members} >= {"Berlin", "Munich"}:
            assert any(row["apply_url"] for row in members)


def recorded_postings(source: str) -> list[dict[str, Any]]:
    """All postings that were recorded of the source, without the notices between them."""
    found: list[dict[str, Any]] = []
    for path in sorted(PAYLOADS.glob(f"{source}*.json")):
        answer = json.loads(path.read_text())
        if isinstance(answer, dict):
            answer = answer.get("results") or answer["data"]
        if isinstance(answer, dict):
            answer = answer.get("jobs", [answer])
        found += [posting for posting in answer if SOURCES[source].key in posting]
    return found


def components(keyed: pl.DataFrame) -> list[pl.DataFrame]:
    component = list(range(len(keyed)))
    holder: dict[str, int] = {}
    for row, keys in enumerate(keyed["keys"]):
        for key in keys:
            old, new = component[row], component[holder.setdefault(key, row)]
            component = [new if number == old else number for number in component]
    return keyed.with_columns(_component=pl.Series(component, dtype=pl.Int64)).partition_by(
        "_component", include_key=False
    )
