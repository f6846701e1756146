"""Given responses and faults: the simulator does what the other tests tell it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from pipeline.simulator.faults import (
    MISSING,
    Fault,
    compression_bomb,
    drifted,
    dropped_connection,
    empty_list,
    hang,
    html_instead_of_json,
    rate_limited,
    redirected,
    repeated_page,
    reset_connection,
    server_error,
    slow_drip,
    truncated_json,
)
from pipeline.simulator.market import Market
from pipeline.simulator.messages import Request
from pipeline.simulator.server import Simulator
from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job


@pytest.fixture
def server() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


def remoteok(server: Simulator, timeout: float = 5) -> httpx.Response:
    return httpx.get(f"{server.base_url('remoteok')}/api", timeout=timeout)


def adzuna(server: Simulator, country: str, page: int, **query: str) -> httpx.Response:
    url = f"{server.base_url('adzuna')}/v1/api/jobs/{country}/search/{page}"
    return httpx.get(url, params=query)


def test_a_source_without_an_answer_answers_emptily(server: Simulator) -> None:
    assert [list(element) for element in remoteok(server).json()] == [["last_updated", "legal"]]
    assert httpx.get(f"{server.url}/jsearch/search").json()["data"] == []
    assert adzuna(server, "gb", 1).json()["results"] == []


def test_a_list_is_page_one_and_later_pages_are_empty(server: Simulator) -> None:
    job = jsearch_job()
    server.give("jsearch", [job])
    url = f"{server.base_url('jsearch')}/search"
    first = httpx.get(url, params={"query": "sre", "page": "1"}).json()
    assert first["data"] == [job]
    assert first["parameters"]["query"] == "sre"
    assert httpx.get(url, params={"query": "sre", "page": "2"}).json()["data"] == []


def test_the_most_precise_answer_wins(server: Simulator) -> None:
    anywhere, british, second = adzuna_job(), adzuna_job(), adzuna_job()
    server.give("adzuna", [british], country="gb", query="sre")
    server.give("adzuna", [anywhere])
    server.give("adzuna", [second], country="gb", query="sre", page=2)
    assert adzuna(server, "gb", 1, what="sre").json()["results"] == [british]
    assert adzuna(server, "gb", 2, what="sre").json()["results"] == [second]
    assert adzuna(server, "us", 1, what="sre").json()["results"] == [anywhere]


def test_a_callable_sees_the_request_and_bytes_pass_unchanged(server: Simulator) -> None:
    def echo(request: Request) -> dict[str, str]:
        return dict(request.query)

    server.give("jsearch", echo, status=418, headers={"X-Test": "yes"})
    answer = httpx.get(f"{server.url}/jsearch/search?query=a&page=7")
    assert (answer.status_code, answer.headers["X-Test"]) == (418, "yes")
    assert answer.json() == {"query": "a", "page": "7"}
    server.give("remoteok", b'[{"id": "\x80"}]')
    assert remoteok(server).content == b'[{"id": "\x80"}]'


def test_requests_are_recorded(server: Simulator) -> None:
    url = f"{server.base_url('adzuna')}/v1/api/jobs/gb/search/3"
    httpx.get(url, params={"what_or": "sre devops"}, headers={"User-Agent": "jobs/1"})
    assert httpx.get(f"{server.url}/elsewhere").status_code == 404
    request, stray = server.requests
    assert (request.source, request.country, request.page) == ("adzuna", "gb", 3)
    assert (request.search, request.headers["user-agent"]) == ("sre devops", "jobs/1")
    assert stray.source is None
    assert stray.received_at >= request.received_at
    assert server.requests_to("adzuna") == [request]


def test_faults_come_in_order_and_end(server: Simulator) -> None:
    server.give("remoteok", [remoteok_job()])
    server.fault("remoteok", rate_limited(retry_after=2, times=2), server_error(status=502))
    answers = [remoteok(server) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 502, 200]
    assert answers[0].headers["Retry-After"] == "2"
    assert len(answers[3].json()) == 2


def test_a_fault_of_one_page_leaves_the_others(server: Simulator) -> None:
    server.fault("adzuna", server_error(times=None), page=2)
    assert [adzuna(server, "gb", page).status_code for page in (1, 2, 2, 3)] == [200, 503, 503, 200]
    server.heal("adzuna")
    assert adzuna(server, "gb", 2).status_code == 200


def test_hang_outlasts_a_read_timeout_but_not_the_server(server: Simulator) -> None:
    server.fault("remoteok", hang(60))
    with pytest.raises(httpx.ReadTimeout):
        remoteok(server, timeout=0.1)
    assert remoteok(server).status_code == 200


def test_slow_drip_never_times_out_a_read_but_takes_long(server: Simulator) -> None:
    server.give("remoteok", b"x" * 100)
    server.fault("remoteok", slow_drip(bytes_per_second=200))
    started = time.monotonic()
    assert len(remoteok(server, timeout=0.3).content) == 100
    assert time.monotonic() - started > 0.4


def test_truncated_json_is_correct_http(server: Simulator) -> None:
    server.give("remoteok", [remoteok_job()])
    server.fault("remoteok", truncated_json())
    answer = remoteok(server)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_body_shorter_than_announced_breaks_the_connection(server: Simulator) -> None:
    server.give("remoteok", [remoteok_job()])
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
def test_wrong_bodies(server: Simulator, fault: Fault, body: bytes) -> None:
    server.fault("remoteok", fault)
    assert remoteok(server).content.startswith(body)


def test_a_dropped_connection_answers_nothing(server: Simulator) -> None:
    server.fault("remoteok", dropped_connection())
    with pytest.raises(httpx.RemoteProtocolError):
        remoteok(server)


def test_postings_have_ids_of_their_own_and_take_any_override(server: Simulator) -> None:
    assert remoteok_job()["id"] != remoteok_job()["id"]
    assert jsearch_job()["job_id"] != jsearch_job()["job_id"]
    assert adzuna_job()["id"] != adzuna_job()["id"]
    assert "position" not in remoteok_job(position=MISSING)
    wild = remoteok_job(id=7, tags="python", position="a\x00b", description="\ud800" * 3)
    server.give("remoteok", [wild])
    body = remoteok(server).content
    assert rb"a\u0000b" in body
    assert rb"\ud800" in body
    assert json.loads(body)[1] == wild


def test_a_reset_connection_breaks_in_the_middle(server: Simulator) -> None:
    server.give("remoteok", [remoteok_job()])
    server.fault("remoteok", reset_connection())
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        remoteok(server)
    assert remoteok(server).status_code == 200


def test_a_bomb_is_small_on_the_wire_and_a_redirect_leads_where_it_is_told(
    server: Simulator,
) -> None:
    server.fault("remoteok", compression_bomb(5), redirected("/elsewhere", status=308))
    with httpx.stream("GET", f"{server.base_url('remoteok')}/api") as response:
        assert int(response.headers["Content-Length"]) < 10_000
        assert len(response.read()) == 5_000_000
    answer = remoteok(server)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/elsewhere")


def test_drift_changes_a_field_wherever_it_is(server: Simulator) -> None:
    server.give("adzuna", [adzuna_job(), adzuna_job()])
    server.fault("adzuna", drifted("display_name", MISSING, 1), drifted("count", str, 1))
    first, second = adzuna(server, "gb", 1).json(), adzuna(server, "gb", 1).json()
    assert "display_name" not in json.dumps(first)
    assert second["count"] == "2"
    assert all("display_name" in job["company"] for job in second["results"])


def test_faults_and_given_responses_go_with_a_market() -> None:
    keys = {"app_id": "a", "app_key": "b"}
    with Simulator(Market(size=300)) as server:
        first, second = (adzuna(server, "us", page, **keys).json()["results"] for page in (1, 2))
        assert {job["id"] for job in first}.isdisjoint(job["id"] for job in second)
        server.fault("adzuna", repeated_page(), server_error())
        assert adzuna(server, "us", 2, **keys).json()["results"] == first
        assert adzuna(server, "us", 2, **keys).status_code == 503
        assert adzuna(server, "us", 2, **keys).json()["results"] == second
        server.give("adzuna", [adzuna_job(id="1")])
        assert [job["id"] for job in adzuna(server, "us", 1).json()["results"]] == ["1"]
        assert len(remoteok(server).json()) > 1
        assert len(server.requests_to("adzuna")) == 6
