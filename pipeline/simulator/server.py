"""The simulator: the APIs of all played sources on one port of this machine.

with Simulator() as simulator:
    simulator.give("jsearch", [posting, posting])        # page 1, the only one
    simulator.fault("jsearch", rate_limited(retry_after=1, times=2))   # then it recovers
    ...                                                     # ask simulator.base_url("jsearch")
    assert [r.page for r in simulator.requests_to("jsearch")] == [1, 1, 1]
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from pipeline.simulator import given
from pipeline.simulator.apis import APIS
from pipeline.simulator.faults import Fault
from pipeline.simulator.given import Given, Payload
from pipeline.simulator.market import Market
from pipeline.simulator.messages import Request, Response, json_response
from pipeline.simulator.shelf import MarketShelf

_REMEMBERED_REQUESTS = 10_000
_PIECES_A_SECOND = 10


class SimulatorError(Exception):
    """The simulator cannot run. The message says what to do."""


@dataclass
class _PendingFault:
    fault: Fault
    page: int | None
    left: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.fault.times


class Simulator:
    """Plays the sources while its block runs. For several threads.

    A source shows the postings of the market, unless responses were given to it; with neither it
    responds with an empty page.

    Args:
        market: None where all responses will be given.
        port: 0 takes a free one.
        clock: the time for which the market is shown.

    Raises:
        SimulatorError: the port is taken.
    """

    def __init__(
        self,
        market: Market | None = None,
        port: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shelves = {
            name: MarketShelf(market, api) for name, api in APIS.items() if market is not None
        }
        self._clock = clock
        self._requests: deque[Request] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._counts: Counter[str] = Counter()
        self._given: dict[str, list[Given]] = {name: [] for name in APIS}
        self._faults: dict[str, list[_PendingFault]] = {name: [] for name in APIS}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        try:
            self._http = _HttpServer(("127.0.0.1", port), _Handler)
        except (OSError, OverflowError) as error:
            raise SimulatorError(
                f"The simulator cannot use port {port} ({error}). Choose another, or 0 for any."
            ) from None
        self._http.simulator = self
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.01},
            name="simulator",
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """The root, without a trailing slash."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def base_url(self, source: str) -> str:
        """What stands for ``https://remoteok.com`` or ``https://api.adzuna.com``."""
        return f"{self.url}/{source}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let the pipeline ask this server, and no other, in each run."""
        # Here, because the sources bring Polars and dlt along.
        from pipeline.simulator.environment import environment

        return environment(self.base_url)

    def give(
        self,
        source: str,
        payload: Payload | Callable[[Request], Payload],
        *,
        page: int | None = None,
        query: str | None = None,
        country: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Set what a source responds with from now on.

        A list of postings gets the source's envelope; a mapping is sent as JSON as it is, and
        bytes as they are. A list without ``page`` is page 1 of a source with pages; all that is
        not set is an empty page. A callable, a mapping or bytes without ``page`` are every page.
        ``query`` is the text that is searched for. The most precise one that fits wins, and of
        equals the one set last.
        """
        is_list = isinstance(payload, Sequence) and not isinstance(payload, bytes)
        if is_list and page is None and APIS[source].has_pages:
            page = 1
        with self._lock:
            self._given[source].append(
                Given(payload, page, query, country, status, dict(headers or {}))
            )

    def fault(self, source: str, *faults: Fault, page: int | None = None) -> None:
        """Queue faults: each spoils its number of responses (with ``page``: of that page only),
        then the next one begins; after the last, the source responds well again."""
        with self._lock:
            self._faults[source].extend(_PendingFault(fault, page) for fault in faults)

    def heal(self, source: str) -> None:
        """Forget the faults of a source that are still to come."""
        with self._lock:
            self._faults[source].clear()

    @property
    def requests(self) -> list[Request]:
        """The latest that arrived, in order."""
        with self._lock:
            return list(self._requests)

    def requests_to(self, source: str) -> list[Request]:
        """The latest that arrived at one source, in order."""
        return [request for request in self.requests if request.source == source]

    def response_to(self, request: Request) -> Response:
        """Record a request and choose its response."""
        source = request.source
        with self._lock:
            if source is not None:
                self._counts[source] += 1
                request = replace(request, number=self._counts[source])
            self._requests.append(request)
            fault = self._next_fault(source, request.page) if source else None
            responses = tuple(self._given[source]) if source else ()
        if source is None:
            return json_response({"message": f"No source has the path {request.path}"}, 404)
        asked = fault.misread(request) if fault else request
        if source in self._shelves and not responses:
            sound = APIS[source].respond(asked, self._shelves[source], self._clock())
        else:
            sound = given.respond(APIS[source], responses, asked)
        return fault.apply(sound) if fault else sound

    def _next_fault(self, source: str, page: int) -> Fault | None:
        for pending in self._faults[source]:
            if pending.left != 0 and pending.page in (None, page):
                if pending.left is not None:
                    pending.left -= 1
                return pending.fault
        return None

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the server runs."""
        self._closing.wait(seconds)


@contextlib.contextmanager
def serve(port: int = 0, market: Market | None = None) -> Iterator[Simulator]:
    """Play the sources over a market (by default one of 2,000 openings) until the block ends.

    Raises:
        SimulatorError: the port is taken.
    """
    with Simulator(market or Market(), port) as simulator:
        yield simulator


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    simulator: Simulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        simulator = self.server.simulator
        response = simulator.response_to(_parsed(self.path, dict(self.headers.items())))
        simulator.wait(response.delay_seconds)
        if response.drop:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(response.announced_length or len(response.body)))
        self.end_headers()
        if response.announced_length is not None:
            self.close_connection = True
        if response.bytes_per_second is None:
            self.wfile.write(response.body)
        else:
            piece = max(1, round(response.bytes_per_second / _PIECES_A_SECOND))
            for start in range(0, len(response.body), piece):
                self.wfile.write(response.body[start : start + piece])
                simulator.wait(piece / response.bytes_per_second)
        if response.reset:
            # Without time to linger, closing aborts the connection.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *args: Any) -> None:
        """:attr:`Simulator.requests` has them."""


def _parsed(target: str, headers: Mapping[str, str]) -> Request:
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    request = Request(
        None,
        parts.path,
        query,
        {name.lower(): value for name, value in headers.items()},
        time.monotonic(),
        country=query.get("country"),
    )
    for source, api in APIS.items():
        path = parts.path.removeprefix(f"/{source}")
        match = api.path.fullmatch(path) if path != parts.path else None
        if match:
            found = match.groupdict()
            cursor = re.fullmatch(r"page-(\d+)", query.get("cursor", ""))
            page = found.get("page") or query.get("page") or (cursor and cursor[1]) or "1"
            return replace(
                request,
                source=source,
                page=int(page) if page.isdecimal() else 1,
                country=found.get("country") or request.country,
            )
    return request
