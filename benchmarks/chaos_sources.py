"""The simulated sources behind a proxy that notes what they showed and fails when it is told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from pipeline.simulator.environment import environment
from pipeline.simulator.market import Market
from pipeline.simulator.server import serve

FAILURES = (
    "429", "500", "html", "truncated", "slow", "empty", "silent", "reset"
)  # fmt: skip
SLOW_BYTES_A_SECOND = 2_000
_PAGE = b"<!DOCTYPE html><html><title>Just a moment...</title></html>"


@dataclass
class Sources:
    """What the three sources do and did.

    Attributes:
        environment: the variables that point an installation at them.
        failing: by source, one of :data:`FAILURES`.
        shown: by source and the posting's own id, when an answer with it was sent whole (UTC).
        answers: by source, how many were sent whole.
        failures: by kind, how many requests met one.
    """

    environment: Mapping[str, str]
    failing: dict[str, str] = field(default_factory=dict)
    shown: dict[str, dict[str, list[datetime]]] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, source: str, body: bytes) -> None:
        now = datetime.now(UTC)
        with self._lock:
            self.answers[source] = self.answers.get(source, 0) + 1
            shown = self.shown.setdefault(source, {})
            for posting_id in ids_of(source, json.loads(body)):
                shown.setdefault(posting_id, []).append(now)

    def note_failure(self, kind: str) -> None:
        with self._lock:
            self.failures[kind] = self.failures.get(kind, 0) + 1


def ids_of(source: str, answer: Any) -> list[str]:
    """The ids of the postings in an answer of a source."""
    if source == "remoteok":
        return [str(posting["id"]) for posting in answer if "id" in posting]
    if source == "jsearch":
        return [posting["job_id"] for posting in answer["data"]["jobs"]]
    return [str(posting["id"]) for posting in answer["results"]]


@contextmanager
def sources(seed: int, size: int, speed: float) -> Iterator[Sources]:
    """Serve a market until the block ends."""
    with serve(market=Market(seed, size, speed)) as market:
        server = _Server(("127.0.0.1", 0), _Handler)
        url = f"http://127.0.0.1:{server.server_address[1]}"
        server.sources = Sources(environment(lambda source: f"{url}/{source}"))  # type: ignore[attr-defined]
        with httpx.Client(base_url=market.url, trust_env=False, timeout=30) as client:
            server.market = client  # type: ignore[attr-defined]
            threading.Thread(target=server.serve_forever, daemon=True).start()
            try:
                yield server.sources  # type: ignore[attr-defined]
            finally:
                server.shutdown()
                server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients are killed all the time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        known: Sources = self.server.sources  # type: ignore[attr-defined]
        market: httpx.Client = self.server.market  # type: ignore[attr-defined]
        source = self.path.split("/")[1]
        kind = known.failing.get(source)
        with suppress(OSError):
            if kind is not None:
                known.note_failure(kind)
                self.close_connection = True
                self._fail(kind, known, source, market)
                return
            names = ("X-RapidAPI-Key", "Accept")
            headers = {name: self.headers[name] for name in names if name in self.headers}
            answer = market.get(self.path, headers=headers)
            self._send(answer.status_code, answer.content, "application/json")
            if answer.status_code == httpx.codes.OK:
                known.note(source, answer.content)

    def _send(
        self, status: int, body: bytes, media_type: str, *, announced: int | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(announced or len(body)))
        if status == httpx.codes.TOO_MANY_REQUESTS:
            self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _fail(self, kind: str, known: Sources, source: str, market: httpx.Client) -> None:
        if kind == "429":
            self._send(429, b'{"message": "Too many requests"}', "application/json")
        elif kind == "500":
            self._send(500, b"upstream connect error", "text/plain")
        elif kind == "html":
            self._send(200, _PAGE, "text/html")
        elif kind == "empty":
            self._send(200, b"[]", "application/json")
        elif kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif kind == "silent":
            while known.failing.get(source) == kind:
                time.sleep(0.2)
        else:
            body = market.get(self.path, headers={"X-RapidAPI-Key": "demo"}).content
            if kind == "truncated":
                half = body[: len(body) // 2]
                self._send(200, half, "application/json", announced=len(body))
                return
            self._send(200, b"", "application/json", announced=len(body))
            for start in range(0, len(body), SLOW_BYTES_A_SECOND // 5):
                self.wfile.write(body[start : start + SLOW_BYTES_A_SECOND // 5])
                time.sleep(0.2)
