"""dlt's retrying session, with each attempt held to the quota and the bounds."""

from __future__ import annotations

import ipaddress
import logging
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from urllib.parse import urlsplit

import urllib3
from dlt.sources.helpers.requests import Client as RetryingClient
from requests import PreparedRequest, Response, Session
from requests import exceptions as transport_errors
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, stop_after_attempt, wait_random_exponential

from pipeline.extract.answers import asked_pause, is_plan_used_up
from pipeline.extract.bounds import Bounds
from pipeline.extract.errors import QuotaExhaustedError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import SourceSettings

log = logging.getLogger(__name__)

RETRIED_STATUSES = (429, *range(500, 600))
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FIRST_BACKOFF_SECONDS = 0.25
_PIECE_BYTES = 1 << 16

T = TypeVar("T")


class _WithoutQueries(logging.Filter):
    """Takes the query out of every URL that is logged: Adzuna's key travels in it."""

    _query = re.compile(r"\?[^\s\"')]+")

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = str(record.msg)
        record.msg, record.args = self._query.sub("?…", message), None
        return True


_without_queries = _WithoutQueries()
for _module in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_module}").addFilter(_without_queries)


class Attempts:
    """Sends requests of one source, each attempt after taking it from the quota.

    Attributes:
        session: a session of dlt's retrying client. It answers with the last response whatever
            its status, and raises the last error: of requests, or a ``FetchError``.
        count: the attempts so far.
    """

    def __init__(self, source: str, settings: SourceSettings, quota: Quota, bounds: Bounds) -> None:
        self._source = source
        self._settings = settings
        self._quota = quota
        self._bounds = bounds
        self.count = 0
        self.session = self._retrying_session()

    def origin(self, request: PreparedRequest) -> tuple[str | None, ...]:
        """What a request is sent to: the scheme, the credentials in the URL, the host and the
        port, as the session itself takes them from the URL.

        Raises:
            ValueError: the URL has no such parts.
        """
        adapter = self.session.get_adapter(request.url or "")
        assert isinstance(adapter, HTTPAdapter)  # noqa: S101 - the session has no others
        target, _ = adapter.build_connection_pool_key_attributes(request, verify=True)
        parsed = urllib3.util.parse_url(request.url or "")
        if parsed.host is None or parsed.host.strip("[]") != target["host"]:
            raise ValueError("the host is not the same to all readers of the URL")
        port = target["port"] or _DEFAULT_PORTS[target["scheme"]]
        return target["scheme"], parsed.auth, target["host"], str(port)

    def _retrying_session(self) -> Session:
        session: Session = RetryingClient(
            request_timeout=self._settings.timeout_seconds,
            raise_for_status=False,
            status_codes=RETRIED_STATUSES,
            request_max_attempts=self._settings.max_attempts,
            request_max_retry_delay=self._settings.max_retry_delay_seconds,
        ).session
        session.headers.update({"User-Agent": _user_agent(), "Accept": "application/json"})
        # A proxy of the environment cannot reach a server of this machine.
        session.trust_env = not _is_loopback(self._settings.base_url)
        adapter = _BoundedAdapter(self._attempt)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        # dlt cuts the pause that a source asks for to its own maximum, and has no jitter.
        retried: Any = session.send
        enough = stop_after_attempt(self._settings.max_attempts)
        session.send = retried.retry_with(  # type: ignore[method-assign]
            wait=self._pause_before_retry,
            stop=lambda state: (
                enough(state)
                or _is_final(state)
                or not self._bounds.allow_pause(state.upcoming_sleep)
            ),
            before_sleep=self._note_retry,
        )
        return session

    def _pause_before_retry(self, state: RetryCallState) -> float:
        outcome = state.outcome
        if outcome is not None and not outcome.failed:
            asked = asked_pause(outcome.result())
            if asked is not None:
                return asked.total_seconds()
        longest = self._settings.max_retry_delay_seconds
        backoff = wait_random_exponential(max=longest, min=min(_FIRST_BACKOFF_SECONDS, longest))
        return backoff(state)

    def _note_retry(self, state: RetryCallState) -> None:
        outcome = state.outcome
        if outcome is None or outcome.failed:
            what = "no answer"
        else:
            what = f"HTTP {outcome.result().status_code}"
        log.warning(
            "%s: %s to attempt %d of %d; the next one follows in %.1f s.",
            self._source, what, state.attempt_number, self._settings.max_attempts,
            state.upcoming_sleep,
        )  # fmt: skip

    def _attempt(self, send: Callable[[float], Response]) -> Response:
        self._bounds.check_time()
        self._acquire()
        self.count += 1
        timeout = max(0.001, min(self._settings.timeout_seconds, self._bounds.seconds_left()))

        def whole_attempt() -> Response:
            response = send(timeout)
            # Both are what requests itself fills in when it reads a body.
            response._content = self._body(response)
            response._content_consumed = True  # type: ignore[attr-defined]
            return response

        # A socket's timeout begins anew with every byte; only another thread sees the whole time.
        response = _within(self._bounds.seconds_left(), whole_attempt)
        if response is None:
            raise self._bounds.out_of_time()
        asked = asked_pause(response)
        if asked is not None:
            self._quota.pause(datetime.now(UTC) + asked)
        return response

    def _acquire(self) -> None:
        while True:
            try:
                return self._quota.acquire()
            except QuotaExhaustedError as error:
                if error.retry_at is None:
                    raise
                pause = (error.retry_at - datetime.now(UTC)).total_seconds()
                if not self._bounds.allow_pause(pause):
                    raise
            time.sleep(max(pause, 0.001))

    def _body(self, response: Response) -> bytes:
        announced = response.headers.get("Content-Length", "")
        pieces: list[bytes] = []
        try:
            if announced.isdecimal():
                self._bounds.check_announced(int(announced[:19]))
            while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
                self._bounds.take_bytes(len(piece))
                self._bounds.check_time()
                pieces.append(piece)
        except urllib3.exceptions.DecodeError as error:
            raise transport_errors.ContentDecodingError(error) from None
        except urllib3.exceptions.ReadTimeoutError as error:
            raise transport_errors.ReadTimeout(error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise transport_errors.ChunkedEncodingError(error) from None
        finally:
            response.close()
        return b"".join(pieces)


class _BoundedAdapter(HTTPAdapter):
    """Has every attempt that requests sends go through ``attempt``."""

    def __init__(self, attempt: Callable[[Callable[[float], Response]], Response]) -> None:
        super().__init__()
        self._attempt = attempt

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        streamed = options | {"stream": True}
        return self._attempt(
            lambda timeout: HTTPAdapter.send(
                self, request, *args, **(streamed | {"timeout": timeout})
            )
        )


def _is_final(state: RetryCallState) -> bool:
    outcome = state.outcome
    return outcome is not None and not outcome.failed and is_plan_used_up(outcome.result())


def _within(seconds: float, call: Callable[[], T]) -> T | None:
    """The result of ``call``; None when it takes longer, it is then left to end by itself."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if errors:
        raise errors[0]
    return results[0] if results else None


def _user_agent() -> str:
    try:
        return f"job-market-pipeline/{version('job-market-pipeline')} (self-hosted job search)"
    except PackageNotFoundError:
        return "job-market-pipeline (self-hosted job search)"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
