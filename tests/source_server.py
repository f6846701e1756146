"""A real HTTP server for tests that plays the source APIs: fixed answers, and faults on demand.

    with SourceServer() as server:
        server.answer("jsearch", [jsearch_job(), jsearch_job()])        # page 1, the only one
        server.fault("jsearch", rate_limited(retry_after=1, times=2))   # then it recovers
        ...                                                             # ask server.base_url(…)
        assert [r.page for r in server.requests_to("jsearch")] == [1, 1, 1]

The paths are ``/remoteok/api``, ``/jsearch/search-v2`` (by cursor), ``/jsearch/search`` (by page
and with the list of jobs in ``data``) and ``/adzuna/v1/api/jobs/{country}/search/{page}``. A
source without an answer answers emptily.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

SourceName = Literal["remoteok", "jsearch", "adzuna"]

_ROUTES: Mapping[SourceName, re.Pattern[str]] = {
    "remoteok": re.compile(r"/remoteok/api/?"),
    "jsearch": re.compile(r"/jsearch/search(?P<version>-v2)?/?"),
    "adzuna": re.compile(r"/adzuna/v1/api/jobs/(?P<country>[^/]+)/search/(?P<page>\d+)"),
}


@dataclass(frozen=True)
class Request:
    """A request as it arrived. ``source`` is None where no source has such a path;
    ``received_at`` is :func:`time.monotonic`; header names are in lower case."""

    source: SourceName | None
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    received_at: float
    page: int = 1
    country: str | None = None
    """Adzuna: of the path. JSearch: the parameter, if any."""

    @property
    def search(self) -> str | None:
        """The words that are searched for."""
        return self.query.get("query") or self.query.get("what") or self.query.get("what_or")


@dataclass(frozen=True)
class Reply:
    """What goes over the wire, and how."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float = 0.0
    bytes_per_second: float | None = None
    announced_length: int | None = None
    """A ``Content-Length`` other than the body's; the connection closes after the body."""
    drop: bool = False
    """Close the connection without a byte of an answer."""


@dataclass(frozen=True)
class Fault:
    """What to do to the next ``times`` replies; without ``times``, to every one."""

    apply: Callable[[Reply], Reply]
    times: int | None = 1


