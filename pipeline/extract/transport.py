"""Sending one request: attempts with pauses between them, each taken from the quota."""

from __future__ import annotations

import ipaddress
import logging
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import requests
from requests import exceptions
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    wait_random_exponential,
)

from pipeline.extract.deadline import DeadlineAdapter
from pipeline.extract.errors import QuotaExhaustedError
from pipeline.extract.limits import FetchLimits
from pipeline.extract.quota import Quota
from pipeline.extract.responses import Response, is_plan_used_up, retry_after
from pipeline.installation.settings import SourceSettings

log = logging.getLogger(__name__)

_RETRIED_STATUSES = (429, *range(500, 600))
_RETRIED_ERRORS = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
_FIRST_BACKOFF_SECONDS = 0.25
_PIECE_BYTES = 1 << 16


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


class RetryingSession:
    """Sends the requests of one fetch.

    Attributes:
        attempts: how many were sent so far, retries included.
    """

    def __init__(
        self, source: str, settings: SourceSettings, quota: Quota, limits: FetchLimits
    ) -> None:
        self._source = source
        self._settings = settings
        self._quota = quota
        self._limits = limits
        self.attempts = 0
        self._session = _Session()
        self._session.headers.update({"User-Agent": _user_agent(), "Accept": "application/json"})
        # A proxy of the environment cannot reach a server of this machine.
        self._session.trust_env = not _is_loopback(settings.base_url)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, DeadlineAdapter(limits))
        longest = settings.max_retry_delay_seconds
        self._backoff = wait_random_exponential(
            min=min(_FIRST_BACKOFF_SECONDS, longest), max=longest
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type(_RETRIED_ERRORS) | retry_if_result(_is_temporary),
            wait=self._pause,
            stop=self._is_last,
            before_sleep=self._log_retry,
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )

    def get(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Response:
        """Ask until a response is not worth a retry, the attempts are used up, or the next pause
        is longer than the fetch may wait.

        Returns:
            The last response, whatever its status. A redirect is not followed.

        Raises:
            FetchError: a limit or the quota was reached.
            requests.RequestException: the last attempt had no whole response.
        """
        response: Response = self._retrying(self._attempt, url, params, headers)
        return response

    def _attempt(
        self, url: str, params: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Response:
        self._limits.check_deadline()
        self._acquire()
        self.attempts += 1
        body = bytearray()
        with self._session.get(
            url, params=params, headers=headers, timeout=self._limits.timeout(), stream=True
        ) as streamed:
            announced = streamed.headers.get("Content-Length", "")
            if announced.isdecimal():
                self._limits.check_announced(int(announced[:19]))
            for piece in streamed.iter_content(_PIECE_BYTES):
                self._limits.count_bytes(len(piece))
                self._limits.check_deadline()
                body += piece
        location = streamed.headers["Location"] if streamed.is_redirect else None
        response = Response(streamed.status_code, streamed.headers, bytes(body), location)
        pause = retry_after(response)
        if pause is not None:
            self._quota.pause(datetime.now(UTC) + pause)
        return response

    def _acquire(self) -> None:
        while True:
            try:
                return self._quota.acquire()
            except QuotaExhaustedError as error:
                if error.retry_at is None:
                    raise
                pause = (error.retry_at - datetime.now(UTC)).total_seconds()
                if not self._limits.allow_pause(pause):
                    raise
            time.sleep(max(pause, 0.001))

    def _pause(self, state: RetryCallState) -> float:
        if state.outcome is not None and not state.outcome.failed:
            pause = retry_after(state.outcome.result())
            if pause is not None:
                return pause.total_seconds()
        return self._backoff(state)

    def _is_last(self, state: RetryCallState) -> bool:
        used_up = state.attempt_number >= self._settings.max_attempts
        return used_up or not self._limits.allow_pause(state.upcoming_sleep)

    def _log_retry(self, state: RetryCallState) -> None:
        what = "no answer"
        if state.outcome is not None and not state.outcome.failed:
            what = f"HTTP {state.outcome.result().status}"
        log.warning(
            "%s: %s to attempt %d of %d; the next one follows in %.1f s.",
            self._source, what, state.attempt_number, self._settings.max_attempts,
            state.upcoming_sleep,
        )  # fmt: skip


class _Session(requests.Session):
    """A session that takes no response for a redirect: requests would read its whole body,
    whatever its size, and follow it with the keys."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _is_temporary(response: Response) -> bool:
    return response.status in _RETRIED_STATUSES and not is_plan_used_up(response)


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
