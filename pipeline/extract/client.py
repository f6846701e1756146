"""Asking a source over HTTP, within bounds, and without a secret ever leaving by another way."""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3
from dlt.sources.helpers.requests import Client as RetryingClient
from pydantic import SecretStr
from requests import PreparedRequest, RequestException, Response, Session
from requests import exceptions as transport
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, stop_after_attempt, wait_random_exponential

from pipeline.extract.errors import (
    BoundReachedError,
    FetchError,
    IncompleteFetchError,
    KeyRefusedError,
    LedgerError,
    QuotaExhaustedError,
    RateLimitedError,
    SourceUnavailableError,
    UnusableAnswerError,
)
from pipeline.extract.quota import Quota
from pipeline.settings import SourceSettings

__all__ = [
    "BoundReachedError",
    "Client",
    "FetchError",
    "IncompleteFetchError",
    "KeyRefusedError",
    "LedgerError",
    "QuotaExhaustedError",
    "RateLimitedError",
    "SourceUnavailableError",
    "UnusableAnswerError",
]

Parameters = Mapping[str, str | int | SecretStr]
"""A :class:`SecretStr` is revealed only in the request itself."""

_RETRIED = (429, *range(500, 600))
_MAX_REDIRECTS = 5
_PIECE_BYTES = 1 << 16
_FIRST_BACKOFF_SECONDS = 0.25
_MAX_DIGITS = 4_000
"""Python refuses to read longer whole numbers (``sys.int_info``); they are kept as text."""

T = TypeVar("T")


def _user_agent() -> str:
    try:
        return f"job-market-pipeline/{version('job-market-pipeline')} (self-hosted job search)"
    except PackageNotFoundError:
        return "job-market-pipeline (self-hosted job search)"


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


for _name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
    logging.getLogger(f"urllib3.{_name}").addFilter(_WithoutQueries())