def _json_reply(payload: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(
        status, {"Content-Type": "application/json", **headers}, json.dumps(payload).encode()
    )


def rate_limited(
    *, retry_after: float | str | None = 1, times: int | None = 1, **headers: str
) -> Fault:
    """429. ``retry_after`` is sent as it is given (seconds or an HTTP date); None leaves the
    header out. Further headers: ``**{"X-RateLimit-Requests-Reset": "3600"}``."""
    if retry_after is not None:
        headers = {"Retry-After": str(retry_after), **headers}
    return Fault(lambda _: _json_reply({"message": "Too many requests"}, 429, **headers), times)


def server_error(times: int | None = 1, status: int = 503) -> Fault:
    """A 5xx with a short text."""
    body = b"upstream connect error"
    return Fault(lambda _: Reply(status, {"Content-Type": "text/plain"}, body), times)


def hang(seconds: float, times: int | None = 1) -> Fault:
    """Stay silent for so long, then answer. Closing the server ends the wait."""
    return Fault(lambda reply: replace(reply, delay_seconds=seconds), times)


def slow_drip(bytes_per_second: float, times: int | None = 1) -> Fault:
    """Answer at once, but send the body in ten small pieces a second: no single read times out."""
    return Fault(lambda reply: replace(reply, bytes_per_second=bytes_per_second), times)


def truncated_json(times: int | None = 1, *, announce_whole: bool = False) -> Fault:
    """200 with half of the body. With ``announce_whole`` the ``Content-Length`` is that of the
    whole body and the connection closes early; without, HTTP itself is correct."""

    def cut(reply: Reply) -> Reply:
        length = len(reply.body) if announce_whole else None
        return replace(reply, body=reply.body[: len(reply.body) // 2], announced_length=length)

    return Fault(cut, times)


def html_instead_of_json(times: int | None = 1, status: int = 200) -> Fault:
    """The page of a proxy or a bot check, where JSON was asked for."""
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
    return Fault(lambda _: Reply(status, {"Content-Type": "text/html"}, page), times)


def empty_list(times: int | None = 1) -> Fault:
    """200 with ``[]``: nothing at all, not even RemoteOK's legal element or an envelope."""
    return Fault(lambda _: _json_reply([]), times)


def dropped_connection(times: int | None = 1) -> Fault:
    """The connection closes without an answer."""
    return Fault(lambda reply: replace(reply, drop=True), times)


Payload = bytes | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True)
class _Answer:
    payload: Payload | Callable[[Request], Payload]
    page: int | None
    query: str | None
    country: str | None
    status: int
    headers: Mapping[str, str]

    @property
    def precision(self) -> int:
        return sum(key is not None for key in (self.page, self.query, self.country))

    def fits(self, request: Request) -> bool:
        return (
            self.page in (None, request.page)
            and self.query in (None, request.search)
            and self.country in (None, request.country)
        )


@dataclass
class _PendingFault:
    fault: Fault
    page: int | None
    left: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.fault.times


class SourceServer:
    """The three sources on one port of this machine; a context manager."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[SourceName, list[_Answer]] = {name: [] for name in _ROUTES}
        self._faults: dict[SourceName, list[_PendingFault]] = {name: [] for name in _ROUTES}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._http = _HttpServer(("127.0.0.1", 0), _Handler)
        self._http.sources = self
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
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

    def base_url(self, source: SourceName) -> str:
        """What stands for ``https://remoteok.com``, ``https://jsearch.p.rapidapi.com`` or
        ``https://api.adzuna.com``."""
        return f"{self.url}/{source}"

    def answer(
        self,
        source: SourceName,
        payload: Payload | Callable[[Request], Payload],
        *,
        page: int | None = None,
        query: str | None = None,
        country: str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Set what a source answers from now on.

        A list of jobs gets the source's envelope (RemoteOK's legal element, ``data``,
        ``results``); a mapping is sent as JSON as it is, and bytes as they are. A list without
        ``page`` is page 1; all that is not set answers with an empty page. A callable, a
        mapping or bytes without ``page`` answers every page. ``query`` is the text of
        JSearch's ``query`` or Adzuna's ``what`` or ``what_or``. The most precise answer that
        fits wins, and of equals the one set last.
        """
        is_list = isinstance(payload, Sequence) and not isinstance(payload, bytes)
        if is_list and page is None and source != "remoteok":
            page = 1
        with self._lock:
            self._answers[source].append(
                _Answer(payload, page, query, country, status, dict(headers or {}))
            )

    def fault(self, source: SourceName, *faults: Fault, page: int | None = None) -> None:
        """Queue faults: each spoils its number of replies (with ``page``: of that page only),
        then the next one begins; after the last, the source answers well again."""
        with self._lock:
            self._faults[source].extend(_PendingFault(fault, page) for fault in faults)

    def heal(self, source: SourceName) -> None:
        """Forget the faults of a source that are still to come."""
        with self._lock:
            self._faults[source].clear()

    def requests_to(self, source: SourceName) -> list[Request]:
        """What arrived at one source, in order."""
        with self._lock:
            return [request for request in self.requests if request.source == source]

    def reply_to(self, request: Request) -> Reply:
        """Record a request and choose its reply."""
        with self._lock:
            self.requests.append(request)
            source = request.source
            if source is None:
                return _json_reply({"message": f"No source has the path {request.path}"}, 404)
            best = self._chosen(request)
            fault = self._next_fault(source, request.page)
        reply = _json_reply(self._enveloped(request, []))
        if best is not None:
            payload = best.payload(request) if callable(best.payload) else best.payload
            reply = (
                Reply(best.status, {"Content-Type": "application/json"}, payload)
                if isinstance(payload, bytes)
                else _json_reply(self._enveloped(request, payload), best.status)
            )
            reply = replace(reply, headers={**reply.headers, **best.headers})
        return fault.apply(reply) if fault else reply

    def _chosen(self, request: Request) -> _Answer | None:
        answers = enumerate(self._answers[request.source]) if request.source else ()
        fitting = [(answer.precision, at, answer) for at, answer in answers if answer.fits(request)]
        return max(fitting, key=lambda found: found[:2])[2] if fitting else None

    def _enveloped(self, request: Request, payload: Sequence[Any] | Mapping[str, Any]) -> Any:
        """With the count of all pages, and a cursor where another page is set."""
        with self._lock:
            pages = [self._chosen(replace(request, page=page)) for page in range(1, 101)]
        lengths = [
            len(answer.payload)
            for page, answer in enumerate(pages, start=1)
            if answer is not None and isinstance(answer.payload, list) and answer.page == page
        ]
        following = pages[request.page : request.page + 1]
        follows = any(answer is not None and answer.page is not None for answer in following)
        return _enveloped(request, payload, follows=follows, count=sum(lengths))

    def _next_fault(self, source: SourceName, page: int) -> Fault | None:
        for pending in self._faults[source]:
            if pending.left != 0 and pending.page in (None, page):
                if pending.left is not None:
                    pending.left -= 1
                return pending.fault
        return None

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than the server lives."""
        self._closing.wait(seconds)


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    sources: SourceServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up early is part of the tests, not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        sources = self.server.sources
        reply = sources.reply_to(_parsed(self.path, dict(self.headers.items())))
        sources.wait(reply.delay_seconds)
        if reply.drop:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.announced_length or len(reply.body)))
        self.end_headers()
        if reply.announced_length is not None:
            self.close_connection = True
        if reply.bytes_per_second is None:
            self.wfile.write(reply.body)
            return
        piece = max(1, round(reply.bytes_per_second / 10))
        for start in range(0, len(reply.body), piece):
            self.wfile.write(reply.body[start : start + piece])
            sources.wait(piece / reply.bytes_per_second)

    def log_message(self, *args: Any) -> None:
        """The tests read :attr:`SourceServer.requests` instead."""


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
    for source, route in _ROUTES.items():
        if match := route.fullmatch(parts.path):
            found = match.groupdict()
            return replace(
                request,
                source=source,
                page=int(
                    found.get("page")
                    or query.get("page")
                    or query.get("cursor", "").removeprefix("page-")
                    or 1
                ),
                country=found.get("country") or request.country,
            )
    return request


