"""Datasette over the published jobs, to compare with: https://docs.datasette.io

The same jobs in SQLite, with indexes on what is filtered and sorted by and a full-text index of
the same texts (FTS5 with the Porter stemmer), and the requests of the mix as its JSON API takes
them. It counts all matches and facets as the API does: its limits of time are lifted so that no
answer leaves them out. It has no offsets: pages follow its tokens.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import psycopg

COLUMNS = {
    "job_id": "text primary key", "source": "text", "sources": "text", "title": "text",
    "company": "text", "description": "text", "tags": "text", "skills": "text",
    "category": "text", "city": "text", "country": "text", "remote": "integer",
    "employment_type": "text", "salary_min": "real", "salary_max": "real",
    "salary_currency": "text", "salary_period": "text", "salary_is_predicted": "integer",
    "apply_url": "text", "source_url": "text", "posted_at": "text", "first_seen_at": "text",
    "status": "text",
}  # fmt: skip
TEXTS = "title, company, skills, tags, description"
INDEXES = (
    "posted_at desc, status", "country, status, posted_at desc", "category, status, posted_at desc",
    "remote, country, status, posted_at desc", "city, employment_type, status, posted_at desc",
    "salary_currency, salary_max, status", "employment_type, status", "category, country",
)  # fmt: skip
"""With the status in each, so that matches are counted from the index alone."""

LISTED = "status__not=closed&_sort_desc=posted_at&_shape=objects"
FILTERS = {
    "country=US": "country=US",
    "category=sre,devops": "category__in=sre,devops",
    "remote_only=true&country=DE": "remote=1&country=DE",
    "city=Berlin&employment_type=FULLTIME": "city=Berlin&employment_type=FULLTIME",
    "skills=terraform&country=GB": "skills__arraycontains=terraform&country=GB",
    "salary_min=150000&salary_currency=USD": "salary_max__gte=150000&salary_currency=USD",
}


def fill(url: str, file: Path) -> None:
    """Copy the published jobs from PostgreSQL into an SQLite file."""
    with (
        psycopg.connect(url) as connection,
        connection.cursor("jobs") as rows,
        closing(sqlite3.connect(file)) as database,
    ):
        database.executescript("pragma journal_mode = off; pragma synchronous = off")
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        database.execute(f"create table jobs ({columns})")
        rows.itersize = 5_000
        rows.execute(
            "select job_id, source, to_json(sources)::text, title, company, description,"
            " to_json(tags)::text, to_json(skills)::text, category, city, country, remote::int,"
            " employment_type, salary_min::float8, salary_max::float8, salary_currency,"
            " salary_period, salary_is_predicted::int, apply_url, source_url,"
            " iso_utc(posted_at), iso_utc(first_seen_at), status from jobs"
        )
        while batch := rows.fetchmany(5_000):
            places = ", ".join("?" * len(COLUMNS))
            database.executemany(f"insert into jobs values ({places})", batch)
        for number, indexed in enumerate(INDEXES):
            database.execute(f"create index jobs_{number} on jobs ({indexed})")
        database.execute(
            f"create virtual table jobs_fts using fts5"
            f" ({TEXTS}, content=\"jobs\", tokenize='porter unicode61')"
        )
        database.execute(f"insert into jobs_fts (rowid, {TEXTS}) select rowid, {TEXTS} from jobs")
        database.execute("analyze")
        database.commit()


def command(file: Path, port: int) -> list[str]:
    """How to start it."""
    limits = {"sql_time_limit_ms": 600_000, "facet_time_limit_ms": 600_000}
    switched_off = {"suggest_facets": "off", "allow_download": "off"}
    settings = {**limits, **switched_off, "cache_size_kb": 500_000, "default_cache_ttl": 0}
    options = [part for name, value in settings.items() for part in ("--setting", name, str(value))]
    return [sys.executable, "-m", "datasette", "serve", "--immutable", str(file),
            "--port", str(port), *options]  # fmt: skip


def _search(words: str) -> str:
    """A search in the words of FTS5."""
    parts = words.split()
    text = " ".join("OR" if part == "or" else part for part in parts)
    return text.replace(" -", " NOT ")


def path(server: str, database: str, of_api: str) -> str:
    """The request that answers what this one of the API does."""
    address, _, query = of_api.partition("?")
    table = f"/{database}/jobs"
    if address != "/api/jobs":
        return f"{table}/{quote(address.removeprefix('/api/jobs/'))}.json?_shape=objects"
    size = "20" if "limit=20" in query else "50"
    listed = f"{table}.json?{LISTED}&_size={size}"
    parameters = dict(httpx.QueryParams(query))
    if "search" in parameters:
        listed += "&_searchmode=raw&" + urlencode({"_search": _search(parameters["search"])})
    for name in parameters.get("facets", "").split(","):
        listed += f"&_facet={name}" if name else ""
    for of_ours, of_datasette in FILTERS.items():
        if of_ours in query:
            listed += f"&{of_datasette}"
    for _ in range(min(int(parameters.get("offset", 0)), 100) // 20):
        answer = httpx.get(server + listed, trust_env=False, timeout=600)
        token = json.loads(answer.text)["next"]
        listed = listed.split("&_next=")[0] + "&" + urlencode({"_next": token})
    return listed