class Client:
    """Asks one source, for one fetch. Not for use by several threads.

    The bounds of ``settings`` hold from the first request on. A request is tried up to
    ``max_attempts`` times, with growing, random pauses, or the pause that the source asks for;
    each attempt is first taken from the quota. A pause that the bounds do not allow is written
    into the ledger, so that later fetches keep it too.
    """

    def __init__(self, source: str, settings: SourceSettings, quota: Quota) -> None:
        self._source = source
        self._settings = settings
        self._quota = quota
        self._prefix = str(settings.model_config.get("env_prefix", "")).upper()
        self._pages = 0
        self._bytes = 0
        self._requests = 0
        self._deadline: float | None = None
        self._secrets: set[str] = set()
        self._session = self._retrying_session()

    @property
    def requests(self) -> int:
        """How many requests were sent, retries and redirects included."""
        return self._requests

    def get_json(self, path: str, params: Parameters, headers: Parameters | None = None) -> Any:
        """Ask for one page.

        Args:
            path: appended to the source's base URL.

        Returns:
            The parsed JSON. NaN and infinities read as null, whole numbers of more than 4,000
            digits as text; lone surrogates and NULs are kept.

        Raises:
            FetchError: of the kind that fits; neither it nor its context holds a secret.
        """
        if self._deadline is None:
            self._deadline = time.monotonic() + self._settings.max_seconds
        if self._pages >= self._settings.max_pages:
            raise self._bound(f"{self._settings.max_pages} pages", "MAX_PAGES")
        self._pages += 1
        self._secrets.update(
            value.get_secret_value()
            for value in (*params.values(), *(headers or {}).values())
            if isinstance(value, SecretStr) and value.get_secret_value()
        )
        outcome = self._outcome(path, params, headers or {})
        if isinstance(outcome, FetchError):
            # Raised here, the traceback has no frame that holds the request.
            raise outcome.with_traceback(None)
        return outcome.value

    def unusable(self, answer: Any, expected: str) -> UnusableAnswerError:
        """The error for a JSON answer that is not what was asked for, with the words in which
        the source itself explains it, if any."""
        said = self._said(answer)
        return UnusableAnswerError(
            f"{self._source} answered without {expected}"
            + (f": {said}." if said else ".")
            + " If it persists, its API has changed or the configured searches are not valid."
        )

    def _outcome(self, path: str, params: Parameters, headers: Parameters) -> _Parsed | FetchError:
        # Errors are returned, not raised, so that none keeps a request as its context.
        url = str(self._settings.base_url) + path
        query: dict[str, str] | None = _revealed(params)
        sent_headers = _revealed(headers)
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._attempts(url, query, sent_headers)
            if isinstance(answer, FetchError):
                return answer
            if not answer.is_redirect:
                return self._judged(answer)
            try:
                target = urljoin(url, answer.headers["Location"])
                same = _origin(target) == _origin(url)
            except ValueError:
                same = False
            if not same:
                return UnusableAnswerError(
                    f"{self._source} redirects to another address, which is not followed because "
                    f"keys might go with it. If its API has moved, set {self._prefix}BASE_URL."
                )
            url, query = target, None
        return UnusableAnswerError(
            f"{self._source} redirects in a circle. Check {self._prefix}BASE_URL."
        )

    def _attempts(
        self, url: str, query: dict[str, str] | None, headers: dict[str, str]
    ) -> Response | FetchError:
        failure: str
        try:
            return self._session.get(url, params=query, headers=headers, allow_redirects=False)
        except FetchError as error:
            return error
        except transport.SSLError:
            failure = "its certificate was not accepted"
        except transport.Timeout:
            failure = f"no answer within {self._settings.timeout_seconds:g} s"
        except transport.ChunkedEncodingError:
            failure = "the answer broke off"
        except transport.ContentDecodingError:
            failure = "its compression is damaged"
        except transport.ConnectionError:
            failure = "no connection, or it was closed without an answer"
        except (RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as e:
            failure = f"the request could not be sent ({type(e).__name__})"
        if self._remaining() <= 0:
            return self._out_of_time()
        return SourceUnavailableError(
            f"{self._source} is not available: {failure}. If it persists, check the network and "
            f"{self._prefix}BASE_URL."
        )

    def _judged(self, response: Response) -> _Parsed | FetchError:
        status = response.status_code
        parsed = _parse(response.content)
        if 200 <= status < 300:
            if parsed is not None:
                return parsed
            body = response.content.lstrip()
            found = "HTML" if body.startswith(b"<") else "broken JSON" if body else "nothing"
            return UnusableAnswerError(
                f"{self._source} answered with {found} in place of JSON. If it persists, check "
                f"{self._prefix}BASE_URL, or whether the source blocks automatic requests."
            )
        said = self._said(parsed.value) if parsed else ""
        reason = f"HTTP {status}" + (f": {said}" if said else "")
        asked = _asked_pause(response)
        if status == HTTPStatus.TOO_MANY_REQUESTS or asked is not None:
            when = ""
            retry_at = None
            if asked is not None:
                retry_at = datetime.now(UTC) + timedelta(seconds=min(asked, 366 * 86_400))
                when = f" It is asked again after {retry_at:%Y-%m-%d %H:%M:%S} UTC."
            return RateLimitedError(
                f"{self._source} asks for a pause ({reason}).{when} If that recurs, raise "
                f"{self._prefix}INTERVAL_MINUTES or ask for less.",
                retry_at,
            )
        if status >= 500:
            return SourceUnavailableError(
                f"{self._source} is not available ({reason}). If it persists, see the source's "
                "own status page."
            )
        keys = _key_variables(self._settings)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and keys:
            return KeyRefusedError(
                f"{self._source} refused the key ({reason}). Check {' and '.join(keys)}, and that "
                "the plan is subscribed."
            )
        return UnusableAnswerError(
            f"{self._source} refused the request ({reason}). Check {self._prefix}BASE_URL and the "
            "configured searches."
        )

    def _said(self, answer: Any) -> str:
        """The source's own words on an error, as plain text without secrets."""
        if not isinstance(answer, Mapping):
            return ""
        for field in ("display", "message", "error", "exception"):
            value = answer.get(field)
            value = value.get("message") if isinstance(value, Mapping) else value
            if isinstance(value, str) and value.strip():
                for secret in sorted(self._secrets, key=len, reverse=True):
                    value = value.replace(secret, "***")
                plain = re.sub(r"<[^<>]*>|\?\S+|[^ -~\u00a0-\ud7ff]", " ", value)
                return " ".join(plain.split())[:200].rstrip(".")
        return ""

    def _retrying_session(self) -> Session:
        settings = self._settings
        session: Session = RetryingClient(
            request_timeout=settings.timeout_seconds,
            raise_for_status=False,
            status_codes=_RETRIED,
            request_max_attempts=settings.max_attempts,
            request_max_retry_delay=settings.max_retry_delay_seconds,
        ).session
        session.headers.update({"User-Agent": _user_agent(), "Accept": "application/json"})
        session.trust_env = not _is_loopback(str(settings.base_url))
        adapter = _BoundedAdapter(self._send_bounded)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        # dlt cuts the pause that a source asks for to its own maximum, and has no jitter.
        retried: Any = session.send
        session.send = retried.retry_with(  # type: ignore[method-assign]
            wait=self._pause_before_retry,
            stop=lambda state: (
                stop_after_attempt(settings.max_attempts)(state) or self._pause_is_too_long(state)
            ),
        )
        return session

    def _pause_before_retry(self, state: RetryCallState) -> float:
        outcome = state.outcome
        if outcome is not None and not outcome.failed:
            asked = _asked_pause(outcome.result())
            if asked is not None:
                return asked
        maximum = self._settings.max_retry_delay_seconds
        backoff = wait_random_exponential(
            multiplier=1, min=min(_FIRST_BACKOFF_SECONDS, maximum), max=maximum
        )
        return backoff(state)

    def _pause_is_too_long(self, state: RetryCallState) -> bool:
        pause = state.upcoming_sleep
        return pause > self._settings.max_retry_delay_seconds or pause >= self._remaining()

    def _send_bounded(self, send: Callable[[float], Response]) -> Response:
        """One attempt: within the quota, the bytes and the time that are left."""
        self._acquire()
        if self._remaining() <= 0:
            raise self._out_of_time()
        self._requests += 1
        timeout = max(0.001, min(self._settings.timeout_seconds, self._remaining()))

        def attempt() -> Response:
            response = send(timeout)
            # Both are what requests itself fills in when it reads a body.
            response._content = self._body(response)
            response._content_consumed = True  # type: ignore[attr-defined]
            return response

        # Socket timeouts begin anew with every byte; only another thread sees the whole time.
        response = _within(self._remaining(), attempt)
        if response is None:
            raise self._out_of_time()
        asked = _asked_pause(response)
        if asked is not None:
            self._quota.pause(datetime.now(UTC) + timedelta(seconds=min(asked, 366 * 86_400)))
        return response

    def _body(self, response: Response) -> bytes:
        maximum = self._settings.max_megabytes * 1_000_000
        announced = response.headers.get("Content-Length", "")
        too_large = announced.isdecimal() and self._bytes + int(announced[:19]) > maximum
        pieces: list[bytes] = []
        try:
            while not too_large:
                piece = response.raw.read1(_PIECE_BYTES, decode_content=True)
                if not piece:
                    return b"".join(pieces)
                pieces.append(piece)
                self._bytes += len(piece)
                too_large = self._bytes > maximum
                if self._remaining() <= 0:
                    raise self._out_of_time()
        except urllib3.exceptions.DecodeError as error:
            raise transport.ContentDecodingError(error) from None
        except urllib3.exceptions.ReadTimeoutError as error:
            raise transport.ReadTimeout(error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise transport.ChunkedEncodingError(error) from None
        finally:
            response.close()
        raise self._bound(f"{self._settings.max_megabytes} MB", "MAX_MEGABYTES")

    def _acquire(self) -> None:
        while True:
            try:
                return self._quota.acquire()
            except QuotaExhaustedError as error:
                if error.retry_at is None:
                    raise
                pause = (error.retry_at - datetime.now(UTC)).total_seconds()
                if pause > self._settings.max_retry_delay_seconds or pause >= self._remaining():
                    raise
            time.sleep(max(pause, 0.001))

    def _remaining(self) -> float:
        return 0.0 if self._deadline is None else self._deadline - time.monotonic()

    def _out_of_time(self) -> BoundReachedError:
        return self._bound(f"{self._settings.max_seconds:g} s", "MAX_SECONDS")

    def _bound(self, bound: str, variable: str) -> BoundReachedError:
        return BoundReachedError(
            f"{self._source}: a fetch may take {bound}, and that is reached. What came before is "
            f"kept. To fetch more, raise {self._prefix}{variable}."
        )


class _Parsed:
    def __init__(self, value: Any) -> None:
        self.value = value


class _BoundedAdapter(HTTPAdapter):
    """Has every attempt that requests sends go through ``bounded``."""

    def __init__(self, bounded: Callable[[Callable[[float], Response]], Response]) -> None:
        super().__init__()
        self._bounded = bounded

    def send(  # type: ignore[override]
        self, request: PreparedRequest, **options: Any
    ) -> Response:
        return self._bounded(
            lambda timeout: super(_BoundedAdapter, self).send(
                request, **(options | {"stream": True, "timeout": timeout})
            )
        )


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


def _asked_pause(response: Response) -> float | None:
    """The seconds for which the source asks not to be asked, if it does."""
    if response.headers.get("X-RateLimit-Requests-Remaining", "").strip() == "0":
        reset = _seconds(response.headers.get("X-RateLimit-Requests-Reset"))
        if reset:
            return reset
    if response.status_code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return _seconds(response.headers.get("Retry-After"))
    return None


def _seconds(header: str | None) -> float | None:
    """A number of seconds, or a date, as seconds from now; None where it is neither."""
    if header is None:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", header, re.ASCII):
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _parse(body: bytes) -> _Parsed | None:
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        return _Parsed(json.loads(text, parse_constant=lambda _: None, parse_int=_whole_number))
    except (ValueError, RecursionError):
        return None


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _revealed(values: Parameters) -> dict[str, str]:
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_variables(settings: SourceSettings) -> list[str]:
    """The environment variables of the secrets among the settings."""
    prefix = str(settings.model_config.get("env_prefix", ""))
    return [
        str(field.validation_alias or f"{prefix}{name}".upper())
        for name, field in type(settings).model_fields.items()
        if "SecretStr" in str(field.annotation)
    ]