LEGAL = {
    "last_updated": 1733346004,
    "legal": "API Terms of Service: Please link back (with follow, and without nofollow!) to the "
    "URL on Remote OK and mention Remote OK as a source.",
}
"""The first element of a RemoteOK answer, which is not a job."""


def _enveloped(
    request: Request, payload: Sequence[Any] | Mapping[str, Any], *, follows: bool, count: int
) -> Any:
    if isinstance(payload, Mapping):
        return payload
    jobs = list(payload)
    if request.source == "jsearch":
        cursor = f"page-{request.page + 1}" if follows else None
        return {
            "status": "OK",
            "request_id": "3105352d-f69c-4c7e-99bf-875ac46b6b50",
            "parameters": dict(request.query),
            "data": {"jobs": jobs, "cursor": cursor} if request.path.endswith("-v2") else jobs,
        }
    if request.source == "adzuna":
        return {
            "count": max(count, len(jobs)),
            "mean": 61234.56,
            "results": jobs,
            "__CLASS__": "Adzuna::API::Response::JobSearchResults",
        }
    if jobs and isinstance(jobs[0], Mapping) and "legal" in jobs[0]:
        return jobs
    return [LEGAL, *jobs]


_numbers = itertools.count(1)


def remoteok_job(**overrides: Any) -> dict[str, Any]:
    """A valid RemoteOK posting with an id of its own. ``overrides`` replace fields; give
    :data:`MISSING` to leave one out."""
    job_id = str(1_059_000 + next(_numbers))
    url = f"https://remoteOK.com/remote-jobs/remote-senior-backend-engineer-initech-{job_id}"
    return _with(
        {
            "slug": url.rpartition("/")[2],
            "id": job_id,
            "epoch": 1733260504,
            "date": "2024-12-03T21:15:04+00:00",
            "company": "Initech",
            "company_logo": "",
            "position": "Senior Backend Engineer",
            "tags": ["python", "senior", "engineer", "backend"],
            "logo": "",
            "description": "<p>We are <b>Initech</b> &amp; we ship.</p><ul><li>Python</li></ul>",
            "location": "Worldwide",
            "salary_min": 70000,
            "salary_max": 110000,
            "apply_url": url,
            "url": url,
        },
        overrides,
    )


