from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline.fields import MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS
from pipeline.transform.schema import MappedPosting, Posting, RejectedPosting
from pipeline.transform.understanding.pay import currency, salary_period
from pipeline.transform.understanding.understand import NO_ID, NO_TITLE, understand

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"
SEEN = datetime(2026, 2, 7, tzinfo=UTC)
SCHEMA = {name: column.dtype for name, column in MappedPosting.columns().items()}


def mapped(*rows: dict[str, Any]) -> pl.DataFrame:
    default = dict.fromkeys(SCHEMA) | {
        "source": "jsearch",
        "source_id": "1",
        "title": "Engineer",
        "first_seen_at": SEEN,
        "last_seen_at": SEEN,
        "run_id": "run",
        "load_id": "1",
        "raw": "{}",
    }
    return pl.DataFrame([default | row for row in rows], schema=SCHEMA)


def posting(**fields: Any) -> dict[str, Any]:
    postings, rejected = understand(mapped(fields))
    assert rejected.is_empty()
    return postings.row(0, named=True)


def test_the_result_is_of_the_declared_schemas_even_when_empty() -> None:
    for rows in ([], [{}], [{"title": None}]):
        postings, rejected = understand(mapped(*rows))
        Posting.validate(postings)
        RejectedPosting.validate(rejected)
        assert postings.height + rejected.height == len(rows)


def test_what_cannot_be_understood_is_kept_with_the_reason() -> None:
    _, rejected = understand(
        mapped({"title": "<p>&nbsp;</p>"}, {"source_id": "", "raw": "a\0b"}, {"source_id": "3"})
    )
    assert rejected.select("source_id", "reason", "raw").rows() == [
        ("1", NO_TITLE, "{}"),
        ("", NO_ID, "ab"),
    ]


def test_what_still_breaks_the_schema_is_rejected_by_the_rules_name() -> None:
    postings, rejected = understand(mapped({}, {}, {"source_id": "2"}))
    assert postings["source_id"].to_list() == ["2"]
    assert rejected["reason"].to_list() == ["breaks the rule primary_key"] * 2


def test_ids_are_stable_and_bounded() -> None:
    postings, _ = understand(
        mapped({"source_id": "ZjYF=="}, {"source_id": "ü" * 5_000}, {"source_id": "ü" * 5_001})
    )
    ids = postings["posting_id"].to_list()
    assert ids[0] == "jsearch_ZjYF=="
    assert len(set(ids)) == 3
    assert max(map(len, ids)) < 300


def test_long_texts_are_cut() -> None:
    found = posting(title="t " * 9_000, description="d " * 400_000)
    assert MAX_TITLE_CHARS - 2 < len(found["title"]) <= MAX_TITLE_CHARS
    assert MAX_DESCRIPTION_CHARS - 2 < len(found["description"]) <= MAX_DESCRIPTION_CHARS


@pytest.mark.parametrize("char", ["ü", "株", "𝐁", "🔥", "ß", "\u0301"])
def test_texts_are_bounded_by_characters_in_any_script(char: str) -> None:
    found = posting(title="t" + char * 600, description="d" + char * 100_500)
    assert len(found["title"]) == MAX_TITLE_CHARS
    assert len(found["description"]) == MAX_DESCRIPTION_CHARS


def test_tags_are_lower_case_and_distinct_in_order() -> None:
    tags = ["golang", "Senior", "golang", " C&amp;C++ ", "", None, "senior"]
    assert posting(tags=tags)["tags"] == ["golang", "senior", "c&c++"]
    assert posting(tags=None)["tags"] == []
    assert posting(tags=[])["tags"] == []


