"""The server that other tests rely on does what it says."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import httpx
import pytest
from source_server import (
    MISSING,
    Fault,
    Request,
    SourceServer,
    adzuna_job,
    dropped_connection,
    empty_list,
    hang,
    html_instead_of_json,
    jsearch_job,
    rate_limited,
    remoteok_job,
    server_error,
    slow_drip,
    truncated_json,
)


@pytest.fixture
def server() -> Iterator[SourceServer]:
    with SourceServer() as running:
        yield running


def remoteok(server: SourceServer, timeout: float = 5) -> httpx.Response:
    return httpx.get(f"{server.base_url('remoteok')}/api", timeout=timeout)


def adzuna(server: SourceServer, country: str, page: int, **query: str) -> httpx.Response:
    url = f"{server.base_url('adzuna')}/v1/api/jobs/{country}/search/{page}"
    return httpx.get(url, params=query)


def test_a_source_without_an_answer_answers_emptily(server: SourceServer) -> None:
    assert [list(element) for element in remoteok(server).json()] == [["last_updated", "legal"]]
    assert httpx.get(f"{server.url}/jsearch/search").json()["data"] == []
    assert adzuna(server, "gb", 1).json()["results"] == []


def test_a_list_is_page_one_and_later_pages_are_empty(server: SourceServer) -> None:
    job = jsearch_job()
    server.answer("jsearch", [job])
    url = f"{server.base_url('jsearch')}/search"
    first = httpx.get(url, params={"query": "sre", "page": "1"}).json()
    assert first["data"] == [job]
    assert first["parameters"]["query"] == "sre"
    assert httpx.get(url, params={"query": "sre", "page": "2"}).json()["data"] == []


def test_the_most_precise_answer_wins(server: SourceServer) -> None:
    anywhere, british, second = adzuna_job(), adzuna_job(), adzuna_job()
    server.answer("adzuna", [british], country="gb", query="sre")
    server.answer("adzuna", [anywhere])
    server.answer("adzuna", [second], country="gb", query="sre", page=2)
    assert adzuna(server, "gb", 1, what="sre").json()["results"] == [british]
    assert adzuna(server, "gb", 2, what="sre").json()["results"] == [second]
    assert adzuna(server, "us", 1, what="sre").json()["results"] == [anywhere]


def test_a_callable_sees_the_request_and_bytes_pass_unchanged(server: SourceServer) -> None:
    def echo(request: Request) -> dict[str, str]:
        return dict(request.query)

    server.answer("jsearch", echo, status=418, headers={"X-Test": "yes"})
    answer = httpx.get(f"{server.url}/jsearch/search?query=a&page=7")
    assert (answer.status_code, answer.headers["X-Test"]) == (418, "yes")
    assert answer.json() == {"query": "a", "page": "7"}
    server.answer("remoteok", b'[{"id": "\x80"}]')
    assert remoteok(server).content == b'[{"id": "\x80"}]'


def test_requests_are_recorded(server: SourceServer) -> None:
    url = f"{server.base_url('adzuna')}/v1/api/jobs/gb/search/3"
    httpx.get(url, params={"what_or": "sre devops"}, headers={"User-Agent": "jobs/1"})
    assert httpx.get(f"{server.url}/elsewhere").status_code == 404
    request, stray = server.requests
    assert (request.source, request.country, request.page) == ("adzuna", "gb", 3)
    assert (request.search, request.headers["user-agent"]) == ("sre devops", "jobs/1")
    assert stray.source is None
    assert stray.received_at >= request.received_at
    assert server.requests_to("adzuna") == [request]


def test_faults_come_in_order_and_end(server: SourceServer) -> None:
    server.answer("remoteok", [remoteok_job()])
    server.fault("remoteok", rate_limited(retry_after=2, times=2), server_error(status=502))
    answers = [remoteok(server) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 502, 200]
    assert answers[0].headers["Retry-After"] == "2"
    assert len(answers[3].json()) == 2


def test_a_fault_of_one_page_leaves_the_others(server: SourceServer) -> None:
    server.fault("adzuna", server_error(times=None), page=2)
    assert [adzuna(server, "gb", page).status_code for page in (1, 2, 2, 3)] == [200, 503, 503, 200]
    server.heal("adzuna")
    assert adzuna(server, "gb", 2).status_code == 200


def test_hang_outlasts_a_read_timeout_but_not_the_server(server: SourceServer) -> None:
    server.fault("remoteok", hang(60))
    with pytest.raises(httpx.ReadTimeout):
        remoteok(server, timeout=0.1)
    assert remoteok(server).status_code == 200


def test_slow_drip_never_times_out_a_read_but_takes_long(server: SourceServer) -> None:
    server.answer("remoteok", b"x" * 100)
    server.fault("remoteok", slow_drip(bytes_per_second=200))
    started = time.monotonic()
    assert len(remoteok(server, timeout=0.3).content) == 100
    assert time.monotonic() - started > 0.4


def test_truncated_json_is_correct_http(server: SourceServer) -> None:
    server.answer("remoteok", [remoteok_job()])
    server.fault("remoteok", truncated_json())
    answer = remoteok(server)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_body_shorter_than_announced_breaks_the_connection(server: SourceServer) -> None:
    server.answer("remoteok", [remoteok_job()])
    server.fault("remoteok", truncated_json(announce_whole=True))
    with pytest.raises(httpx.RemoteProtocolError):
        remoteok(server)
    port = int(server.url.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/remoteok/api")
    assert connection.getresponse().status == 200


@pytest.mark.parametrize(
    ("fault", "body"), [(html_instead_of_json(), b"<!DOCTYPE"), (empty_list(), b"[]")]
)
def test_wrong_bodies(server: SourceServer, fault: Fault, body: bytes) -> None:
    server.fault("remoteok", fault)
    assert remoteok(server).content.startswith(body)


def test_a_dropped_connection_answers_nothing(server: SourceServer) -> None:
    server.fault("remoteok", dropped_connection())
    with pytest.raises(httpx.RemoteProtocolError):
        remoteok(server)


def test_postings_have_ids_of_their_own_and_take_any_override(server: SourceServer) -> None:
    assert remoteok_job()["id"] != remoteok_job()["id"]
    assert jsearch_job()["job_id"] != jsearch_job()["job_id"]
    assert adzuna_job()["id"] != adzuna_job()["id"]
    assert "position" not in remoteok_job(position=MISSING)
    wild = remoteok_job(id=7, tags="python", position="a\x00b", description="\ud800" * 3)
    server.answer("remoteok", [wild])
    body = remoteok(server).content
    assert rb"a\u0000b" in body
    assert rb"\ud800" in body
    assert json.loads(body)[1] == wild