def jsearch_job(**overrides: Any) -> dict[str, Any]:
    """A valid JSearch posting with an id of its own; ``overrides`` as for RemoteOK."""
    number = next(_numbers)
    link = f"https://www.linkedin.com/jobs/view/senior-backend-engineer-at-initech-{number}"
    return _with(
        {
            "job_id": f"ZjYFdJ-QsEo{number:09d}==",
            "job_title": "Senior Backend Engineer",
            "employer_name": "Initech",
            "employer_logo": None,
            "employer_website": "https://www.initech.example",
            "job_publisher": "LinkedIn",
            "job_employment_type": "Full-time",
            "job_employment_types": ["FULLTIME"],
            "job_apply_link": link,
            "job_apply_is_direct": False,
            "apply_options": [{"publisher": "LinkedIn", "apply_link": link, "is_direct": False}],
            "job_description": "Initech is hiring.\n\n• Build services in Python and PostgreSQL.",
            "job_is_remote": False,
            "job_posted_at_timestamp": 1733184000,
            "job_posted_at_datetime_utc": "2024-12-03T00:00:00.000Z",
            "job_location": "Austin, TX",
            "job_city": "Austin",
            "job_state": "Texas",
            "job_country": "US",
            "job_latitude": 30.2672,
            "job_longitude": -97.7431,
            "job_offer_expiration_datetime_utc": "2025-06-04T00:00:00.000Z",
            "job_offer_expiration_timestamp": 1748995200,
            "job_min_salary": 120000,
            "job_max_salary": 150000,
            "job_salary_currency": "USD",
            "job_salary_period": "YEAR",
            "job_highlights": {"Qualifications": ["5 years of Python"]},
        },
        overrides,
    )


def adzuna_job(**overrides: Any) -> dict[str, Any]:
    """A valid Adzuna posting (Great Britain) with an id of its own; ``overrides`` as for
    RemoteOK."""
    job_id = str(3_204_540_000 + next(_numbers))
    return _with(
        {
            "__CLASS__": "Adzuna::API::Response::Job",
            "id": job_id,
            "title": "Senior Backend Engineer",
            "description": "Initech is hiring. You build services in Python and PostgreSQL and…",
            "created": "2024-12-03T04:14:28Z",
            "redirect_url": f"https://www.adzuna.co.uk/jobs/land/ad/{job_id}?se=Ogrt8LMS&v=58EB",
            "adref": "eyJhbGciOiJIUzI1NiJ9.eyJzIjoiT2dydDhMTVM3In0.ogfhcDIZat9cBaXYHQp5",
            "company": {"__CLASS__": "Adzuna::API::Response::Company", "display_name": "Initech"},
            "location": {
                "__CLASS__": "Adzuna::API::Response::Location",
                "area": ["UK", "London", "Central London"],
                "display_name": "Central London, London",
            },
            "category": {
                "__CLASS__": "Adzuna::API::Response::Category",
                "tag": "it-jobs",
                "label": "IT Jobs",
            },
            "salary_min": 65000.0,
            "salary_max": 80000.0,
            "salary_is_predicted": "0",
            "contract_time": "full_time",
            "contract_type": "permanent",
            "latitude": 51.5085,
            "longitude": -0.12574,
        },
        overrides,
    )


MISSING: Any = object()
"""Given as an override, it removes the field."""


def _with(job: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (job | overrides).items() if value is not MISSING}
