"""Asking a source for JSON, within limits, and without a secret ever leaving by another way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from pydantic import SecretStr
from requests import exceptions
from urllib3.exceptions import HTTPError, ReadTimeoutError

from pipeline.extract.drift import MAX_DRIFT_FIELDS, Drift, envelope_differences
from pipeline.extract.errors import (
    AuthenticationError,
    EndpointMissingError,
    FetchError,
    InvalidResponseError,
    PlanExhaustedError,
    RateLimitedError,
    SourceUnavailableError,
)
from pipeline.extract.limits import FetchLimits
from pipeline.extract.quota import Quota
from pipeline.extract.redirects import redirect_target
from pipeline.extract.responses import (
    ExcessiveResponseError,
    Parsed,
    Response,
    error_message,
    is_plan_used_up,
    parse,
    retry_after,
)
from pipeline.extract.transport import RetryingSession
from pipeline.installation.settings import SourceSettings

Parameters = Mapping[str, str | int | SecretStr]
"""A :class:`SecretStr` is revealed only in the request itself, without blanks around it."""

_MAX_REDIRECTS = 5


class Client:
    """Asks one source, for one fetch. Not for use by several threads.

    The limits of ``settings`` hold from the first request on. A request is tried up to
    ``max_attempts`` times, with growing, random pauses, or the pause that the source asks for;
    each attempt is first taken from the quota. A pause that the source asks for is written into
    the ledger, so that later fetches keep it too.

    Args:
        max_pages: in place of as many as the settings ask for.
    """

    def __init__(
        self,
        source: str,
        settings: SourceSettings,
        quota: Quota,
        *,
        max_pages: int | None = None,
    ) -> None:
        self._source = source
        self._settings = settings
        self._quota = quota
        self._limits = FetchLimits(source, settings, max_pages)
        self._session = RetryingSession(source, settings, quota, self._limits)
        self._secrets: set[str] = set()
        self._pages = 0
        self._drift: Counter[tuple[str, str]] = Counter()

    @property
    def requests(self) -> int:
        """How many requests were sent, retries and redirects included."""
        return self._session.attempts

    def get_json(
        self,
        path: str,
        params: Parameters,
        headers: Parameters | None = None,
        *,
        envelope: Mapping[str, str] | None = None,
    ) -> Any:
        """Ask for one page.

        Args:
            path: appended to the source's base URL.
            envelope: what the response is declared to be made of, as
                :func:`pipeline.extract.drift.envelope_differences` takes it.

        Returns:
            The JSON as :func:`pipeline.extract.responses.parse` reads it.

        Raises:
            FetchError: of the kind that fits; neither it nor its context holds a secret.
        """
        self._limits.count_page()
        self._quota.check_refusals(path)
        headers = headers or {}
        values = [*params.values(), *headers.values()]
        self._secrets |= {
            value.get_secret_value().strip() for value in values if isinstance(value, SecretStr)
        } - {""}
        outcome = self._ask(path, params, headers)
        if isinstance(outcome, EndpointMissingError):
            outcome = self._quota.refuse(outcome, path)
        elif isinstance(outcome, AuthenticationError | PlanExhaustedError):
            outcome = self._quota.refuse(outcome)
        if isinstance(outcome, FetchError):
            # Raised here, the traceback has no frame that holds the request.
            raise outcome.with_traceback(None)
        self._pages += 1
        self._drift.update(
            difference
            for difference in envelope_differences(outcome.value, envelope or {})
            if difference in self._drift or len(self._drift) < MAX_DRIFT_FIELDS
        )
        return outcome.value

    def drift(self) -> list[Drift]:
        """How the responses' envelopes differed from their declarations."""
        return [
            Drift(field, what, count, of=self._pages)
            for (field, what), count in sorted(self._drift.items())
        ]

    def invalid_response(self, content: Any, expected: str) -> InvalidResponseError:
        """The error for JSON that is not what was asked for, with the source's own message in it,
        if any."""
        message = error_message(content, self._secrets)
        return InvalidResponseError(
            f"{self._source} answered without {expected}"
            + (f": {message}." if message else ".")
            + " If it persists, its API has changed or the configured searches are not valid."
        )

    def _ask(self, path: str, params: Parameters, headers: Parameters) -> Parsed | FetchError:
        # Errors are returned, not raised, so that none keeps a request as its context.
        url = f"{self._settings.base_url}{path}"
        query: dict[str, str] | None = _revealed(params)
        for _ in range(_MAX_REDIRECTS + 1):
            response = self._get(url, query, _revealed(headers))
            if isinstance(response, FetchError):
                return response
            if response.location is None:
                return self._classify(response, path)
            target = redirect_target(url, response.location)
            if target is None:
                return InvalidResponseError(
                    f"{self._source} redirects to another address, which is not followed because "
                    "keys might go with it. If its API has moved, set "
                    f"{self._settings.variable('base_url')}."
                )
            url, query = target, None
        return InvalidResponseError(
            f"{self._source} redirects in a circle. Check {self._settings.variable('base_url')}."
        )

    def _get(
        self, url: str, query: dict[str, str] | None, headers: dict[str, str]
    ) -> Response | FetchError:
        try:
            return self._session.get(url, query, headers)
        except FetchError as error:
            return error
        except (exceptions.RequestException, HTTPError, ValueError, OSError) as error:
            failure = _failure(error, self._settings)
        if self._limits.seconds_left() <= 0:
            return self._limits.deadline_exceeded()
        return SourceUnavailableError(
            f"{self._source} is not available: {failure}. If it persists, check the network and "
            f"{self._settings.variable('base_url')}."
        )

    def _classify(self, response: Response, path: str) -> Parsed | FetchError:
        status, variable = response.status, self._settings.variable
        excess = None
        try:
            parsed = parse(response.body)
        except ExcessiveResponseError as error:
            parsed, excess = None, error
        if status == HTTPStatus.OK:
            if parsed is not None:
                return parsed
            if excess is not None:
                return InvalidResponseError(
                    f"{self._source} answered with {excess} at once, and nothing of it is read. "
                    f"If it persists, check {variable('base_url')}, or ask for smaller pages."
                )
            body = response.body.lstrip()
            found = "HTML" if body.startswith(b"<") else "broken JSON" if body else "nothing"
            return InvalidResponseError(
                f"{self._source} answered with {found} in place of JSON. If it persists, check "
                f"{variable('base_url')}, or whether the source blocks automatic requests."
            )
        message = error_message(parsed.value, self._secrets) if parsed else ""
        reason = f"HTTP {status}" + (f": {message}" if message else "")
        pause = retry_after(response)
        retry_at = None if pause is None else datetime.now(UTC) + pause
        if is_plan_used_up(response):
            return PlanExhaustedError(
                f"{self._source} says that the requests of the plan are used up ({reason}). Where "
                f"that recurs, lower {variable('quota_per_month')} to what the plan allows, or "
                "choose a larger plan.",
                retry_at,
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS or retry_at is not None:
            when = ""
            if retry_at is not None:
                when = f" It may be asked again after {retry_at:%Y-%m-%d %H:%M:%S} UTC."
            return RateLimitedError(
                f"{self._source} asks for a pause ({reason}).{when} If that recurs, raise "
                f"{variable('interval_minutes')} or ask for less.",
                retry_at,
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return SourceUnavailableError(
                f"{self._source} is not available ({reason}). If it persists, see whether the "
                "source reports a failure."
            )
        keys = self._settings.key_variables()
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and keys:
            return AuthenticationError(
                f"{self._source} refused the key ({reason}). Check {' and '.join(keys)}, and that "
                "the plan is subscribed."
            )
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            fields = type(self._settings).model_fields
            addresses = [variable(name) for name in ("path", "base_url") if name in fields]
            return EndpointMissingError(
                f"{self._source} has nothing at {path} ({reason}): the key is not the reason, its "
                f"API has moved. Set {' or '.join(addresses)}."
            )
        return InvalidResponseError(
            f"{self._source} refused the request ({reason}). Check {variable('base_url')} and the "
            "configured searches."
        )


def _revealed(values: Parameters) -> dict[str, str]:
    return {
        name: value.get_secret_value().strip() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def _failure(error: Exception, settings: SourceSettings) -> str:
    """Why no whole response came, in the words of the message."""
    # What requests raises where the body stalls is a ConnectionError.
    if isinstance(error, exceptions.Timeout) or any(
        isinstance(cause, ReadTimeoutError) for cause in error.args
    ):
        return f"no answer within {settings.timeout_seconds:g} s"
    failures: dict[type[Exception], str] = {
        exceptions.SSLError: "its certificate was not accepted",
        exceptions.ChunkedEncodingError: "the answer broke off",
        exceptions.ContentDecodingError: "its compression is damaged",
        exceptions.ConnectionError: "no connection, or it was closed without an answer",
    }
    for kind, failure in failures.items():
        if isinstance(error, kind):
            return failure
    return f"the request could not be sent ({type(error).__name__})"