@pytest.mark.parametrize(
    ("low", "high", "currency_code", "period", "expected"),
    [
        (70000, 110000, "usd", "YEAR", (70000, 110000, "USD", "YEAR")),
        (110000, 70000, "USD", "year", (70000, 110000, "USD", "YEAR")),
        (0, 0, "USD", "YEAR", (None, None, None, None)),
        (-5, float("nan"), "USD", "YEAR", (None, None, None, None)),
        (float("inf"), 60000, "USD", "YEAR", (None, 60000, "USD", "YEAR")),
        (50000, None, "£", "per year", (50000, None, "GBP", "YEAR")),
        (60, 90, "USD", "YEAR", (None, None, None, None)),
        (45.5, 60.129, "USD", "HOUR", (45.5, 60.13, "USD", "HOUR")),
        (90000, 120000, "USD", "HOUR", (None, None, None, None)),
        (8e7, 9e7, "IDR", "MONTH", (8e7, 9e7, "IDR", "MONTH")),
        (40, 90000, "INR", None, (None, None, None, None)),
        (1e300, 1e300, "USD", None, (None, None, None, None)),
        (50000, 60000, "$", "fortnight", (50000, 60000, None, None)),
    ],
)
def test_salaries(
    low: float, high: float, currency_code: str, period: str, expected: tuple[Any, ...]
) -> None:
    found = posting(
        salary_min=low, salary_max=high, salary_currency=currency_code, salary_period=period
    )
    names = ("salary_min", "salary_max", "salary_currency", "salary_period")
    assert tuple(found[name] for name in names) == expected


def test_a_prediction_needs_a_salary() -> None:
    assert posting(salary_min=30_000, salary_is_predicted=True)["salary_is_predicted"]
    assert not posting(salary_min=0, salary_is_predicted=True)["salary_is_predicted"]


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (" HTTPS://Example.com/a?b=1&amp;c=2#d ", "https://Example.com/a?b=1&c=2#d"),
        ("https://user:secret@example.com/x", "https://example.com/x"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com/a\x00b\nc", "https://example.com/abc"),
        ('https://example.com/a b"<x>', "https://example.com/a%20b%22%3Cx%3E"),
        ("javascript:alert(1)", None),
        ("ftp://example.com/x", None),
        ("//example.com/x", None),
        ("https://good.example\\@evil.example/", None),
        ("https://[::1", None),
        ("https://", None),
        ("https://example.com/" + "x" * 5_000, None),
        ("", None),
    ],
)
def test_only_web_urls_without_credentials(url: str, clean: str | None) -> None:
    assert posting(apply_url=url)["apply_url"] == clean


def test_further_apply_urls_are_clean_distinct_and_few() -> None:
    many = [f"https://example.com/{number}" for number in range(50)]
    given = [
        "https://b.example/",
        None,
        "javascript:x",
        " https://a.example ",
        "https://b.example/",
    ]
    assert posting(apply_urls=given)["apply_urls"] == ["https://b.example/", "https://a.example"]
    assert posting(apply_urls=many)["apply_urls"] == many[:20]
    assert posting(apply_urls=None)["apply_urls"] == []


@pytest.mark.parametrize(
    ("fields", "remote"),
    [
        ({"remote": True}, True),
        ({"remote": True, "location_text": "MD Chevy Chase (Office) - JPS"}, False),
        ({"remote": True, "location_text": "Hybrid - London"}, False),
        ({"remote": True, "location_text": "Home office, Germany"}, True),
        ({"location_text": "Home office, Germany"}, True),
        ({"location_text": "Remote in USA"}, True),
        ({"location_text": "Anywhere"}, True),
        ({"title": "Backend Engineer (Remote)", "remote": False}, True),
        ({"title": "Remote Sensing Engineer"}, False),
        ({"title": "Engineer (not remote)"}, False),
        ({"title": "Engineer (no remote)", "remote": True}, False),
        ({"title": "Backend Engineer (Hybrid)", "remote": True}, False),
        ({"title": "Backend Engineer - On-site Berlin", "remote": True}, False),
        ({"title": "Hybrid Cloud Engineer", "remote": True}, True),
        ({"title": "Engineer, hybrid or remote", "remote": True}, True),
        ({"title": "Desarrollador backend 100% remoto", "remote": False}, True),
        ({"title": "Entwickler (m/w/d) Homeoffice"}, True),
        ({"remote": True, "description": "This role is hybrid: three days in Austin."}, False),
        ({"remote": True, "description": "It is not a remote position."}, False),
        ({"remote": True, "description": "No remote work while on call."}, False),
        ({"remote": True, "description": "Our hybrid cloud; the office has a garden."}, True),
        ({"remote": False, "description": "Four weeks a year fully remote."}, False),
        ({"location_text": "Berlin"}, False),
    ],
)
def test_remote(fields: dict[str, Any], remote: bool) -> None:
    assert posting(**fields)["remote"] is remote


