"""What a process keeps of the jobs finds and counts what PostgreSQL does, publish after publish."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pytest

from pipeline.installation.settings import Settings
from serving import queries
from serving.clients.database import SESSION, Database
from serving.clients.editions import Editions
from serving.models import JobsQuery
from serving.routes.jobs import identity, place
from serving.search import cursors
from serving.search.follow import Found, Index
from serving.search.parameters import filters
from serving.search.tsquery import Phrase, Word, matching, parse, phrases
from tests.serving.published_rows import (
    DAY,
    Connection,
    add_job,
    add_publish,
    coming_version,
    remove_job,
)
from tests.support.generated_jobs import COLUMNS, generate

JOBS = 1_500
FACETS = [
    "category", "source", "country", "employment_type", "remote", "status", "city", "company",
    "skills",
]  # fmt: skip
SEARCHES = [
    None, None, "engineer", "kubernetes -aws", "aws or azure", '"site reliability"', "the",
    'backend -"senior backend" (golang or rust)', "nosuchword", "C++", "it's \\ node.js",
    '"and site" or "c++ developer"', '"golang and site reliability"', "on-call",
]  # fmt: skip


@asynccontextmanager
async def following(database_url: str) -> AsyncIterator[Index]:
    """An index that has read the present edition."""
    database = Database(Settings(_env_file=None, database_url=database_url))
    editions = Editions(database)
    index = Index(database, editions)
    await database.open()
    editions.start()
    index.start()
    try:
        async with asyncio.timeout(20):
            while await index.find(filters(JobsQuery()), place(JobsQuery())[1], []) is None:
                await asyncio.sleep(0.01)
        yield index
    finally:
        await index.stop()
        await editions.stop()
        await database.close()


def by_postgresql(connection: Connection, query: JobsQuery) -> tuple[Any, ...]:
    asked = filters(query)
    unknown = {"known_edition": None, "known_total": None}
    row = connection.execute(queries.JOBS, asked | place(query)[1] | unknown).fetchone()
    counts = connection.execute(queries.FACETS, asked | {"facets": query.facets}).fetchone()
    assert row is not None
    assert counts is not None
    edition, total, jobs, _, last = row
    return (
        edition,
        total,
        [job["id"] for job in json.loads(jobs)],
        last,
        {
            facet: [(entry["value"], entry["jobs"]) for entry in entries]
            for facet, entries in json.loads(counts[1]).items()
        },
    )


def some_query(chance: random.Random, cursor: str | None) -> JobsQuery:
    moment = datetime(2026, 2, 6, tzinfo=UTC) - timedelta(hours=chance.randrange(1500))
    given: dict[str, Any] = {
        "country": chance.choice([["US"], ["GB", "DE", "JP"]]),
        "category": chance.choice([["sre"], ["devops", "cloud"]]),
        "employment_type": chance.choice([["FULLTIME"], ["INTERN", "PARTTIME", "OTHER"]]),
        "city": chance.choice([["bERlin"], ["Leeds", "orebro"]]),
        "company": chance.choice([["Initech GmbH"], ["babaco", "nobody"]]),
        "source": chance.choice([["adzuna"], ["jsearch", "remoteok"]]),
        "skills": chance.choice([["terraform"], ["kafka", "C++"], ["nothing"]]),
        "status": chance.choice([["closed"], ["open", "closed"]]),
        "remote_only": True,
        "posted_since": moment.isoformat(),
        "first_seen_since": moment.isoformat(),
        "salary_min": chance.choice([0, 99_999.99, 120_000, 124_800.01]),
        "salary_currency": chance.choice(["USD", "EUR"]),
    }
    chosen = {name: given[name] for name in chance.sample(sorted(given), chance.randrange(4))}
    return JobsQuery.model_validate(
        chosen
        | {
            "search": chance.choice(SEARCHES),
            "limit": chance.choice([1, 7, 50]),
            "offset": chance.choice([0, 0, 3, 700]),
            "cursor": cursor,
            "facets": FACETS,
        }
    )


async def of_edition(
    index: Index, edition: str, find: Callable[[], Awaitable[Found | None]]
) -> Found:
    """What is found once the index is of this edition."""
    async with asyncio.timeout(20):
        while True:
            await index.reach(edition)
            found = await find()
            if found is not None and found.edition == edition:
                return found


async def compare(index: Index, connection: Connection, chance: random.Random, times: int) -> None:
    last: list[Any] | None = None
    for _ in range(times):
        query = some_query(chance, None)
        if last and chance.random() < 0.5:
            cursor = cursors.write(identity(query), "newest", *last, 0, 0)
            query = query.model_copy(update={"cursor": cursor})
        edition, total, jobs, last, facets = by_postgresql(connection, query)
        find = partial(index.find, filters(query), place(query)[1], FACETS)
        found = await of_edition(index, edition, find)
        assert (found.edition, found.total) == (edition, total), query
        assert found.ids is not None
        assert found.ids[: query.limit] == jobs, query
        assert (len(found.ids) > query.limit) == (last is not None)
        assert {facet: counts for facet, counts in found.facets.items() if counts} == facets, query
        rows = connection.execute(queries.FEED, filters(query) | {"limit": 20}).fetchall()
        page = {"limit": 20}
        latest = await index.find(filters(query), page, [], latest=True)
        assert latest is not None
        assert (latest.ids or [])[:20] == [job_id for _, _, job_id, *_ in rows], query


def change(connection: Connection, chance: random.Random, step: int) -> None:
    """A publish that brings, changes and removes jobs, a removed one also brought back."""
    version = coming_version(connection)
    known = [row[0] for row in connection.execute("select job_id from jobs order by job_id")]
    with connection.transaction():
        for job_id in chance.sample(known, 30):
            remove_job(connection, job_id)
        gone = connection.execute("select job_id from removed_jobs order by random() limit 5")
        for job_id in [f"a_{step}_{number}" for number in range(20)] + [row[0] for row in gone]:
            add_job(
                connection,
                job_id,
                title=chance.choice(
                    ["Site Reliability Engineer", "Ｃ＋＋ Developer", "It's Node.js"]
                ),
                posted_at=chance.choice([None, DAY, DAY - timedelta(days=chance.randrange(60))]),
                country=chance.choice([None, "US", "JP"]),
                city=chance.choice([None, "Örebro", "Leeds"]),
                company=chance.choice([None, "Initech", "Initech, Inc.", "A, \"B\" 'C'\nD", ""]),
                first_seen_at=DAY - timedelta(hours=chance.randrange(300)),
                skills=chance.choice([[], ["C++"], ["kafka", "Node.js"]]),
                salary_max=chance.choice([None, "60.00", "60.01"]),
                salary_currency="USD",
                salary_period="HOUR",
            )
        connection.execute(
            "update jobs set changed_version = %s, status = %s, skills = array['kafka'],"
            " posted_at = posted_at - interval '3 days', category = 'cloud',"
            " description = 'golang and site reliability'"
            " where job_id = any (%s)",
            (version, chance.choice(["open", "closed"]), chance.sample(known, 40)),
        )
        add_publish(connection, f"run-{step}")


@pytest.fixture
def published(connection: Connection) -> Connection:
    for name, value in SESSION.items():
        if name != "default_transaction_read_only":
            connection.execute("select set_config(%s, %s, false)", (name, value))
    with connection.cursor().copy(f"copy jobs ({', '.join(COLUMNS)}) from stdin") as rows:
        for row in generate(JOBS):
            rows.write_row(row)
    connection.execute("update jobs set posted_at = date_trunc('day', posted_at)")
    add_publish(connection, "run-0")
    return connection


@pytest.mark.parametrize("seed", range(3))
def test_the_index_finds_what_postgresql_finds(
    published: Connection, database_url: str, seed: int
) -> None:
    async def walk() -> None:
        chance = random.Random(seed)
        async with following(database_url) as index:
            await compare(index, published, chance, 40)
            for step in range(1, 6):
                change(published, chance, step)
                await compare(index, published, chance, 15)

    asyncio.run(walk())


@pytest.mark.parametrize("seed", range(2))
def test_the_index_ranks_what_postgresql_ranks(
    published: Connection, database_url: str, seed: int
) -> None:
    async def walk() -> None:
        chance = random.Random(seed)
        async with following(database_url) as index:
            for step in range(1, 5):
                for search in filter(None, SEARCHES):
                    query = some_query(chance, None).model_copy(update={"search": search})
                    asked, page = filters(query), place(query)[1]
                    unknown = {"known_edition": None, "known_total": None}
                    row = published.execute(
                        queries.JOBS_BY_RELEVANCE, asked | page | unknown
                    ).fetchone()
                    assert row is not None
                    find = partial(index.find, asked, page, [], ranked=True)
                    found = await of_edition(index, row[0], find)
                    known = {"ids": found.ids, "total": found.total}
                    assert (
                        published.execute(queries.JOBS_RANKED, asked | page | known).fetchone()
                        == row
                    ), query
                change(published, chance, step)

    asyncio.run(walk())


ALIKE = [
    "enginer", "kuberntes", "senoir backend", "site reliabilty", "initec", "nosuchword", "backend",
    "developr c++", "örebro", "it's nod", "babacotec",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_the_index_finds_what_reads_alike_as_postgresql_does(
    published: Connection, database_url: str, seed: int
) -> None:
    async def walk() -> None:
        chance = random.Random(seed)
        async with following(database_url) as index:
            for step in range(1, 5):
                query, cursor = JobsQuery(), None
                for _ in range(25):
                    if cursor is not None and chance.random() < 0.7:
                        query = query.model_copy(update={"cursor": cursor})
                    else:
                        search = chance.choice(ALIKE)
                        query = some_query(chance, None).model_copy(update={"search": search})
                    asked, page = filters(query), place(query)[1]
                    row = published.execute(queries.JOBS_ALIKE, asked | page).fetchone()
                    assert row is not None
                    edition, total, jobs, _, end = row
                    find = partial(index.find_alike, asked, page)
                    found = await of_edition(index, edition, find)
                    ids = [job["id"] for job in json.loads(jobs)]
                    assert (found.total, (found.ids or [])[: query.limit]) == (total, ids), query
                    assert end is None or found.scores[query.limit - 1] == end[0]
                    cursor = cursors.write(identity(query), "alike", *end, 0, 0) if end else None
                change(published, chance, step)

    asyncio.run(walk())


def test_phrases_of_many_candidates_are_looked_for_beside_the_requests(
    published: Connection, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.search.follow.FEW_CANDIDATES", 0)

    async def walk() -> None:
        async with following(database_url) as index:
            for search in ('"site reliability"', '-"site reliability" "senior backend"'):
                query = JobsQuery(search=search)
                find = partial(index.find, filters(query), place(query)[1], [])
                found = await asyncio.gather(*(find() for _ in range(5)))
                total = by_postgresql(published, query)[1]
                assert total > 0
                assert [one and one.total for one in found] == [total] * 5
            change(published, random.Random(1), 1)
            await compare(index, published, random.Random(2), 20)

    asyncio.run(walk())


A, B, C = 0b10101010, 0b11001100, 0b11110000
"""All combinations of three words, as bits."""


@pytest.mark.parametrize(
    ("tsquery", "jobs"),
    [
        ("'a'", A),
        ("'a' & !'b' | 'c'", (A & ~B) | C),
        ("!( 'a' | 'b' ) & 'c'", ~(A | B) & C),
        ("'a' & ( 'b' | !'c' )", A & (B | ~C)),
    ],
)
def test_a_tsquery_is_understood(tsquery: str, jobs: int) -> None:
    tree = parse(tsquery)
    assert tree is not None
    lists = {Word("a"): A, Word("b"): B, Word("c"): C}
    found = matching(tree, lambda atom: np.array([lists[atom]], np.uint64))
    assert int(found[0]) & 255 == jobs & 255


@pytest.mark.parametrize(
    ("tsquery", "words", "offsets"),
    [
        ("'a' <-> 'b' <2> 'c' & 'd'", "abc", (0, 1, 3)),
        ("!( 'a' <3> ( 'b' <-> 'c' ) )", "abc", (0, 3, 4)),
        ("( 'a' <-> 'b' ) <-> 'c' <-> ( 'd' <2> 'e' )", "abcde", (0, 1, 2, 3, 5)),
        ("'a' <0> 'b'", "ab", (0, 0)),
    ],
)
def test_a_phrase_is_words_at_distances(tsquery: str, words: str, offsets: tuple[int, ...]) -> None:
    tree = parse(tsquery)
    assert tree is not None
    assert list(phrases(tree)) == [Phrase(tuple(map(Word, words)), offsets)]


@pytest.mark.parametrize("text", ["a", "'a", "'a' 'b'", "'a' &", "( 'a'", "'a':*", "& 'a'"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a tsquery"):
        parse(text)


def test_a_phrase_of_other_than_words_is_refused() -> None:
    with pytest.raises(ValueError, match="other than words"):
        parse("!'a' <-> 'b'")
