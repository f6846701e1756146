"""The imitated APIs over real HTTP, against the contracts and the recorded answers."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.simulator.market import Market
from pipeline.simulator.server import Simulator, SimulatorError, serve

REPOSITORY = Path(__file__).parents[2]
PAYLOADS = REPOSITORY.parent / "shared" / "payloads"
RAPIDAPI = {"X-RapidAPI-Key": "demo", "X-RapidAPI-Host": "demo"}
ADZUNA_KEYS = {"app_id": "demo", "app_key": "demo"}


@pytest.fixture(scope="module")
def demo() -> Iterator[Simulator]:
    with serve() as server:
        yield server


def recorded(name: str) -> Any:
    path = PAYLOADS / name
    if not path.exists():
        pytest.skip(f"the recorded answers are not at {PAYLOADS}")
    return json.loads(path.read_text(encoding="utf-8"))


def jsearch(demo: Simulator, **params: str | int) -> dict[str, Any]:
    answer = httpx.get(f"{demo.url}/jsearch/search-v2", params=params, headers=RAPIDAPI, timeout=30)
    assert answer.status_code == 200
    return answer.json()


def adzuna(demo: Simulator, country: str = "gb", page: int = 1, **params: str | int) -> Any:
    url = f"{demo.url}/adzuna/v1/api/jobs/{country}/search/{page}"
    answer = httpx.get(url, params=ADZUNA_KEYS | params, timeout=30)
    assert answer.status_code == 200
    return answer.json()


def types(values: list[Any]) -> set[type]:
    return {type(value) for value in values if value is not None}


def assert_same_fields(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Every field that was recorded comes too, with a type that was recorded."""
    for name in {name for job in theirs for name in job}:
        mine = types([job[name] for job in ours if name in job])
        real = types([job[name] for job in theirs if name in job])
        assert any(name in job for job in ours), name
        assert not mine or not real or mine & real, name


def test_remoteok_is_a_flat_array_that_ignores_parameters(demo: Simulator) -> None:
    first = httpx.get(f"{demo.url}/remoteok/api", timeout=30).json()
    again = httpx.get(f"{demo.url}/remoteok/api", params={"page": 999, "limit": 1}).json()
    assert set(first[0]) == {"last_updated", "legal"}
    assert 60 < len(first) <= 101
    assert len(again) == pytest.approx(len(first), abs=2)
    epochs = [job["epoch"] for job in first[1:]]
    assert epochs == sorted(epochs, reverse=True)


def test_remoteok_has_the_recorded_fields(demo: Simulator) -> None:
    ours = httpx.get(f"{demo.url}/remoteok/api", timeout=30).json()[1:]
    theirs = recorded("remoteok_2024-12-04.json")[1:]
    theirs = [{k: v for k, v in job.items() if k not in ("original", "verified")} for job in theirs]
    assert_same_fields(ours, theirs)
    assert {name for job in ours for name in job} - {"original", "verified"} == set(theirs[0])


def test_jsearch_refuses_a_request_without_its_key(demo: Simulator) -> None:
    answer = httpx.get(f"{demo.url}/jsearch/search-v2", params={"query": "sre"})
    assert answer.status_code == 401
    assert "message" in answer.json()


def test_jsearch_tells_what_is_left(demo: Simulator) -> None:
    left = []
    for _ in range(2):
        answer = httpx.get(
            f"{demo.url}/jsearch/search-v2", params={"query": "sre"}, headers=RAPIDAPI, timeout=30
        )
        left.append(int(answer.headers["X-RateLimit-Requests-Remaining"]))
        assert int(answer.headers["X-RateLimit-Requests-Reset"]) > 0
    assert left[1] < left[0]


def test_jsearch_pages_hold_ten_jobs_and_repeat_one(demo: Simulator) -> None:
    first = jsearch(demo, query="backend engineer")["data"]
    second = jsearch(demo, query="backend engineer", cursor=first["cursor"])["data"]
    pages = [first["jobs"], second["jobs"]]
    assert [len(page) for page in pages] == [10, 10]
    assert pages[0][-1]["job_id"] == pages[1][0]["job_id"]
    both = jsearch(demo, query="backend engineer", num_pages=2)
    assert both["status"] == "OK"
    assert both["parameters"] == {"query": "backend engineer", "num_pages": 2}
    assert [job["job_id"] for job in both["data"]["jobs"]] == [
        job["job_id"] for page in pages for job in page
    ]
    assert both["data"]["cursor"] == second["cursor"] not in (None, first["cursor"])


def test_jsearch_pages_end_without_a_cursor(demo: Simulator) -> None:
    cursor, seen = "", set()
    while cursor is not None:
        data = jsearch(demo, query="rust", num_pages=20, cursor=cursor)["data"]
        assert not {job["job_id"] for job in data["jobs"][1:]} & seen
        seen |= {job["job_id"] for job in data["jobs"]}
        cursor = data["cursor"]
    assert seen


