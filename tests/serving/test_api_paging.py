"""Lists that are read page by page: what a cursor belongs to, and what publishes do meanwhile."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from serving.models import JobsQuery
from serving.routes.jobs import identity
from serving.search import cursors
from tests.serving.published_rows import DAY, Connection, add_job, add_publish, coming_version, ids

FUZZED = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_on(api: httpx.Client, query: str, cursor: str) -> httpx.Response:
    return api.get(f"/api/jobs?{query}", params=httpx.QueryParams(query).set("cursor", cursor))


@pytest.fixture
def many(connection: Connection) -> None:
    for number in range(12):
        add_job(connection, f"a_{number:02}", title="Backend Engineer", country="US", city="Leeds",
                company="Initech", posted_at=DAY - timedelta(hours=number))  # fmt: skip
    add_publish(connection, "run-1")


QUERY = "search=backend&country=us,gb&city=leeds&source=a,b&sort=newest&limit=5"


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "same",
    [
        "source=b&source=a&city=LEEDS&country=GB&country=US&search=backend",
        "search=+backend+&country=US,gb,us&city=Leeds&city=leeds&source=b,a&limit=3",
        QUERY + "&facets=company,city&offset=1&remote_only=false&status=likely_closed,open",
        QUERY + "&utm_source=feed&fbclid=x",
        QUERY.replace("backend", "%EF%BD%82ackend"),
    ],
)
def test_the_same_query_reads_on_however_it_is_written(api: httpx.Client, same: str) -> None:
    cursor = api.get(f"/api/jobs?{QUERY}").json()["next"]
    answer = read_on(api, same, cursor)
    assert ids(answer)[0] == ("a_06" if "offset" in same else "a_05")


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    "other",
    [
        QUERY.replace("backend", "engineer"),
        QUERY.replace("newest", "relevance"),
        QUERY.replace("us,gb", "us"),
        QUERY + "&posted_since=2026-02-01",
        QUERY + "&salary_min=1",
        QUERY + "&status=closed",
        "limit=5",
    ],
)
@pytest.mark.trial("client", "A cursor is of another query")
def test_the_cursor_of_another_query_is_refused(api: httpx.Client, other: str) -> None:
    cursor = api.get(f"/api/jobs?{QUERY}").json()["next"]
    answer = read_on(api, other, cursor)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["parameter"] == "cursor"
    assert "another query" in error["message"]


@pytest.mark.usefixtures("many")
def test_the_cursor_of_another_list_is_refused(api: httpx.Client) -> None:
    of_jobs = api.get("/api/jobs?limit=5").json()["next"]
    of_changes = api.get("/api/jobs/changes?limit=5").json()["next"]
    assert api.get("/api/jobs", params={"cursor": of_changes}).status_code == 422
    assert api.get("/api/jobs/changes", params={"cursor": of_jobs}).status_code == 422


PLACES = st.tuples(
    st.sampled_from(["newest", "relevance", "similar", "alike", "other"]),
    st.floats() | st.integers() | st.sampled_from(["NaN", "Infinity", None]),
    st.datetimes().map(str)
    | st.sampled_from(
        ["-infinity", "infinity", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
         "2026-02-06T10:30:00", "2026-02-06T10:30:00Z", "20260206", "", None]
    ),
    st.text(max_size=30) | st.none(),
    st.integers(-1, 2**63) | st.none(),
    st.integers(0, 3),
    st.lists(st.floats() | st.integers(), max_size=2) | st.none(),
)  # fmt: skip


def encoded(value: Any) -> str:
    try:
        text = orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):  # wider than 64 bits
        text = repr(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@pytest.mark.usefixtures("many")
@FUZZED
@given(place=PLACES, search=st.sampled_from(["", "backend", "enginer"]))
@example(place=("similar", 0.5, "2026-02-06T10:30:00Z", "a_1", 0, 0, []), search="")
@example(place=("relevance", 10**400, "-infinity", "a_1", 0, 0, [1e300]), search="backend")
@example(place=("moved", 0, "infinity", "", 0, 3, []), search="backend")
@example(place=("similar", None, None, "a_1", 0, 3, []), search="backend")
@example(place=("alike", None, "-infinity", None, 0, 3, []), search="enginer")
@pytest.mark.trial("client", "A cursor is forged")
def test_a_forged_place_is_answered_or_refused(
    api: httpx.Client, place: tuple[Any, ...], search: str
) -> None:
    of = identity(JobsQuery(search=search))
    for values in ([of, place], [of, *place], place):
        parameters = {"search": search, "cursor": encoded(values)[:5000]}
        answer = api.get("/api/jobs", params=parameters)
        assert answer.status_code in (200, 422), answer.text
    if place[0] not in ("newest", "moved") and not search:
        assert api.get("/api/jobs", params={"cursor": encoded([of, place])}).status_code == 422


NESTED = base64.urlsafe_b64encode(b"[" * 700).decode()


@FUZZED
@given(cursor=st.binary(max_size=200).map(lambda raw: base64.b64encode(raw).decode()) | st.text())
@example(cursor=NESTED)
@example(cursor=base64.b64encode(b'["x", [NaN]]').decode())
@example(cursor="A" * 1000)
@example(cursor="\ud7ff=é")
@pytest.mark.trial("client", "A cursor is any text")
def test_a_text_that_is_no_cursor_is_refused(api: httpx.Client, cursor: str) -> None:
    for path in ("/api/jobs", "/api/jobs/changes"):
        answer = api.get(path, params={"cursor": cursor})
        assert answer.status_code == (422 if cursor else 200), answer.text


def test_an_id_of_any_length_can_be_read_on_from(api: httpx.Client, connection: Connection) -> None:
    known = [f"a_{digit}{'é' * 1200}" for digit in (2, 1)]
    for job_id in known:
        add_job(connection, job_id)
    first = api.get("/api/jobs?limit=1").json()
    assert ids(api.get("/api/jobs", params={"limit": 1, "cursor": first["next"]})) == known[1:]


def test_a_version_beyond_all_is_no_failure(api: httpx.Client) -> None:
    of = cursors.identity("changes")
    for version, status in ((2**62, 200), (2**62 + 1, 422), (10**30, 422), (-1, 422), (1.5, 422)):
        cursor = base64.b64encode(f'["{of}",[{version},"a"]]'.encode()).decode()
        assert api.get("/api/jobs/changes", params={"cursor": cursor}).status_code == status


def test_each_job_comes_once_or_again_where_its_date_moved(
    api: httpx.Client, connection: Connection
) -> None:
    """What moves up beyond the reader comes after the rest, what moves down again; what is new
    above comes to the next reader, and other changes make no difference."""
    for number in range(30):
        posted_at = DAY - timedelta(hours=number) if number < 25 else None
        add_job(connection, f"a_{number:02}", posted_at=posted_at)
    add_publish(connection, "run-1")

    def publish(**dates: datetime) -> None:
        version = coming_version(connection)
        with connection.transaction():
            for job_id, posted_at in dates.items():
                connection.execute(
                    "update jobs set posted_at = %s, changed_version = %s where job_id = %s",
                    (posted_at, version, job_id),
                )
            connection.execute(
                "update jobs set title = 'Other', posted_at = posted_at, changed_version = %s"
                " where job_id in ('a_00', 'a_22')",
                (version,),
            )
            add_job(connection, f"b_{version}", posted_at=DAY + timedelta(days=1))
            add_publish(connection, f"run-{version}")

    early, late = DAY - timedelta(days=9), DAY + timedelta(hours=1)
    seen: list[str] = []
    cursor: str | None = ""
    for page in range(20):
        answer = api.get("/api/jobs", params={"limit": 7} | ({"cursor": cursor} if cursor else {}))
        seen += ids(answer)
        assert (
            answer.json()["total"] == connection.execute("select count(*) from jobs").fetchone()[0]
        )  # type: ignore[index]
        cursor = answer.json()["next"]
        if cursor is None:
            break
        match page:
            case 1:  # one not seen moves up, an undated one too, one seen moves down
                publish(a_20=late, a_29=late, a_03=early)
            case 2:
                publish(a_24=late)
            case 3:  # before those that moved are read
                publish(a_28=late)
    dated, undated = [n for n in range(25) if n not in (3, 20, 24)], [27, 26, 25]
    unmoved = [f"a_{number:02}" for number in dated + undated]
    assert [job_id for job_id in seen if job_id in unmoved] == unmoved
    assert seen.count("a_03") == 2
    assert set(seen) == {f"a_{number:02}" for number in range(30)}
    assert len(seen) == 32  # a_28 was seen before it moved
    assert seen[-1] == "a_28"
    assert ids(api.get("/api/jobs?limit=3")) == ["b_4", "b_3", "b_2"]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("title", ["Backend Engineer", "Gardener"])
def test_a_ranked_list_goes_on_though_a_publish_makes_its_words_rarer_or_not(
    api: httpx.Client, connection: Connection, title: str
) -> None:
    query = "search=backend&sort=relevance&limit=5"
    first = api.get(f"/api/jobs?{query}")
    for number in range(9):
        add_job(connection, f"b_{number}", title=title, posted_at=DAY - timedelta(days=99))
    add_publish(connection, "run-2")
    seen, cursor = ids(first), first.json()["next"]
    while cursor:
        page = read_on(api, query, cursor)
        seen, cursor = seen + ids(page), page.json()["next"]
    old = [job_id for job_id in seen if job_id.startswith("a_")]
    assert old == [f"a_{number:02}" for number in range(12)]
    assert len(seen) == len(set(seen))
