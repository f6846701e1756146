"""What a response says: its JSON, the pause it asks for, and its message on an error."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

_MAX_DIGITS = 4_000
"""Python refuses to read whole numbers of more than 4,300 digits."""
MAX_VALUES = 3_000_000
"""The most JSON values in one response: each takes up to 100 bytes of memory, whatever it takes in
the body. They are counted by their commas and brackets, those in texts too."""
MAX_POSTINGS = 100_000
"""The most elements of the list that a response is, or holds at its top."""
_MAX_MESSAGE_CHARS = 200
_MAX_ERROR_BYTES = 100_000
_FIRST_UNIX_TIME = 1_000_000_000
"""From here on a number in a header is a time of this century, not a number of seconds."""
_LONGEST_PAUSE_SECONDS = 366 * 86_400.0


@dataclass(frozen=True)
class Response:
    """A whole response. The names of ``headers`` are taken in any case; ``location`` is where a
    redirect leads, None where it is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    location: str | None = None


@dataclass(frozen=True)
class Parsed:
    """The value of a JSON text, which may be None itself."""

    value: Any


class ExcessiveResponseError(Exception):
    """A JSON text has more values than its size warrants; the message says how many are read."""


def parse(body: bytes) -> Parsed | None:
    """Read JSON; None where the body is none. NaN and infinities read as null, whole numbers of
    more than 4,000 digits as text, bytes that are no UTF-8 as U+FFFD; lone surrogates and NULs
    are kept.

    Raises:
        ExcessiveResponseError: it has more than ``MAX_VALUES`` values, which is known before any is
            made, or a list of more than ``MAX_POSTINGS`` at its top.
    """
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MAX_VALUES:
        raise ExcessiveResponseError(f"more than {MAX_VALUES:,} values")
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        value = json.loads(text, parse_constant=lambda _: None, parse_int=_whole_number)
    except (ValueError, RecursionError):
        return None
    for part in (value, *(value.values() if isinstance(value, Mapping) else ())):
        if isinstance(part, list) and len(part) > MAX_POSTINGS:
            raise ExcessiveResponseError(f"more than {MAX_POSTINGS:,} postings")
    return Parsed(value)


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def retry_after(response: Response) -> timedelta | None:
    """How long the source asks not to be asked, if it does: in ``Retry-After`` of a 429 or 503,
    or in RapidAPI's headers (https://docs.rapidapi.com/docs/response-headers) where no request
    is left, which a response with status 200 may say too."""
    if response.headers.get("X-RateLimit-Requests-Remaining", "").strip() == "0":
        reset = _pause(response.headers.get("X-RateLimit-Requests-Reset"))
        if reset:
            return reset
    if response.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return _pause(response.headers.get("Retry-After"))
    return None


def _pause(header: str | None) -> timedelta | None:
    """Of a number of seconds, a Unix time or a date, at most a year; None where it is none."""
    if header is None:
        return None
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", header, re.ASCII):
        seconds = float(header)
        seconds -= time.time() if seconds >= _FIRST_UNIX_TIME else 0
    else:
        try:
            at = parsedate_to_datetime(header)
        except ValueError:
            return None
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        seconds = (at - datetime.now(UTC)).total_seconds()
    return timedelta(seconds=min(max(0.0, seconds), _LONGEST_PAUSE_SECONDS))


_PLAN_IS_USED_UP = re.compile(
    r"exceeded\b.{0,60}\bquota|quota\b.{0,60}\b(?:exceeded|exhausted|used up|reached)"
    r"|(?:daily|weekly|monthly)\b.{0,30}\blimit\b.{0,30}\b(?:exceeded|reached|hit)",
    re.IGNORECASE,
)


def is_plan_used_up(response: Response) -> bool:
    """Whether a refusal says that the requests of the plan are used up (RapidAPI: "You have
    exceeded the MONTHLY quota for Requests on your current plan"), and not only that they come
    too fast."""
    if response.status == HTTPStatus.PAYMENT_REQUIRED:
        return True
    if response.status != HTTPStatus.TOO_MANY_REQUESTS:
        return False
    parsed = parse(response.body[:_MAX_ERROR_BYTES])
    return bool(_PLAN_IS_USED_UP.search(error_message(parsed.value if parsed else None, ())))


def error_message(content: Any, secrets: Collection[str]) -> str:
    """The source's own message in the JSON of an error, as one line without tags, URLs' queries,
    control characters, or any of ``secrets``; empty where it has none."""
    if not isinstance(content, Mapping):
        return ""
    for field in ("display", "message", "error", "exception"):
        value = content.get(field)
        value = value.get("message") if isinstance(value, Mapping) else value
        if isinstance(value, str) and value.strip():
            for secret in sorted(secrets, key=len, reverse=True):
                value = value.replace(secret, "***")
            plain = re.sub(r"<[^<>]*>|\?\S+", " ", value)
            plain = "".join(char if char.isprintable() else " " for char in plain)
            return " ".join(plain.split())[:_MAX_MESSAGE_CHARS].rstrip(" .")
    return ""