def test_jsearch_has_given_up_its_older_path(demo: Simulator) -> None:
    answer = httpx.get(f"{demo.url}/jsearch/search", params={"query": "sre"}, headers=RAPIDAPI)
    assert answer.status_code == 404
    assert answer.json() == {"message": "Endpoint '/search' does not exist"}


def test_jsearch_finds_words_places_and_alternatives(demo: Simulator) -> None:
    in_london = jsearch(demo, query="devops engineer in london, uk", num_pages=5)["data"]["jobs"]
    assert in_london
    assert {job["job_country"] for job in in_london} == {"GB"}
    german = jsearch(demo, query="backend engineer", country="de", num_pages=5)["data"]["jobs"]
    assert german
    assert {job["job_country"] for job in german} == {"DE"}
    remote = jsearch(demo, query="sre OR platform engineer", work_from_home="true")["data"]["jobs"]
    assert remote
    assert all(job["job_is_remote"] for job in remote)
    assert jsearch(demo, query="zookeeper in atlantis")["data"] == {"jobs": [], "cursor": None}


@pytest.mark.parametrize(
    "params", [{}, {"query": "sre", "cursor": "x"}, {"query": "a", "num_pages": 0}]
)
def test_jsearch_refuses_what_it_cannot_read(demo: Simulator, params: dict[str, Any]) -> None:
    answer = httpx.get(f"{demo.url}/jsearch/search-v2", params=params, headers=RAPIDAPI)
    assert answer.status_code == 400
    assert answer.json()["status"] == "ERROR"


def test_jsearch_has_the_recorded_fields_of_the_older_answers(demo: Simulator) -> None:
    data = jsearch(demo, query="engineer in united states", num_pages=20)["data"]["jobs"]
    ours = [job for job in data if "job_employment_types" not in job]
    assert 0 < len(ours) < len(data)
    assert_same_fields(ours, recorded("jsearch_2022.json")["data"])


def test_adzuna_refuses_a_request_without_keys(demo: Simulator) -> None:
    url = f"{demo.url}/adzuna/v1/api/jobs/gb/search/1"
    answer = httpx.get(url, params={"app_id": "demo"})
    assert answer.status_code == 401
    assert {"exception", "display"} <= set(answer.json())
    answer = httpx.get(url.replace("/gb/", "/xx/"), params=ADZUNA_KEYS)
    assert answer.status_code == 400
    answer = httpx.get(url, params=ADZUNA_KEYS | {"results_per_page": 51})
    assert "exception" in answer.json()


def test_adzuna_pages_are_all_the_results_newest_first(demo: Simulator) -> None:
    first = adzuna(demo, "us", what="engineer", results_per_page=50, sort_by="date")
    assert first["mean"] > 0
    results = list(first["results"])
    for page in range(2, first["count"] // 50 + 2):
        results += adzuna(demo, "us", page, what="engineer", results_per_page=50)["results"]
    assert len(results) == pytest.approx(first["count"], abs=2)
    created = [job["created"] for job in results]
    assert created == sorted(created, reverse=True)
    assert any("<strong>" in job["title"] for job in results)


def test_adzuna_narrows_by_words_and_category(demo: Simulator) -> None:
    either = adzuna(demo, what_or="kubernetes terraform", category="it-jobs")
    assert either["count"] > 20
    assert {job["category"]["tag"] for job in either["results"]} == {"it-jobs"}
    fewer = adzuna(demo, what_or="kubernetes terraform", what_exclude="kubernetes")
    assert 0 < fewer["count"] < either["count"]
    assert adzuna(demo, "de", category="sales-jobs")["results"][0]["location"]["area"][0] == (
        "Deutschland"
    )


def test_adzuna_has_the_recorded_fields(demo: Simulator) -> None:
    ours = adzuna(demo, results_per_page=50)["results"]
    theirs = recorded("adzuna_gb_2022-06.json")
    assert set(theirs) == set(adzuna(demo))
    assert_same_fields(ours, theirs["results"])
    for part in ("location", "category", "company"):
        assert_same_fields([job[part] for job in ours], [job[part] for job in theirs["results"]])


def test_the_servers_words_are_the_markets_truth(demo: Simulator) -> None:
    market = Market()
    for job in jsearch(demo, query="site reliability engineer", num_pages=3)["data"]["jobs"]:
        truth = market.truth("jsearch", job["job_id"])
        assert job["employer_name"].startswith(truth.company)


def test_a_taken_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"port {port}"), serve(port):
            pass


def test_the_command_prints_its_environment_and_stops_on_interrupt() -> None:
    command = [sys.executable, "-u", "-m", "pipeline.simulator", "--size", "50", "--speed", "60"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
            assert url is not None
            lines = iter(process.stdout.readline, "")
            assert any(line.startswith("export REMOTEOK_BASE_URL=") for line in lines)
            assert httpx.get(f"{url[0]}/remoteok/api").status_code == 200
            os.kill(process.pid, signal.SIGINT)
            assert process.wait(timeout=15) == 0
        finally:
            process.kill()
