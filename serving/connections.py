"""Connections that end: what one client may send, how slowly, and how many may be open.

uvicorn bounds none of it: a client that opens connections and sends nothing, or a header without
an end, would take every file and all memory of the API.
"""

from __future__ import annotations

import asyncio
import resource
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.middleware.rate_limit import UNLIMITED_PATHS
from serving.problems import ProblemError, problem_response, unavailable

REQUEST_SECONDS = 15.0
"""From the first byte of a request, or the start of a connection, to its end."""
URL_BYTES = 8_192
HEAD_BYTES = 65_536
"""The request line and all headers."""
BODY_BYTES = 65_536
READ_SECONDS = 60.0
"""How long a client may leave unread what it asked for."""
LINGER_SECONDS = 2.0
"""How long a refused client may go on sending, so that it can read why."""

MAX_CONNECTIONS = 2_000
FILES_OF_OTHERS = 100
"""Files that are kept for the database, logs and the like, of those that the system allows."""
HEALTH_CONNECTIONS = 10
"""Connections beyond the bound, on which only the addresses of health are answered."""
_HEALTH = tuple(path.encode() for path in UNLIMITED_PATHS)


def raise_file_limit() -> int:
    """Allow this process as many open files as the system does. Returns their number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        # macOS names a hard limit that it does not grant.
        return soft
    return hard if hard != resource.RLIM_INFINITY else MAX_CONNECTIONS + FILES_OF_OTHERS


def max_connections(pool_size: int) -> int:
    """How many connections of clients fit beside ``pool_size`` connections to the database."""
    left = raise_file_limit() - FILES_OF_OTHERS - HEALTH_CONNECTIONS - pool_size
    return max(16, min(left, MAX_CONNECTIONS))


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol within the bounds of this module.

    When :attr:`limit` connections are open, a new one takes the place of the one that has been
    without a whole request for longest. Where all are busy, it is told to come back, unless it
    asks for the health of the API.
    """

    limit = MAX_CONNECTIONS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._has_begun = False
        self._in_head = True
        self._head_bytes = 0
        self._body_bytes = 0
        self._is_refused = False

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being answered on it."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_deadline()
        if len(self.connections) <= self.limit:
            return
        # Sets have no order, so the oldest deadline tells who has waited for longest.
        waiting = [
            one
            for one in self.connections
            if isinstance(one, BoundedConnection) and one.is_waiting and one is not self
        ]
        if waiting:
            min(waiting, key=BoundedConnection._ends_at).transport.abort()
        elif len(self.connections) > self.limit + HEALTH_CONNECTIONS:
            transport.abort()

    def _ends_at(self) -> float:
        timers = [self._deadline, self.timeout_keep_alive_task]
        return min((timer.when() for timer in timers if timer is not None), default=0.0)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_deadline()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._start_deadline()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._has_begun = True
        self._start_deadline()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > URL_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_URI_TOO_LONG, f"An address has at most {URL_BYTES} bytes."
            )

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._is_refused:
            return
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > HEAD_BYTES:
            self._refuse_head()
        elif len(self.connections) > self.limit and not self.url.startswith(_HEALTH):
            self._refuse_with(unavailable("Too many clients are connected. Ask again in a moment."))
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        if self._is_refused:
            return
        if self._body_bytes > BODY_BYTES:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {BODY_BYTES} bytes."
            )
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._is_refused:
            return
        self._stop_deadline()
        self._has_begun, self._in_head = False, True
        self._head_bytes = self._body_bytes = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, "This is not a request of HTTP/1.1.")

    def _start_deadline(self) -> None:
        if self._deadline is None and not self._is_refused:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._end_late)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_late(self) -> None:
        self._deadline = None
        if self.flow.read_paused:
            # It is we who do not read: an earlier request is still being answered.
            self._start_deadline()
        elif self._has_begun:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT, f"A request is sent within {REQUEST_SECONDS:.0f} s."
            )
        else:
            self.transport.close()

    def _refuse_head(self) -> None:
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"The headers have at most {HEAD_BYTES} bytes.",
        )

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        self._refuse_with(ProblemError(status, detail))

    def _refuse_with(self, problem: ProblemError) -> None:
        """Say why and close. In the middle of an answer there is no place to say it."""
        if self._is_refused:
            return
        self._is_refused = True
        self._stop_deadline()
        self._unset_keepalive_if_required()
        if not self.is_waiting:
            self.transport.abort()
            return
        answer = problem_response("/", problem)
        head = [f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode()]
        head += [name + b": " + value for name, value in self.server_state.default_headers]
        head += [name + b": " + value for name, value in answer.raw_headers]
        self.transport.write(b"\r\n".join([*head, b"connection: close", b"", bytes(answer.body)]))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)
