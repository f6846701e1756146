"""Clients that are slow, silent or without measure, on real connections."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import uvicorn

from serving import connections
from serving.connections import BoundedConnection

HEALTH = b"GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"
OTHER = b"GET /api/jobs HTTP/1.1\r\nHost: x\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers at once; ``/wait`` when the test says so, ``/much`` with 64 MB."""
    assert scope["type"] == "http"
    if scope["path"] == "/wait":
        await receive()
        await receive()
        return
    chunks = 64 if scope["path"] == "/much" else 1
    body = b"x" * 1_000_000 if chunks > 1 else b"fine"
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", b"%d" % (chunks * len(body)))]})  # fmt: skip
    for number in range(chunks):
        more = number + 1 < chunks
        await send({"type": "http.response.body", "body": body, "more_body": more})


@contextmanager
def serving(limit: int = 50) -> Iterator[int]:
    class Limited(BoundedConnection):
        pass

    Limited.limit = limit
    config = uvicorn.Config(
        application, http=Limited, ws="none", lifespan="off", log_config=None,
        timeout_keep_alive=30, timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 1.0)
    monkeypatch.setattr(connections, "READ_SECONDS", 1.0)


def connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), 20)
    client.settimeout(20)
    return client


def everything(client: socket.socket) -> bytes:
    """What comes until the server closes; an error if it does not within 20 seconds."""
    data = b""
    try:
        while part := client.recv(65_536):
            data += part
    except ConnectionError:
        pass
    return data


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1.1 (\d{3}) ", answer)
    assert found, answer[:200]
    return int(found[1])


def problem_of(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    problem: dict[str, Any] = json.loads(body)
    assert problem["status"] == status_of(answer)
    return problem


def ask(port: int, request: bytes) -> bytes:
    with connect(port) as client:
        client.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        return everything(client)


@pytest.mark.trial("client", "A connection says nothing")
def test_a_silent_connection_is_closed() -> None:
    with serving() as port, connect(port) as client:
        assert everything(client) == b""


@pytest.mark.parametrize(
    "beginning", [b"", b"GET /api/jobs HTTP/1.1\r\nX-A: ", OTHER + b"GET /"], ids=repr
)
@pytest.mark.parametrize("drip", [b"a", b"\r\n"], ids=repr)
@pytest.mark.trial("client", "A request drips")
def test_one_byte_at_a_time_ends_at_the_deadline(beginning: bytes, drip: bytes) -> None:
    with serving() as port, connect(port) as client:
        client.sendall(beginning)
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.1):
                try:
                    client.sendall(drip)
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        everything(client)
        stop.set()
        thread.join()


@pytest.mark.trial("client", "A request stops halfway")
def test_an_unfinished_request_is_told_so() -> None:
    with serving() as port, connect(port) as client:
        client.sendall(OTHER[:-2])
        assert problem_of(everything(client))["status"] == 408


@pytest.mark.parametrize("kind", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
@pytest.mark.trial("client", "A body never comes")
def test_a_body_that_never_comes_ends_the_connection(kind: bytes) -> None:
    with serving() as port, connect(port) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\n" + kind + b"\r\n\r\n")
        assert status_of(everything(client)) == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 20_000 + b"\r\n", 431),
        (b"POST /wait HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + b"a" * 70_000, None),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
    ],
    ids=["address", "header", "headers", "body", "nonsense", "version"],
)
@pytest.mark.trial("client", "A request line or headers are huge, or no HTTP")
def test_what_is_too_long_or_no_request_is_refused(request_: bytes, status: int | None) -> None:
    with serving() as port, connect(port) as client:
        client.sendall(request_)
        answer = everything(client)
        if status is None:
            assert answer == b""
        else:
            assert problem_of(answer)["status"] == status
        assert status_of(ask(port, HEALTH)) == 200


@pytest.mark.trial("client", "Headers have no end")
def test_headers_without_an_end_are_cut_off() -> None:
    with serving() as port, connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")
        sent = 0
        try:
            while sent < 200_000_000:
                sent += client.send(b"X-A: " + b"a" * 100_000 + b"\r\n")
        except ConnectionError:
            pass
        else:
            # The kernel may take in what nobody reads any more.
            assert everything(client) is not None
        with serving() as other:
            assert status_of(ask(other, HEALTH)) == 200


@pytest.mark.trial("client", "Hundreds of connections are half open")
def test_health_answers_beside_hundreds_of_idle_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 60.0)
    with serving(limit=50) as port, ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(300)]
        for client in clients[::2]:
            client.sendall(b"GET / HT")
        assert status_of(ask(port, HEALTH)) == 200
        assert status_of(ask(port, OTHER)) == 200
        # The oldest gave way.
        assert everything(clients[0]) == b""


@pytest.mark.trial("client", "Too many connections are busy")
def test_beyond_the_bound_busy_connections_leave_room_for_health_alone() -> None:
    with serving(limit=20) as port, ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(connect(port))
            client.sendall(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
        deadline = time.monotonic() + 20
        while status_of(answer := ask(port, OTHER)) != 503:
            assert time.monotonic() < deadline
        assert b"retry-after" in answer.lower()
        assert problem_of(answer)["status"] == 503
        assert status_of(ask(port, HEALTH)) == 200


@pytest.mark.trial("client", "A client reads nothing")
def test_a_client_that_does_not_read_is_let_go() -> None:
    with serving() as port, connect(port) as client:
        client.sendall(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(3)
        assert len(everything(client)) < 64_000_000


def test_ordinary_clients_notice_nothing() -> None:
    with serving() as port, connect(port) as client:
        for _ in range(3):
            client.sendall(OTHER)
            assert client.recv(65_536).endswith(b"fine")
            # Longer than a request may take: the time between requests is another bound.
            time.sleep(1.2)
        client.sendall(OTHER * 3)
        answer = b""
        while answer.count(b"fine") < 3:
            answer += client.recv(65_536)
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
        assert client.recv(65_536).endswith(b"fine")


def test_the_bound_fits_the_files_that_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "raise_file_limit", lambda: 256)
    assert connections.max_connections(6) == 140
    monkeypatch.setattr(connections, "raise_file_limit", lambda: 1_000_000)
    assert connections.max_connections(6) == connections.MAX_CONNECTIONS
