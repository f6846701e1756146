"""Exports: every row of one publish, in each format."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import httpx
import orjson
import psycopg
import pyarrow.parquet as pq
import pytest
from published_rows import DAY, Connection, Start, add_job, add_publish, add_source

from benchmarks.generated_jobs import COLUMNS, generate

MANY = 2_500
ATOM = "{http://www.w3.org/2005/Atom}"


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


@pytest.mark.usefixtures("many")
def test_too_many_exports_at_once_are_told_to_wait(start: Start) -> None:
    api = start(api_pool_size=2)
    with api.stream("GET", "/api/jobs.ndjson") as first:
        next(first.iter_raw(1))
        answer = api.get("/api/jobs.csv")
    # The first may have been sent whole already: then nobody waits.
    assert answer.status_code in (200, 503)
    if answer.status_code == 503:
        assert answer.headers["retry-after"]
    assert api.get("/api/jobs.csv").status_code == 200