def test_implausible_dates_are_null() -> None:
    day = timedelta(days=1)
    found = posting(posted_at=SEEN + 10 * day, expires_at=SEEN + 9_999 * day)
    assert found["posted_at"] is None
    assert found["expires_at"] is None
    assert posting(posted_at=datetime(1970, 1, 1, tzinfo=UTC))["posted_at"] is None
    found = posting(posted_at=SEEN - day, expires_at=SEEN - 2 * day)
    assert found["posted_at"] == SEEN - day
    assert found["expires_at"] is None


def test_vocabularies_refuse_what_they_do_not_know() -> None:
    assert (currency("¥"), currency("XQZ"), currency("eur")) == (None, None, "EUR")
    assert (salary_period("per-hour"), salary_period("")) == ("HOUR", None)


FRAGMENTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["&lt;b&gt;", "<p>", "\x00", "Ã¶", "https://a.b/", "US", "CA", "Berlin, DE", "Full-time",
     "ß" * 300, "İ" * 400, "ﷺ" * 200, "𝐁" * 500, "日本" * 260, "x" * 501, " ", "\xa0", "\u2028",
     "ſ", "HTTPS://a.b/" + "é" * 1_990, "https://[::1]", "us$", "€", "&#x1e9e;" * 400]
)  # fmt: skip
WILD = st.none() | st.lists(FRAGMENTS, max_size=4).map("".join)
TEXTS = {name for name, dtype in SCHEMA.items() if dtype == pl.String} - {
    "source", "source_id", "run_id", "load_id", "raw",
}  # fmt: skip
MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            **dict.fromkeys(TEXTS, WILD),
            "source_id": st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            "tags": st.none() | st.lists(WILD, max_size=4),
            "salary_min": st.none() | st.floats() | st.floats(0, 1e11),
            "salary_max": st.none() | st.floats() | st.floats(0, 1e11),
            "salary_is_predicted": st.none() | st.booleans(),
            "description_is_snippet": st.none() | st.booleans(),
            "remote": st.none() | st.booleans(), "posted_at": MOMENTS, "expires_at": MOMENTS,
        }
    ),
    max_size=5,
    unique_by=lambda row: row["source_id"],
)  # fmt: skip


@settings(max_examples=50)
@given(ROWS)
def test_every_row_comes_out_once_and_independent_of_the_others(rows: list[dict[str, Any]]) -> None:
    frame = mapped(*rows)
    postings, rejected = understand(frame)
    Posting.validate(postings)
    RejectedPosting.validate(rejected)
    assert postings.height + rejected.height == len(rows)
    of_source = {row.get("unusable") for row in rows} - {None}
    assert set(rejected["reason"]) <= {NO_ID, NO_TITLE} | of_source
    for row in rows:
        alone, _ = understand(mapped(row))
        same = postings.filter(pl.col("posting_id").is_in(alone["posting_id"].implode()))
        assert_frame_equal(same, alone)


@pytest.mark.skipif(not PAYLOADS.exists(), reason="the recorded payloads are not beside the repo")
def test_recorded_remote_ok_postings() -> None:
    jobs = json.loads((PAYLOADS / "remoteok_2024-12-04.json").read_text())[1:]
    frame = mapped(
        *(
            {
                "source": "remoteok",
                "source_id": job["id"],
                "title": job["position"],
                "company": job["company"],
                "description": job["description"],
                "tags": job["tags"],
                "location_text": job["location"],
                "remote": True,
                "apply_url": job["apply_url"],
                "posted_at": datetime.fromisoformat(job["date"]),
            }
            for job in jobs
        )
    )
    postings, rejected = understand(frame)
    assert (postings.height, rejected["reason"].to_list()) == (97, [NO_TITLE])
    assert postings.filter(pl.col("apply_url").is_null() | pl.col("posted_at").is_null()).is_empty()
    assert postings.filter(~pl.col("remote"))["location_text"].to_list() == [
        "MD Chevy Chase (Office) - JPS"
    ]
