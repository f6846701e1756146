"""Asking a source for JSON, within bounds, and without a secret ever leaving by another way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin

import urllib3
from pydantic import SecretStr
from requests import Request, RequestException, Response
from requests import exceptions as transport_errors

from pipeline.extract.answers import (
    ExcessiveAnswerError,
    Parsed,
    asked_pause,
    is_plan_used_up,
    parse,
    words_on_error,
)
from pipeline.extract.bounds import Bounds, env_prefix
from pipeline.extract.drift import MAX_DRIFT_FIELDS, Drift, envelope_differences
from pipeline.extract.errors import (
    EndpointMissingError,
    FetchError,
    KeyRefusedError,
    PlanExhaustedError,
    RateLimitedError,
    SourceUnavailableError,
    UnusableAnswerError,
)
from pipeline.extract.quota import Quota
from pipeline.extract.transport import Attempts
from pipeline.installation.settings import SourceSettings

Parameters = Mapping[str, str | int | SecretStr]
"""A :class:`SecretStr` is revealed only in the request itself, without blanks around it."""

_MAX_REDIRECTS = 5
_PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""The characters of https://www.rfc-editor.org/rfc/rfc3986#section-2: no blank, control character,
backslash or letter beyond ASCII."""


class Client:
    """Asks one source, for one fetch. Not for use by several threads.

    The bounds of ``settings`` hold from the first request on. A request is tried up to
    ``max_attempts`` times, with growing, random pauses, or the pause that the source asks for;
    each attempt is first taken from the quota. A pause that the source asks for is written into
    the ledger, so that later fetches keep it too.
    """

    def __init__(self, source: str, settings: SourceSettings, quota: Quota) -> None:
        self._source = source
        self._settings = settings
        self._quota = quota
        self._prefix = env_prefix(settings)
        self._bounds = Bounds(source, settings)
        self._attempts = Attempts(source, settings, quota, self._bounds)
        self._secrets: set[str] = set()
        self._pages = 0
        self._drift: Counter[tuple[str, str]] = Counter()

    @property
    def requests(self) -> int:
        """How many requests were sent, retries and redirects included."""
        return self._attempts.count

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
            envelope: what the answer is declared to be made of, as
                :func:`pipeline.extract.drift.envelope_differences` takes it.

        Returns:
            The JSON as :func:`pipeline.extract.answers.parse` reads it.

        Raises:
            FetchError: of the kind that fits; neither it nor its context holds a secret.
        """
        self._bounds.take_page()
        self._quota.check_refusals(path)
        headers = headers or {}
        values = [*params.values(), *headers.values()]
        self._secrets |= {
            value.get_secret_value().strip() for value in values if isinstance(value, SecretStr)
        } - {""}
        outcome = self._outcome(path, params, headers)
        if isinstance(outcome, EndpointMissingError):
            outcome = self._quota.refuse(outcome, path)
        elif isinstance(outcome, KeyRefusedError | PlanExhaustedError):
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
        """How the answers' envelopes differed from their declarations."""
        return [
            Drift(field, what, count, of=self._pages)
            for (field, what), count in sorted(self._drift.items())
        ]

    def unusable(self, answer: Any, expected: str) -> UnusableAnswerError:
        """The error for a JSON answer that is not what was asked for, with the words in which
        the source itself explains it, if any."""
        words = words_on_error(answer, self._secrets)
        return UnusableAnswerError(
            f"{self._source} answered without {expected}"
            + (f": {words}." if words else ".")
            + " If it persists, its API has changed or the configured searches are not valid."
        )

    def _outcome(self, path: str, params: Parameters, headers: Parameters) -> Parsed | FetchError:
        # Errors are returned, not raised, so that none keeps a request as its context.
        url = f"{self._settings.base_url}{path}"
        query: dict[str, str] | None = _revealed(params)
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._sent(url, query, _revealed(headers))
            if isinstance(answer, FetchError):
                return answer
            if not answer.is_redirect:
                return self._judged(answer, path)
            target = self._followed(url, answer.headers["Location"])
            if target is None:
                return UnusableAnswerError(
                    f"{self._source} redirects to another address, which is not followed because "
                    f"keys might go with it. If its API has moved, set {self._prefix}BASE_URL."
                )
            url, query = target, None
        return UnusableAnswerError(
            f"{self._source} redirects in a circle. Check {self._prefix}BASE_URL."
        )

    def _followed(self, url: str, location: str) -> str | None:
        """Where a redirect leads; None where that is another origin, or no plain URL.

        What compares the origins is what the request would be sent by: two readers of a URL may
        see two hosts in it.
        """
        if not _PLAIN_URL.fullmatch(location):
            return None
        try:
            here, there = (Request("GET", to).prepare() for to in (url, urljoin(url, location)))
            same = self._attempts.origin(here) == self._attempts.origin(there)
        except (RequestException, ValueError):
            return None
        return there.url if same else None

    def _sent(
        self, url: str, query: dict[str, str] | None, headers: dict[str, str]
    ) -> Response | FetchError:
        try:
            return self._attempts.session.get(
                url, params=query, headers=headers, allow_redirects=False
            )
        except FetchError as error:
            return error
        except transport_errors.SSLError:
            failure = "its certificate was not accepted"
        except transport_errors.Timeout:
            failure = f"no answer within {self._settings.timeout_seconds:g} s"
        except transport_errors.ChunkedEncodingError:
            failure = "the answer broke off"
        except transport_errors.ContentDecodingError:
            failure = "its compression is damaged"
        except transport_errors.ConnectionError:
            failure = "no connection, or it was closed without an answer"
        except (RequestException, urllib3.exceptions.HTTPError, ValueError, OSError) as error:
            failure = f"the request could not be sent ({type(error).__name__})"
        if self._bounds.seconds_left() <= 0:
            return self._bounds.out_of_time()
        return SourceUnavailableError(
            f"{self._source} is not available: {failure}. If it persists, check the network and "
            f"{self._prefix}BASE_URL."
        )

    def _judged(self, response: Response, path: str) -> Parsed | FetchError:
        status = response.status_code
        excess = None
        try:
            parsed = parse(response.content)
        except ExcessiveAnswerError as error:
            parsed, excess = None, error
        if status == HTTPStatus.OK:
            if parsed is not None:
                return parsed
            if excess is not None:
                return UnusableAnswerError(
                    f"{self._source} answered with {excess} at once, and nothing of it is read. "
                    f"If it persists, check {self._prefix}BASE_URL, or ask for smaller pages."
                )
            body = response.content.lstrip()
            found = "HTML" if body.startswith(b"<") else "broken JSON" if body else "nothing"
            return UnusableAnswerError(
                f"{self._source} answered with {found} in place of JSON. If it persists, check "
                f"{self._prefix}BASE_URL, or whether the source blocks automatic requests."
            )
        words = words_on_error(parsed.value, self._secrets) if parsed else ""
        reason = f"HTTP {status}" + (f": {words}" if words else "")
        asked = asked_pause(response)
        if is_plan_used_up(response):
            return PlanExhaustedError(
                f"{self._source} says that the requests of the plan are used up ({reason}). Where "
                f"that recurs, lower {self._prefix}QUOTA_PER_MONTH to what the plan allows, or "
                "choose a larger plan.",
                None if asked is None else datetime.now(UTC) + asked,
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS or asked is not None:
            retry_at = datetime.now(UTC) + asked if asked is not None else None
            when = ""
            if retry_at is not None:
                when = f" It may be asked again after {retry_at:%Y-%m-%d %H:%M:%S} UTC."
            return RateLimitedError(
                f"{self._source} asks for a pause ({reason}).{when} If that recurs, raise "
                f"{self._prefix}INTERVAL_MINUTES or ask for less.",
                retry_at,
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return SourceUnavailableError(
                f"{self._source} is not available ({reason}). If it persists, see whether the "
                "source reports a failure."
            )
        keys = _key_variables(self._settings)
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN) and keys:
            return KeyRefusedError(
                f"{self._source} refused the key ({reason}). Check {' and '.join(keys)}, and that "
                "the plan is subscribed."
            )
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return EndpointMissingError(
                f"{self._source} has nothing at {path} ({reason}): the key is not the reason, its "
                f"API has moved. Set {' or '.join(self._address_variables())}."
            )
        return UnusableAnswerError(
            f"{self._source} refused the request ({reason}). Check {self._prefix}BASE_URL and the "
            "configured searches."
        )

    def _address_variables(self) -> list[str]:
        """The environment variables that decide where requests go."""
        names = [name for name in ("path", "base_url") if name in type(self._settings).model_fields]
        return [f"{self._prefix}{name.upper()}" for name in names]


def _revealed(values: Parameters) -> dict[str, str]:
    return {
        name: value.get_secret_value().strip() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }


def _key_variables(settings: SourceSettings) -> list[str]:
    """The environment variables of the secrets among the settings."""
    return [
        str(field.validation_alias or f"{env_prefix(settings)}{name.upper()}")
        for name, field in type(settings).model_fields.items()
        if "SecretStr" in str(field.annotation)
    ]
