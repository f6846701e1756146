"""Exports: every row of one publish, in each format."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from xml.etree import ElementTree

import httpx
import orjson
import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.formats import _iri
from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_publish,
    add_source,
    ids,
)
from tests.support.generated_jobs import COLUMNS, generate

MANY = 2_500
ATOM = "{http://www.w3.org/2005/Atom}"


T = TypeVar("T")


def eventually(ask: Callable[[], T], right: Callable[[T], object] = bool) -> Any:
    """What ``ask`` returns once that is ``right``, for which there are 10 s."""
    deadline = time.monotonic() + 10
    while not right(answer := ask()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer


@pytest.fixture
def jobs(connection: Connection) -> None:
    add_source(connection, "a", attribution="Jobs by <A> & Co")
    add_job(connection, "a_1", title='=HYPERLINK("http://evil.example")', company="+Initech, Inc",
            skills=["Go", "C++"], salary_min=Decimal("42766.78"), salary_currency="USD",
            country="US", apply_url="https://example.com/?a=1&b=2", remote=True)  # fmt: skip
    add_job(connection, "a_2", title="Zeilen\numbruch <b>", posted_at=DAY - timedelta(days=1))
    add_job(connection, "a_3", status="closed")
    add_publish(connection, "run-1")


@pytest.fixture
def many(connection: Connection) -> None:
    copy = f"copy jobs ({', '.join(COLUMNS)}) from stdin"
    with connection.cursor().copy(copy) as rows:
        for row in generate(MANY):
            rows.write_row(row)
    connection.execute("update jobs set status = 'open'")


@pytest.mark.usefixtures("jobs")
@pytest.mark.trial("text", "A text is a formula of a spreadsheet")
def test_csv_is_safe_for_spreadsheets(api: httpx.Client) -> None:
    answer = api.get("/api/jobs.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    first, second = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert first["title"] == '\'=HYPERLINK("http://evil.example")'
    assert first["company"] == "'+Initech, Inc"
    assert first["skills"] == "Go;C++"
    assert first["salary_min"] == "42766.78"
    assert first["posted_at"] == "2026-02-06T10:30:00Z"
    assert first["remote"] == "true"
    assert first["salary_max"] == ""
    assert second["title"] == "Zeilen\numbruch <b>"


@pytest.mark.usefixtures("jobs")
def test_ndjson_is_one_job_a_line(api: httpx.Client) -> None:
    answer = api.get("/api/jobs.ndjson?country=US")
    (job,) = [orjson.loads(line) for line in answer.text.splitlines()]
    assert job["id"] == "a_1"
    assert job["salary_min"] == "42766.78"
    assert job["skills"] == ["Go", "C++"]
    assert job["attribution"] == "Jobs by <A> & Co"


@pytest.mark.usefixtures("jobs")
def test_parquet_keeps_types(api: httpx.Client) -> None:
    table = pq.read_table(io.BytesIO(api.get("/api/jobs.parquet").content))
    row = table.to_pylist()[0]
    assert row["salary_min"] == Decimal("42766.78")
    assert row["posted_at"] == DAY
    assert row["skills"] == ["Go", "C++"]
    assert table.num_rows == 2


@pytest.mark.usefixtures("jobs")
def test_atom_is_a_valid_feed(api: httpx.Client) -> None:
    answer = api.get("/api/jobs.atom?search=hyperlink&country=US")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ElementTree.fromstring(answer.content)
    for name in ("id", "title", "updated"):
        assert feed.findtext(ATOM + name)
    assert datetime.fromisoformat(feed.findtext(ATOM + "updated") or "") == DAY
    (entry,) = feed.findall(ATOM + "entry")
    assert entry.findtext(ATOM + "title") == '=HYPERLINK("http://evil.example")'
    assert "Jobs by <A> & Co" in (entry.findtext(ATOM + "summary") or "")
    link = entry.find(ATOM + "link")
    assert link is not None
    assert link.get("href") == "https://example.com/?a=1&b=2"


IRI = re.compile(
    r"[a-z][a-z0-9+.-]*:(?:%[0-9A-Fa-f]{2}|[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]|[^\x00-\x9f\ue000-\uf8ff])*"
    r"(?:#(?:%[0-9A-Fa-f]{2}|[!$&'()*+,\-./0-9:;=?@A-Z_a-z~]|[^\x00-\x9f\ue000-\uf8ff])*)?"
)


def entries(api: httpx.Client, path: str = "/api/jobs.atom") -> list[ElementTree.Element]:
    return ElementTree.fromstring(api.get(path).content).findall(ATOM + "entry")


def text_of(parent: ElementTree.Element, name: str) -> str:
    return parent.findtext(ATOM + name) or ""


def test_the_feed_is_of_what_was_found_last(api: httpx.Client, connection: Connection) -> None:
    """Whatever the dates of posting: late ones, and none."""
    for number in range(110):
        add_job(connection, f"a_{number:03}", posted_at=DAY - timedelta(minutes=number))
    later = DAY + timedelta(hours=1)
    add_job(connection, "b_undated", posted_at=None, first_seen_at=later)
    add_job(connection, "b_old", posted_at=DAY - timedelta(days=30), first_seen_at=later)
    add_job(connection, "b_closed", status="closed", first_seen_at=later)
    add_job(connection, "c_new", posted_at=later, first_seen_at=later + timedelta(hours=1))
    found = entries(api)
    names = [text_of(entry, "id").removeprefix("urn:job:") for entry in found]
    assert names[:5] == ["c_new", "b_old", "b_undated", "a_000", "a_001"]
    assert len(found) == 100
    assert [text_of(entry, "published") for entry in found[1:3]] == [
        "2026-01-07T10:30:00Z", "2026-02-06T11:30:00Z"
    ]  # fmt: skip
    short = entries(api, "/api/jobs.atom?limit=2")
    assert [text_of(entry, "id") for entry in short] == ["urn:job:c_new", "urn:job:b_old"]
    assert len(entries(api, "/api/jobs.atom?limit=500")) == 113
    assert len(entries(api, "/api/jobs.atom?source=b&search=engineer")) == 2


@pytest.mark.usefixtures("many")
def test_a_feed_is_as_new_as_its_newest_entry(api: httpx.Client, connection: Connection) -> None:
    """Also where that comes in a later batch."""
    newest = DAY + timedelta(days=400)
    connection.execute(
        "update jobs set updated_at = case job_id when %s then %s else %s end",
        (orjson.loads(api.get("/api/jobs.ndjson").text.splitlines()[-1])["id"], newest, DAY),
    )
    for limit, updated in ((MANY, newest), (1, DAY)):
        feed = ElementTree.fromstring(api.get(f"/api/jobs.atom?limit={limit}").content)
        assert datetime.fromisoformat(text_of(feed, "updated")) == updated
        assert len(feed.findall(ATOM + "entry")) == limit


def links(feed: ElementTree.Element) -> dict[str | None, str]:
    return {link.get("rel"): link.get("href") or "" for link in feed.findall(ATOM + "link")}


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("url", [None, "https://jobs.example/board/"])
@pytest.mark.trial("client", "A request for a feed names another host")
def test_a_feed_says_where_and_whose_it_is(start: Start, url: str | None) -> None:
    """By the configuration, never by the request: its answer may be kept for others."""
    api = start(api_url=url)
    base = (url or "").rstrip("/")
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    path = "/api/jobs.atom?country=US&limit=7"
    feed = ElementTree.fromstring(api.get(path, headers=forged).content)
    assert links(feed)["self"] == f"{base}{path}"
    assert text_of(feed, "id") == f"{base or 'urn:jobs:'}{path}"
    assert IRI.fullmatch(text_of(feed, "id"))
    assert ids(api.get(links(feed)["alternate"].removeprefix(base))) == ["a_1"]
    assert text_of(feed, "title")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    for entry in feed.findall(ATOM + "entry"):
        assert all(text_of(entry, name) for name in ("id", "title", "updated", "published"))
        assert entry.findtext(f"{ATOM}author/{ATOM}name")


@pytest.mark.parametrize(
    ("job_id", "entry_id"),
    [
        ("jsearch_a-B_1==", "urn:job:jsearch_a-B_1=="),
        ("a_/x?y=z&w:@", "urn:job:a_/x?y=z&w:@"),
        ("a_é東", "urn:job:a_é東"),
        ("a_%2F", "urn:job:a_%2F"),
        ("a_#1", "urn:job:a_#1"),
        ('a_odd"33<>{}|\\^`', "urn:job:a_odd%2233%3C%3E%7B%7D%7C%5C%5E%60"),
        ("a_ b%c[d]", "urn:job:a_%20b%25c%5Bd%5D"),
        ("a_#1#2", "urn:job:a_#1%232"),
        ("a_\x01\x7f\ue000\ufffe", "urn:job:a_%01%7F%EE%80%80%EF%BF%BE"),
    ],
)
def test_the_id_of_an_entry_is_an_iri(
    api: httpx.Client, connection: Connection, job_id: str, entry_id: str
) -> None:
    add_job(connection, job_id, title="a\x01<b>\ufffe")
    (entry,) = entries(api)
    assert text_of(entry, "id") == entry_id
    assert text_of(entry, "title") == "a<b>"
    assert IRI.fullmatch(entry_id)


@given(text=st.text(max_size=40))
def test_any_text_becomes_an_iri_that_stays(text: str) -> None:
    iri = _iri("urn:job:" + text)
    assert IRI.fullmatch(iri)
    assert _iri(iri) == iri


@pytest.mark.usefixtures("jobs")
def test_csv_begins_with_a_byte_order_mark_on_request(api: httpx.Client) -> None:
    plain, marked = api.get("/api/jobs.csv"), api.get("/api/jobs.csv?bom=true")
    assert marked.content == b"\xef\xbb\xbf" + plain.content
    by_accept = api.get("/api/jobs?bom=true", headers={"Accept": "text/csv"})
    assert by_accept.content == marked.content
    assert api.get("/api/jobs.csv?bom=false").content == plain.content
    refused = api.get("/api/jobs.ndjson?bom=true")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["parameter"] == "bom"


def test_without_jobs_every_format_is_valid(api: httpx.Client) -> None:
    assert api.get("/api/jobs.csv").text.startswith("id,source,")
    assert api.get("/api/jobs.ndjson").content == b""
    assert pq.read_table(io.BytesIO(api.get("/api/jobs.parquet").content)).num_rows == 0
    assert ElementTree.fromstring(api.get("/api/jobs.atom").content).tag == ATOM + "feed"


@pytest.mark.usefixtures("many")
def test_an_export_holds_every_job_in_the_order_of_the_list(api: httpx.Client) -> None:
    lines = [orjson.loads(line) for line in api.get("/api/jobs.ndjson").text.splitlines()]
    assert len(lines) == MANY
    assert [job["id"] for job in lines[:200]] == [
        job["id"] for job in api.get("/api/jobs?limit=200").json()["jobs"]
    ]
    assert api.get("/api/jobs.csv").text.count("\r\n") == MANY + 1
    assert pq.read_table(io.BytesIO(api.get("/api/jobs.parquet").content)).num_rows == MANY
    assert len(api.get("/api/jobs.ndjson?limit=1001").text.splitlines()) == 1001
    assert api.get("/api/jobs.atom").text.count("<entry>") == 100


@pytest.mark.usefixtures("many")
def test_an_export_is_of_one_publish(api: httpx.Client, database_url: str) -> None:
    with api.stream("GET", "/api/jobs.ndjson") as answer:
        chunks = answer.iter_bytes()
        body = next(chunks)
        with psycopg.connect(database_url) as writer:
            writer.execute("update jobs set title = 'Of the next publish'")
        body += b"".join(chunks)
    assert len(body.splitlines()) == MANY
    assert b"Of the next publish" not in body


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("text/csv", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("application/atom+xml;q=0.9, text/html;q=0.1", "application/atom+xml"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/html,*/*;q=0.8", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("nonsense;;q=x,,", "application/json"),
    ],
)
def test_accept_chooses_the_format(api: httpx.Client, accept: str, media_type: str) -> None:
    answer = api.get("/api/jobs?country=US", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == media_type
    assert "Accept" in answer.headers["vary"]


@pytest.mark.usefixtures("jobs")
def test_an_export_has_no_pages(api: httpx.Client) -> None:
    for query in ("offset=1", "sort=relevance&search=x", "facets=source", "limit=0"):
        assert api.get(f"/api/jobs.csv?{query}").status_code == 422
    answer = api.get("/api/jobs?offset=1", headers={"Accept": "text/csv"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("jobs")
@pytest.mark.parametrize("query", ["", "?search=nosuchword"])
@pytest.mark.parametrize("extension", ["csv", "ndjson", "parquet", "atom"])
def test_an_unchanged_export_is_not_sent_again(
    api: httpx.Client, connection: Connection, extension: str, query: str
) -> None:
    path = f"/api/jobs.{extension}{query}"

    def etag() -> str | None:
        return api.get(path).headers.get("etag")

    # Only where a row tells of the publish, or once the API follows them.
    of_first = eventually(etag)
    assert of_first.startswith('"1-')
    assert of_first.endswith(f'-{extension}"')
    unchanged = {"If-None-Match": f'"x", W/{of_first}'}
    answer = eventually(lambda: api.get(path, headers=unchanged), lambda a: a.status_code == 304)
    assert answer.content == b""
    assert answer.headers["etag"] == of_first
    assert api.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    assert api.get(f"/api/jobs.{extension}?limit=0", headers=unchanged).status_code == 422

    add_publish(connection, "run-2")
    answer = eventually(lambda: api.get(path, headers=unchanged), lambda a: a.status_code == 200)
    assert answer.headers["etag"].startswith('"2-')


@pytest.fixture
def heavy(connection: Connection, many: None) -> None:
    """Jobs that are more in bytes than the sockets between the API and a client hold."""
    connection.execute("update jobs set apply_url = 'https://example.com/' || repeat('a', 16000)")


def streaming(connection: Connection) -> int:
    """How many exports the API has begun and not ended."""
    row = connection.execute(
        "select count(*) from pg_stat_activity"
        " where application_name = 'job-market-api' and state = 'idle in transaction'"
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.usefixtures("heavy")
@pytest.mark.trial("client", "Too many exports at once")
def test_more_exports_than_allowed_are_told_to_wait(start: Start, connection: Connection) -> None:
    """Readers that do not read keep their exports open; nobody else's answers suffer."""
    api = start(api_pool_size=8)
    with ExitStack() as readers:
        allowed = [
            readers.enter_context(api.stream("GET", "/api/jobs.ndjson")).iter_raw()
            for _ in range(2)
        ]
        eventually(lambda: streaming(connection), lambda count: count == 2)
        for extension in ("csv", "parquet"):
            refused = api.get(f"/api/jobs.{extension}")
            assert refused.status_code == 503
            assert int(refused.headers["retry-after"]) > 0
            assert refused.headers["content-type"] == "application/problem+json"
        assert api.get("/api/jobs").status_code == 200
        assert streaming(connection) == 2
        first, second = [b"".join(chunks) for chunks in allowed]
    assert first == second == api.get("/api/jobs.ndjson").content
    assert len(first.splitlines()) == MANY


