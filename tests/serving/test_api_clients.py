"""What clients, proxies and those who share links do to a request, and what each is answered."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from serving.middleware.tracking import is_tracking
from serving.models import JobsQuery
from serving.validators import is_known
from tests.serving.published_rows import DAY, Connection, add_job, add_publish, ids

TAG = '"1-66117f940c48d-json"'


@pytest.fixture(autouse=True)
def published(connection: Connection) -> None:
    for number in range(3):
        add_job(connection, f"a_{number}", company="Initech")
    add_publish(connection, "run-1", finished_at=DAY)


LISTS = ["/api/jobs", "/api/jobs?limit=2&facets=city", "/api/jobs/a_1", "/api/jobs/a_1/postings",
         "/api/jobs/changes", "/api/stats", "/api/sources", "/api/runs"]  # fmt: skip
EXPORTS = ["/api/jobs.csv", "/api/jobs.ndjson", "/api/jobs.parquet", "/api/jobs.atom"]
OTHERS = ["/api/health", "/api/ready", "/openapi.json", "/docs", "/api/jobs?limit=0", "/nothing"]


@pytest.mark.parametrize("path", LISTS + EXPORTS + OTHERS)
def test_head_has_the_headers_of_get_and_no_body(api: httpx.Client, path: str) -> None:
    deadline = time.monotonic() + 10
    while api.get("/api/ready").status_code != 200:
        assert time.monotonic() < deadline
    by_get, by_head = api.get(path), api.head(path)
    assert by_head.status_code == by_get.status_code
    assert by_head.content == b""
    # Chunks are for a body alone, and a health check is never two times alike.
    varying = {"date", "transfer-encoding"} | ({"content-length"} if "api/he" in path else set())
    varying |= {"content-length"} if path in ("/api/ready", "/api/sources") else set()
    told, asked = (
        {name: value for name, value in answer.headers.items() if name not in varying}
        for answer in (by_head, by_get)
    )
    assert told == asked
    if etag := by_get.headers.get("etag"):
        assert api.head(path, headers={"If-None-Match": etag}).status_code == 304


def test_head_is_no_way_to_start_a_run(api: httpx.Client) -> None:
    assert api.head("/api/jobs/ingest").status_code == 404
    refused = api.delete("/api/jobs")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"


def test_head_of_an_export_frees_its_place(api: httpx.Client) -> None:
    for _ in range(20):
        assert api.head("/api/jobs.csv").status_code == 200
    assert len(api.get("/api/jobs.ndjson").text.splitlines()) == 3


@pytest.mark.parametrize(
    "sent",
    [
        TAG, f"W/{TAG}", f"w/{TAG}", f'"x", W/{TAG}', f'"a,b" ,\t{TAG}', f',, {TAG} ,', "*", " * ",
        '"1-66117f940c48d-json-gzip"', '"1-66117f940c48d-json;gzip"', f'W/{TAG[:-1]}-br"',
        f"{TAG}-gzip", f"{TAG};gzip", f'{TAG[:-1]}--gzip"', f'{TAG[:-1]}-gzip-gzip"',
        f'{TAG[:-1]}-zstd"', f'W/{TAG[:-1]}-deflate"', TAG.strip('"'),
    ],
)  # fmt: skip
def test_a_tag_is_known_whatever_a_proxy_made_of_it(sent: str) -> None:
    assert is_known({"if-none-match": sent}, {"etag": TAG})


@pytest.mark.parametrize(
    "sent",
    ["", '"', '""', '"x"', '"*"', '"x", *', TAG.replace("json", "csv"),
     f'"x,{TAG[1:-1]},y"', '"1-66117f940c48d"', '"1-66117f940c48d-csv"', f'{TAG[:-1]}-xyz"',
     f'"{"-gzip" * 3}"'],
)  # fmt: skip
def test_another_tag_is_not_known(sent: str) -> None:
    assert not is_known({"if-none-match": sent}, {"etag": TAG})


@given(sent=st.text(st.sampled_from('W/"-, *gzip;1js'), max_size=80))
def test_no_list_of_tags_fails(sent: str) -> None:
    assert is_known({"if-none-match": f'{sent}, "1"'}, {"etag": '"2"'}) is False
    assert is_known({"if-none-match": f'"1", {sent}'}, {"etag": '"1"'}) is True


def test_a_date_counts_without_a_tag(api: httpx.Client) -> None:
    for path in ("/api/jobs", "/api/jobs.atom", "/api/jobs/a_1"):
        modified = api.get(path).headers["last-modified"]
        assert modified == "Fri, 06 Feb 2026 10:30:00 GMT"

        def status(path: str = path, **asked: str) -> int:
            names = {name.replace("_", "-"): value for name, value in asked.items()}
            return api.get(path, headers=names).status_code

        assert status(if_modified_since=modified) == 304
        assert status(if_modified_since=modified, if_none_match='"x"') == 200
        for other in ("Fri, 06 Feb 2026 10:30:01 GMT", "Thu, 05 Feb 2026 10:30:00 GMT", "x", ""):
            assert status(if_modified_since=other) == 200


SHARED = (
    "utm_source=x&UTM_Medium=y&utm%5Fcampaign=z&fbclid=1&gclid=2&mc_cid=3&_hsenc=4&amp;utm_id=5"
)


@pytest.mark.parametrize("path", ["/api/jobs", *LISTS[2:], *EXPORTS, "/api/health", "/api/ready"])
def test_what_others_append_to_a_link_is_ignored(api: httpx.Client, path: str) -> None:
    plain, shared = api.get(path), api.get(f"{path}?{SHARED}")
    assert shared.status_code != 422
    if path not in ("/api/health", "/api/ready"):  # which tell the time
        assert (shared.status_code, shared.content) == (200, plain.content)


def test_what_others_append_is_in_no_link(api: httpx.Client) -> None:
    answer = api.get(f"/api/jobs?{SHARED}&limit=1&country=&ref=news")
    assert answer.headers["link"].startswith("</api/jobs?limit=1&cursor=")
    feed = api.get(f"/api/jobs.atom?{SHARED}&source=a").text
    assert 'href="/api/jobs.atom?source=a"' in feed
    assert "utm" not in feed


def test_they_are_one_answer_in_the_cache(api: httpx.Client, connection: Connection) -> None:
    known = {"If-None-Match": api.get("/api/jobs.csv").headers["etag"]}
    deadline = time.monotonic() + 10
    while api.get("/api/jobs.csv", headers=known).status_code != 304:  # until it follows publishes
        assert time.monotonic() < deadline
    before = api.get("/api/jobs?limit=3").content
    connection.execute("update jobs set title = 'What nobody published'")
    assert api.get("/api/jobs?gclid=7&limit=3&utm_term=x").content == before
    assert api.head("/api/jobs?limit=3").headers["content-length"] == str(len(before))


@pytest.mark.parametrize("name", ["serach", "utmsource", "limt", "source_utm", "utm"])
def test_other_parameters_are_still_refused(api: httpx.Client, name: str) -> None:
    answer = api.get(f"/api/jobs?utm_source=x&{name}=1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == name


def test_no_parameter_of_the_api_is_taken_for_tracking(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"].values()
    names = {p["name"] for path in paths for o in path.values() for p in o.get("parameters", [])}
    assert "source" in names
    assert not [name for name in names if is_tracking(name)]


UTC_MORNING = datetime(2026, 2, 6, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-02-06", datetime(2026, 2, 6, tzinfo=UTC)),
        ("20260206", datetime(2026, 2, 6, tzinfo=UTC)),
        ("2026-W06-5", datetime(2026, 2, 6, tzinfo=UTC)),
        ("2026-W06", datetime(2026, 2, 2, tzinfo=UTC)),
        ("2026-02-06T08:30:00Z", UTC_MORNING),
        ("2026-02-06t08:30:00z", UTC_MORNING),
        ("2026-02-06 08:30", UTC_MORNING),
        ("2026-02-06T10:30:00+02:00", UTC_MORNING),
        ("2026-02-06T10:30:00 02:00", UTC_MORNING),
        ("2026-02-06 10:30:00 02:00", UTC_MORNING),
        ("2026-02-06T10:30:00 +02:00", UTC_MORNING),
        ("2026-02-06T10:30:00 0200", UTC_MORNING),
        ("2026-02-06T10:30 02", UTC_MORNING),
        ("2026-02-06T08:30:00 Z", UTC_MORNING),
        ("2026-02-06T05:00:00-03:30", UTC_MORNING),
        ("2026-02-06T05:00:00\u221203:30", UTC_MORNING),
        ("20260206T083000Z", UTC_MORNING),
        ("2026-02-06T08:30:00,25Z", UTC_MORNING + timedelta(milliseconds=250)),
        ("2026-02-06T08:30:00.123456789Z", UTC_MORNING + timedelta(microseconds=123456)),
        ("0001-01-01T00:00:00+23:59", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_a_time_is_understood(written: str, moment: datetime) -> None:
    assert JobsQuery(posted_since=written).posted_since == moment  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "written",
    ["Europe/Berlin", "CET", "2026-02-06T10:30:00 CET", "2026-02-06T10:30:00 Europe/Berlin",
     "2026-02-06T10:30:00[Europe/Berlin]", "2026-02-06T10:30:00+25:00", "2026-02-06T10:30:00+02:75",
     "2026-02-30", "2026-02-29T00:00:00Z", "2026-13-01", "2026-02-06T24:30:00Z", "2026-W54-1",
     "2026-02-06T10:61", "1770373800", "1770373800000", "20261399", "0000-01-01", "2026-2-6",
     "06.02.2026", "02/06/2026", "Fri, 06 Feb 2026 10:30:00 GMT", "yesterday", "", " ",
     "2026-02-06T", "2026-02-06T10:30:00++02:00", "2026-02-06x10:30", "٢٠٢٦-٠٢-٠٦"],
)  # fmt: skip
def test_another_time_is_told_how_to_be_written(api: httpx.Client, written: str) -> None:
    with pytest.raises(ValidationError):
        JobsQuery(posted_since=written)  # type: ignore[arg-type]
    answer = api.get("/api/jobs", params={"first_seen_since": written})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert "2026-02-06T10:30:00Z" in error["message"]
    assert "%2B02:00" in error["message"]


def test_a_plus_sign_that_arrives_as_a_blank_is_one(api: httpx.Client) -> None:
    assert len(ids(api.get("/api/jobs?posted_since=2026-02-06T12:30:00+02:00"))) == 3
    assert len(ids(api.get("/api/jobs?posted_since=2026-02-06T12:30:01+02:00"))) == 0


def test_a_head_request_on_a_raw_connection_leaves_it_usable(api: httpx.Client) -> None:
    """A body after the answer to HEAD would be read as the next answer."""
    connection = HTTPConnection(api.base_url.host, api.base_url.port or 80)
    for path in ("/api/jobs", "/api/jobs.csv", "/api/jobs.atom", "/api/jobs"):
        connection.request("HEAD", path)
        assert connection.getresponse().read() == b""
    connection.request("GET", "/api/jobs")
    assert b'"total":3' in connection.getresponse().read()
    connection.close()
