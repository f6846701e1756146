"""Searching, filtering, counting and paging through the front door."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from pipeline.publish.migrate import known_migrations, migrate
from serving.models import MAX_OFFSET, Job, JobPostings, Jobs
from tests.serving.published_rows import DAY, Connection, add_job, add_publish, ids


@pytest.fixture
def technologies(connection: Connection) -> None:
    for job_id, title, description, skills in [
        ("a_cpp", "C++ Engineer", "Modern C++17 on Linux", ["C++"]),
        ("a_csharp", "Senior C# Developer", "We use C# and F#.", ["C#"]),
        ("a_c", "C Developer", "Embedded C, nothing else", ["C"]),
        ("a_net", "Backend Engineer (.NET)", "ASP.NET Core services", [".NET"]),
        ("a_node", "Engineer", "You know Node.js, not nodes.", ["Node.js"]),
        ("a_go", "Engineer", "Services that scale", ["Go"]),
        ("a_verb", "Engineer", "Ready to go to market? Let's go!", []),
    ]:
        add_job(connection, job_id, title=title, description=description, skills=skills)


@pytest.mark.usefixtures("technologies")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("c++", ["a_cpp"]),
        ("C++", ["a_cpp"]),
        ("c#", ["a_csharp"]),
        ("f#", ["a_csharp"]),
        ("c", ["a_c"]),
        ('"c++ engineer"', ["a_cpp"]),
        ("developer -c#", ["a_c"]),
        ("c++ or c#", ["a_cpp", "a_csharp"]),
        (".net", ["a_net"]),
        (".NET", ["a_net"]),
        ("asp.net", ["a_net"]),
        ("node.js", ["a_node"]),
        ("Node.js", ["a_node"]),
        ("nodejs", ["a_node"]),
        ("go", ["a_go"]),
        ("Go", ["a_go"]),
        ("golang", ["a_go"]),
        ('"go to market"', ["a_verb"]),
    ],
)
def test_technologies_are_found_as_typed(api: httpx.Client, search: str, found: list[str]) -> None:
    answer = api.get("/api/jobs", params={"search": search})
    assert sorted(ids(answer)) == found
    assert answer.json()["match"] == "exact"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("backend", ["a_1", "a_2"]),
        ("back-end", ["a_1", "a_2"]),
        ('"back end developer"', ["a_1"]),
        ('"developpeur"', ["a_2"]),
        ("Développeur -senior", ["a_2"]),
        ("postgres k8s", ["a_1"]),
        ("kube*", ["a_1"]),
        ("后端", ["a_3"]),
        ("sr developer", ["a_1"]),
        ("oncall or 工程", ["a_2", "a_3"]),
    ],
)
def test_usual_spellings_are_one_word(
    api: httpx.Client, connection: Connection, search: str, found: list[str]
) -> None:
    add_job(connection, "a_1", title="Senior Back-End Developer", tags=["kubernetes", "PostgreSQL"])
    add_job(connection, "a_2", title="Développeur backend", description="On-call, one week in six")
    add_job(connection, "a_3", title="北京后端工程师 (C#)")
    answer = api.get("/api/jobs", params={"search": search})
    assert sorted(ids(answer)) == found
    assert answer.json()["match"] == "exact"


MATHEMATICAL = "\U0001d401\U0001d41a\U0001d41c\U0001d424\U0001d41e\U0001d427\U0001d41d"
FULL_WIDTH = "\uff22\uff41\uff43\uff4b\uff45\uff4e\uff44"
CIRCLED = "\u24b7\u24d0\u24d2\u24da\u24d4\u24dd\u24d3"
UNSEEN = "Back\u200bend\u2060 \u202eEngineer\u202c\ufe0f"


def test_words_are_found_however_their_letters_are_written(
    api: httpx.Client, connection: Connection
) -> None:
    for number, title in enumerate([MATHEMATICAL, FULL_WIDTH, CIRCLED, UNSEEN, "backend"]):
        add_job(connection, f"a_{number}", title=title)
    add_job(connection, "b_1", title="Cafe\u0301 Engineer", description="\uff2b\uff19s, 10\u00b2")
    add_job(connection, "b_2", title="Caf\u00e9 Engineer", company="Kubernetes\u2122 Partners")
    add_job(connection, "b_3", title="\uff23\uff0b\uff0b Engineer", skills=["\uff27\uff4f"])
    add_job(connection, "b_4", title="\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u06cc\u0645")
    for search in ("backend", "BACKEND", MATHEMATICAL, FULL_WIDTH, CIRCLED, "back\u200bend\ufeff"):
        answer = api.get("/api/jobs", params={"search": search})
        assert answer.json()["match"] == "exact"
        assert sorted(ids(answer)) == ["a_0", "a_1", "a_2", "a_3", "a_4"], search
    for search, found in [
        ("cafe\u0301", ["b_1", "b_2"]),
        ("caf\u00e9", ["b_1", "b_2"]),
        ("k9s", ["b_1"]),
        ("kubernetes", ["b_2"]),
        ("c++", ["b_3"]),
        ("golang", ["b_3"]),
        ("\uff02cafe\u0301 engineer\uff02 \uff0dkubernetes", ["b_1"]),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u06cc\u0645", ["b_4"]),
        ("\u0645\u06cc\u062e\u0648\u0627\u0647\u06cc\u0645", ["b_4"]),
    ]:
        assert sorted(ids(api.get("/api/jobs", params={"search": search}))) == found, search


def test_what_was_published_before_is_found_in_plain_letters_too(postgres: Any) -> None:
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute("create database before")
    with psycopg.connect(postgres.get_uri("before"), autocommit=True) as connection:
        earlier = [m for m in known_migrations() if m.version < 6]
        migrate(connection, earlier)
        for job_id, title in [("a_1", MATHEMATICAL), ("a_2", "Backend"), ("a_3", UNSEEN)]:
            add_job(connection, job_id, title=title, content_hash="0")
        migrate(connection)
        found = (
            "select array_agg(job_id order by job_id) from jobs"
            " where job_words(title, company, skills, tags, description)"
            " @@ search_query('backend')"
        )
        assert connection.execute(found).fetchone() == (["a_1", "a_2", "a_3"],)
        # PostgreSQL computes what is indexed by itself, where it sees no function by its name.
        connection.execute("vacuum (analyze) jobs")
        connection.execute("reindex table jobs")


def test_a_search_of_unseen_characters_is_none(api: httpx.Client, connection: Connection) -> None:
    add_job(connection, "a_1")
    assert ids(api.get("/api/jobs", params={"search": "\u200b\ufeff \u202e"})) == ["a_1"]


NUMERA = ["Numera", "Numera, Inc.", "NUMERA S.p.A.", "N\u00famera GmbH",
          "Numera GmbH & Co. KG", "Numera Sp. z o.o.", "numera Pty. Ltd.", "The Numera Company",
          "Numera\u2122 L.L.C.", "Numera A/S", "\u041e\u041e\u041e \u00abNumera\u00bb",
          "Numera\u682a\u5f0f\u4f1a\u793e", "\uff2e\uff55\uff4d\uff45\uff52\uff41"]  # fmt: skip
OTHERS = ["Numeral Inc", "Numera Labs", "Nu Mera", "Inc", "AT&T Inc.", "???",
          "\u682a\u5f0f\u4f1a\u793e", "\u30b0\u30ed\u30fc\u30d0\u30eb\u5408\u540c\u4f1a\u793e",
          "Co Ltd", "L'Or\u00e9al", "C++ Ltd", None]  # fmt: skip


def test_a_company_is_found_by_its_name_without_its_form(
    api: httpx.Client, connection: Connection
) -> None:
    for number, company in enumerate(NUMERA + OTHERS):
        add_job(connection, f"a_{number}", company=company)

    def found(*companies: str) -> list[str]:
        answer = api.get("/api/jobs", params={"company": companies, "limit": 200})
        return sorted(job["company"] for job in answer.json()["jobs"])

    for name in ("numera", "Numera Inc", *NUMERA):
        assert found(name) == sorted(NUMERA), name
    for name in filter(None, OTHERS):
        assert found(name) == [name], "an exact name finds itself"
    assert found("at and t", "l\u2019oreal", "nobody") == ["AT&T Inc.", "L'Or\u00e9al"]
    assert found("ltd") == []
    counts = api.get("/api/jobs?facets=company").json()["facets"]["company"]
    assert {count["value"] for count in counts} == {*NUMERA, *OTHERS}


def test_a_city_is_found_by_its_name_without_accents(
    api: httpx.Client, connection: Connection
) -> None:
    for number, city in enumerate(
        ["Z\u00fcrich", "ZURICH", "Zu\u0308rich", "St.-Denis", "\u0141\u00f3d\u017a"]
    ):
        add_job(connection, f"a_{number}", city=city)
    for city in ("zurich", "Z\u00dcRICH", "zu\u0308rich"):
        assert sorted(ids(api.get("/api/jobs", params={"city": city}))) == ["a_0", "a_1", "a_2"]
    assert ids(api.get("/api/jobs?city=st+denis")) == ["a_3"]
    assert ids(api.get("/api/jobs?city=lodz")) == ["a_4"]


def test_a_job_without_a_date_counts_by_when_it_was_found(
    api: httpx.Client, connection: Connection
) -> None:
    add_job(connection, "a_new")
    add_job(connection, "a_undated", posted_at=None)
    add_job(connection, "a_old", posted_at=DAY - timedelta(days=30))
    add_job(connection, "a_undated_old", posted_at=None, first_seen_at=DAY - timedelta(days=30))
    assert ids(api.get("/api/jobs?posted_since=2026-02-06")) == ["a_new", "a_undated"]
    assert ids(api.get("/api/jobs?posted_since=2026-02-07")) == []
    lines = api.get("/api/jobs.csv?posted_since=2026-02-06").text.splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["a_new", "a_undated"]


def test_relevance_puts_title_over_company_over_skills_over_text(
    api: httpx.Client, connection: Connection
) -> None:
    often = "kafka " * 50
    newest = DAY + timedelta(days=1)
    add_job(connection, "a_text", description=often, posted_at=newest)
    add_job(connection, "a_skill", skills=["Kafka"])
    add_job(connection, "a_company", company="Kafka Inc")
    add_job(connection, "a_title", title="Kafka Engineer", posted_at=DAY - timedelta(days=30))
    by_relevance = api.get("/api/jobs?search=kafka&sort=relevance")
    assert ids(by_relevance) == ["a_title", "a_company", "a_skill", "a_text"]
    assert by_relevance.json()["total"] == 4
    assert ids(api.get("/api/jobs?search=kafka"))[0] == "a_text"


@pytest.mark.parametrize("search", ["kuberntes", "kuberntes enginer", "intech gmbh"])
def test_a_misspelled_title_or_company_is_found(
    api: httpx.Client, connection: Connection, search: str
) -> None:
    add_job(connection, "a_1", title="Kubernetes Engineer", company="Initech GmbH")
    add_job(connection, "a_2", title="Accountant", company="Hooli")
    answer = api.get("/api/jobs", params={"search": search})
    assert ids(answer) == ["a_1"]
    assert answer.json()["match"] == "similar"
    assert answer.json()["total"] == 1


def test_nothing_similar_is_added_to_what_is_found_often(
    api: httpx.Client, connection: Connection
) -> None:
    for number in range(3):
        add_job(connection, f"a_{number}", title="Kuberntes")
    add_job(connection, "a_right", title="Kubernetes")
    answer = api.get("/api/jobs?search=kuberntes")
    assert answer.json()["match"] == "exact"
    assert answer.json()["total"] == 3


@pytest.fixture
def varied(connection: Connection) -> None:
    day = timedelta(days=1)
    add_job(connection, "a_1", city="Zürich", country="CH", company="Acme, Inc.", skills=["Go"],
            salary_min=Decimal(50), salary_max=Decimal(60), salary_currency="USD",
            salary_period="HOUR", salary_usd_yearly_max=Decimal(124_800),
            posted_at=DAY - 2 * day)  # fmt: skip
    add_job(connection, "a_2", city="Austin", country="US", skills=["Go", "C++"],
            salary_min=Decimal(100_000), salary_currency="USD", salary_period="YEAR",
            salary_usd_yearly_min=Decimal(100_000))  # fmt: skip
    add_job(connection, "a_3", country="DE", salary_min=Decimal(200_000), salary_currency="EUR",
            first_seen_at=DAY + day, status="likely_closed", posted_at=None)  # fmt: skip
    add_job(connection, "a_4", category="sre", country="US", status="closed", closed_at=DAY)


@pytest.mark.usefixtures("varied")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a_1", "a_2", "a_3"]),
        ("status=closed", ["a_4"]),
        ("status=closed,likely_closed", ["a_3", "a_4"]),
        ("status=closed&status=open", ["a_1", "a_2", "a_4"]),
        ("country=ch,de", ["a_1", "a_3"]),
        ("country=CH&country=DE,US", ["a_1", "a_2", "a_3"]),
        ("city=zürich", ["a_1"]),
        ("city=Austin&city=Zürich", ["a_1", "a_2"]),
        ("company=acme, inc.", ["a_1"]),
        ("skills=C%2B%2B", ["a_2"]),
        ("skills=C%2B%2B,Go", ["a_1", "a_2"]),
        ("category=sre&status=open", []),
        ("posted_since=2026-02-06", ["a_2", "a_3"]),
        ("posted_since=2026-02-06T10:30:00Z", ["a_2", "a_3"]),
        ("posted_since=2026-02-06T10:30:00.000001Z", ["a_3"]),
        ("first_seen_since=2026-02-07", ["a_3"]),
        ("salary_min=100000&salary_currency=usd", ["a_1", "a_2"]),
        ("salary_min=124800&salary_currency=USD", ["a_1"]),
        ("salary_min=124800.01&salary_currency=USD", []),
        # The salary of a_3 has no period; the others are found at the reference rates.
        ("salary_min=1&salary_currency=EUR", ["a_1", "a_2"]),
        ("salary_min=100000&salary_currency=EUR", ["a_1"]),
        ("salary_min=100000&salary_currency=XXX", []),
        ("posted_since=0001-01-01T00:00:00%2B14:00", ["a_1", "a_2", "a_3"]),
        ("posted_since=9999-12-31T23:59:59-14:00", []),
        ("salary_min=&search=", ["a_1", "a_2", "a_3"]),
        ("salary_min=1", ["a_1", "a_2"]),
        ("salary_currency=EUR", ["a_3"]),
        ("sort=relevance", ["a_1", "a_2", "a_3"]),
        ("sort=relevance&search=%20", ["a_1", "a_2", "a_3"]),
    ],
)
def test_further_filters_and_lists(api: httpx.Client, query: str, found: list[str]) -> None:
    answer = api.get(f"/api/jobs?{query}")
    assert sorted(ids(answer)) == found
    assert answer.json()["total"] == len(found)


@pytest.mark.usefixtures("varied")
def test_a_closed_job_stays_readable(api: httpx.Client) -> None:
    job = api.get("/api/jobs/a_4").json()
    assert job["status"] == "closed"
    assert job["closed_at"] == "2026-02-06T10:30:00Z"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("salary_min=NaN&salary_currency=USD", "finite"),
        (f"offset={MAX_OFFSET + 1}", "follow 'next'"),
        ("cursor=nonsense", "'next' of an earlier answer"),
        ("cursor=W10", "'next' of an earlier answer"),
        ("cursor=WyJuZXdlc3QiLDAsIjIwMjYiXQ", "'next' of an earlier answer"),
        ("cursor=é", "'next' of an earlier answer"),
        ("posted_since=1700000000", "must be a date"),
        ("posted_since=2026-02-30", "date"),
        ("facets=colour", "category"),
        ("skill=go", "did you mean 'skills'?"),
        ("country=" + ",".join(["US"] * 51), "50"),
    ],
)
@pytest.mark.trial("client", "A cursor or a mode comes without what it needs")
def test_what_does_not_fit_together_is_said(api: httpx.Client, query: str, says: str) -> None:
    answer = api.get(f"/api/jobs?{query}")
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["detail"]


@pytest.mark.usefixtures("varied")
def test_facets_count_under_the_present_filters(api: httpx.Client, connection: Connection) -> None:
    add_publish(connection, "run-1")
    answer = api.get("/api/jobs?facets=country,skills&facets=remote&country=US,CH&limit=1").json()
    assert answer["facets"] == {
        "country": [{"value": "CH", "jobs": 1}, {"value": "US", "jobs": 1}],
        "skills": [{"value": "Go", "jobs": 2}, {"value": "C++", "jobs": 1}],
        "remote": [{"value": "false", "jobs": 2}],
    }
    every = "category,source,country,employment_type,remote,status,city,company,skills"
    counted = api.get(f"/api/jobs?facets={every}&search=nosuchword").json()["facets"]
    assert counted == {name: [] for name in every.split(",")}
    assert "facets" not in api.get("/api/jobs").json()


def follow(api: httpx.Client, path: str, between: Any = None) -> list[list[str]]:
    """The ids of each page, as the Link headers lead from one to the next."""
    pages = []
    while True:
        answer = api.get(path)
        pages.append(ids(answer))
        assert ("next" in answer.links) == (answer.json()["next"] is not None)
        if "next" not in answer.links:
            return pages
        path = answer.links["next"]["url"]
        if between is not None:
            between()


@pytest.mark.parametrize("query", ["", "&search=engineer", "&search=engineer&sort=relevance"])
def test_following_next_reads_every_job_once(
    api: httpx.Client, connection: Connection, query: str
) -> None:
    for number in range(7):
        posted = None if number > 4 else DAY - timedelta(days=number // 2)
        add_job(connection, f"a_{number}", posted_at=posted)
    pages = follow(api, f"/api/jobs?limit=3{query}")
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [i for page in pages for i in page] == ids(api.get(f"/api/jobs?limit=50{query}"))
    assert len(follow(api, f"/api/jobs?limit=7{query}")) == 1


def test_pages_stay_in_step_while_jobs_are_published(
    api: httpx.Client, connection: Connection
) -> None:
    for number in range(9):
        add_job(connection, f"a_{number}", posted_at=DAY - timedelta(days=number))
    published = iter(range(100))

    def publish() -> None:
        number = next(published)
        add_job(connection, f"b_{number}", posted_at=DAY + timedelta(days=1 + number))
        add_publish(connection, f"run-{number}")

    pages = follow(api, "/api/jobs?limit=2", publish)
    assert [i for page in pages for i in page] == [f"a_{number}" for number in range(9)]


def test_a_similar_search_is_paged_too(api: httpx.Client, connection: Connection) -> None:
    for number in range(5):
        add_job(connection, f"a_{number}", title=f"Kubernetes Engineer {number}")
    pages = follow(api, "/api/jobs?limit=2&search=kuberntes")
    assert sorted(i for page in pages for i in page) == [f"a_{number}" for number in range(5)]
    assert [len(page) for page in pages] == [2, 2, 1]


@pytest.mark.usefixtures("varied")
def test_what_is_answered_is_what_is_described(api: httpx.Client) -> None:
    """The JSON comes from PostgreSQL unchecked: hold it against the models."""
    every = "category,source,country,employment_type,remote,status,city,company,skills"
    for model, path in [
        (Jobs, f"/api/jobs?facets={every}"),
        (Job, "/api/jobs/a_1"),
        (JobPostings, "/api/jobs/a_1/postings"),
    ]:
        body = api.get(path).json()
        assert model.model_validate(body, extra="forbid")
        assert set(body) == set(model.model_fields)
