"""Which postings are not published, and why; which roles a list shows."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.serving.published_rows import Connection, ids
from tests.support.whole_transform import publish_mapped


@pytest.fixture
def published(connection: Connection) -> None:
    publish_mapped(
        connection,
        {"title": "Backend Engineer"},
        {"title": "Account Executive"},
        {"title": " "},
        {"title": "Frontend Engineer (React)"},
        {"title": "Registered Nurse"},
    )


def rejected(api: httpx.Client, **params: Any) -> dict[str, Any]:
    answer = api.get("/api/rejected", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_is_not_published_is_listed_with_the_reason(
    api: httpx.Client, published: None
) -> None:
    everything = rejected(api)
    assert everything["next"] is None
    by_id = {posting["posting_id"]: posting for posting in everything["postings"]}
    assert list(by_id) == ["remoteok_1", "remoteok_2", "remoteok_4"]
    assert by_id["remoteok_2"]["kind"] == "rejected"
    assert by_id["remoteok_2"]["reason"] == "title is empty"
    for posting_id, word in (("remoteok_1", "account executive"), ("remoteok_4", "nurse")):
        assert by_id[posting_id]["kind"] == "irrelevant"
        assert word in by_id[posting_id]["title"].lower()
        assert word in by_id[posting_id]["reason"]


def test_one_posting_is_asked_for_and_pages_are_read_on(api: httpx.Client, published: None) -> None:
    (one,) = rejected(api, posting_id="remoteok_4")["postings"]
    assert one["title"] == "Registered Nurse"
    assert rejected(api, posting_id="remoteok_0")["postings"] == []
    first = rejected(api, limit=2)
    rest = rejected(api, limit=2, cursor=first["next"])
    found = [posting["posting_id"] for posting in first["postings"] + rest["postings"]]
    assert found == ["remoteok_1", "remoteok_2", "remoteok_4"]
    assert rest["next"] is None
    for bad in ("x", first["next"][:-2]):
        assert api.get("/api/rejected", params={"cursor": bad}).status_code == 422
    assert api.get("/api/rejected?posting_id=a%00b").status_code == 422


def test_a_posting_that_becomes_a_job_is_rejected_no_more(
    api: httpx.Client, connection: Connection, published: None
) -> None:
    publish_mapped(
        connection,
        {"title": "Backend Engineer"},
        {"title": "Platform Engineer"},
        {"title": "Dog Walker"},
    )
    found = {posting["posting_id"]: posting for posting in rejected(api)["postings"]}
    assert list(found) == ["remoteok_2"]
    assert (found["remoteok_2"]["kind"], found["remoteok_2"]["title"]) == (
        "irrelevant",
        "Dog Walker",
    )


def test_a_list_shows_the_installations_roles_unless_it_is_asked_for_others(
    api: httpx.Client, published: None
) -> None:
    assert ids(api.get("/api/jobs")) == ["remoteok_0"]
    assert ids(api.get("/api/jobs?category=frontend")) == ["remoteok_3"]
    assert sorted(ids(api.get("/api/jobs?category=all"))) == ["remoteok_0", "remoteok_3"]
    assert sorted(ids(api.get("/api/jobs?category=all,backend"))) == ["remoteok_0", "remoteok_3"]
    lines = api.get("/api/jobs.csv").text.splitlines()
    assert len(lines) == 2
    assert len(api.get("/api/jobs.csv?category=all").text.splitlines()) == 3
    assert api.get("/api/jobs?category=chef").status_code == 422
    counts = api.get("/api/jobs?category=all&facets=category").json()["facets"]["category"]
    assert {one["value"] for one in counts} == {"backend", "frontend"}
