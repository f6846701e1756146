"""A request as it arrives at the simulator, and a response as it goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        source: None where no source has such a path.
        headers: by names in lower case.
        received_at: :func:`time.monotonic`.
        number: how many requests the source has had, this one included.
        country: of the path or the parameter, if any.
    """

    source: str | None
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    received_at: float
    number: int = 1
    page: int = 1
    country: str | None = None

    @property
    def search(self) -> str | None:
        """The words that are searched for."""
        return self.query.get("query") or self.query.get("what") or self.query.get("what_or")

    def whole_number(self, name: str, default: int, most: int) -> int | None:
        """A parameter; None where it is not a whole number from 0 or 1 up to ``most``."""
        text = self.query.get(name, str(default))
        number = int(text) if text.isdecimal() else -1
        return number if min(1, default) <= number <= most else None


@dataclass(frozen=True)
class Response:
    """What goes over the wire, and how.

    Attributes:
        announced_length: a ``Content-Length`` other than the body's; the connection closes after
            the body.
        drop: close the connection without a byte of a response.
        reset: abort the connection (TCP RST) after the body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    delay_seconds: float = 0.0
    bytes_per_second: float | None = None
    announced_length: int | None = None
    drop: bool = False
    reset: bool = False


def json_response(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response whose body is the content as JSON."""
    return Response(
        status,
        {"Content-Type": "application/json", **(headers or {})},
        json.dumps(content).encode(),
    )