@pytest.mark.usefixtures("heavy")
@pytest.mark.trial("client", "Readers of exports leave")
def test_readers_that_leave_make_room(start: Start, connection: Connection) -> None:
    api = start(api_pool_size=4)
    for _ in range(3):
        with api.stream("GET", "/api/jobs.csv"):
            eventually(lambda: streaming(connection), lambda count: count == 1)
        eventually(lambda: streaming(connection), lambda count: count == 0)
    assert api.get("/api/jobs.csv").text.count("\r\n") == MANY + 1


@pytest.mark.usefixtures("heavy")
@pytest.mark.trial("client", "The reader of an export stops")
def test_a_reader_that_takes_nothing_is_left(
    start: Start, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.routes.exports.READER_SECONDS", 0.5)
    api = start(api_pool_size=4)
    with api.stream("GET", "/api/jobs.ndjson") as stopped:
        assert stopped.status_code == 200
        eventually(lambda: api.get("/api/jobs.csv?limit=1").status_code == 200)
        eventually(lambda: streaming(connection), lambda count: count == 0)
        with pytest.raises(httpx.RemoteProtocolError):
            stopped.read()
    assert len(api.get("/api/jobs.ndjson").text.splitlines()) == MANY


@pytest.mark.usefixtures("heavy")
@pytest.mark.trial("client", "The reader of an export that others want stops")
def test_nobody_waits_for_another_reader_of_the_same_export(
    start: Start, connection: Connection
) -> None:
    add_publish(connection, "run-1")
    api = start(api_pool_size=8)
    eventually(lambda: api.get("/api/ready").status_code == 200)
    with api.stream("GET", "/api/jobs.ndjson"):
        eventually(lambda: streaming(connection), lambda count: count == 1)
        assert len(api.get("/api/jobs.ndjson").text.splitlines()) == MANY
        assert streaming(connection) == 1
