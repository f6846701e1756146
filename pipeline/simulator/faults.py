"""What can go wrong between a source and its reader, as faults that the simulator is told."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pipeline.simulator.messages import Request, Response, json_response

MISSING: Any = object()
"""In place of a field's value: the field is left out."""


def _unchanged(request: Request) -> Request:
    return request


@dataclass(frozen=True)
class Fault:
    """What to do to the next ``times`` responses; without ``times``, to every one.

    Attributes:
        apply: makes the faulty response of the sound one.
        misread: the request to which the source responds in place of the one that it was sent.
    """

    apply: Callable[[Response], Response]
    times: int | None = 1
    misread: Callable[[Request], Request] = _unchanged


def rate_limited(
    *, retry_after: float | str | None = 1, times: int | None = 1, **headers: str
) -> Fault:
    """429. ``retry_after`` is sent as it is given (seconds or an HTTP date); None leaves the
    header out. Further headers: ``**{"X-RateLimit-Requests-Reset": "3600"}``."""
    if retry_after is not None:
        headers = {"Retry-After": str(retry_after), **headers}
    return Fault(lambda _: json_response({"message": "Too many requests"}, 429, headers), times)


def server_error(times: int | None = 1, status: int = 503) -> Fault:
    """A 5xx with a short text."""
    body = b"upstream connect error"
    return Fault(lambda _: Response(status, {"Content-Type": "text/plain"}, body), times)


def hang(seconds: float, times: int | None = 1) -> Fault:
    """Stay silent for so long, then respond. Closing the simulator ends the wait."""
    return Fault(lambda sound: replace(sound, delay_seconds=seconds), times)


def slow_drip(bytes_per_second: float, times: int | None = 1) -> Fault:
    """Send the headers at once, but the body in ten small pieces a second: no single read times
    out."""
    return Fault(lambda sound: replace(sound, bytes_per_second=bytes_per_second), times)


def truncated_json(times: int | None = 1, *, announce_whole: bool = False) -> Fault:
    """200 with half of the body. With ``announce_whole`` the ``Content-Length`` is that of the
    whole body and the connection closes early; without, HTTP itself is correct."""

    def cut(sound: Response) -> Response:
        length = len(sound.body) if announce_whole else None
        return replace(sound, body=sound.body[: len(sound.body) // 2], announced_length=length)

    return Fault(cut, times)


def html_instead_of_json(times: int | None = 1, status: int = 200) -> Fault:
    """The page of a proxy or a bot check, where JSON was asked for."""
    page = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
    return Fault(lambda _: Response(status, {"Content-Type": "text/html"}, page), times)


def empty_list(times: int | None = 1) -> Fault:
    """200 with ``[]``: nothing at all, not even Remote OK's legal element or an envelope."""
    return Fault(lambda _: json_response([]), times)


def dropped_connection(times: int | None = 1) -> Fault:
    """The connection closes without a response."""
    return Fault(lambda sound: replace(sound, drop=True), times)


def reset_connection(times: int | None = 1) -> Fault:
    """The connection is aborted in the middle of the body."""

    def cut(sound: Response) -> Response:
        half = sound.body[: len(sound.body) // 2]
        return replace(sound, body=half, announced_length=len(sound.body), reset=True)

    return Fault(cut, times)


def compression_bomb(megabytes: int, times: int | None = 1, status: int = 200) -> Fault:
    """Blanks, compressed to a thousandth of their size."""
    body = gzip.compress(b" " * (megabytes * 1_000_000))
    return Fault(lambda _: Response(status, {"Content-Encoding": "gzip"}, body), times)


def redirected(location: str, times: int | None = 1, status: int = 302) -> Fault:
    """A redirect to what is given, as it is given."""
    return Fault(lambda _: Response(status, {"Location": location}, b""), times)


def repeated_page(times: int | None = 1) -> Fault:
    """The first page, whatever page was asked for."""

    def first(request: Request) -> Request:
        query = {k: v for k, v in request.query.items() if k not in ("cursor", "page")}
        return replace(request, page=1, query=query)

    return Fault(lambda sound: sound, times, first)


def drifted(field: str, value: Any, times: int | None = None) -> Fault:
    """Another value in every field of this name, wherever it is in the JSON; it is left out with
    :data:`MISSING`, and made of the old one by a callable."""

    def changed(content: Any) -> Any:
        if isinstance(content, list):
            return [changed(element) for element in content]
        if not isinstance(content, dict):
            return content
        fields = {name: changed(old) for name, old in content.items()}
        if field in fields:
            old = fields.pop(field)
            new = value(old) if callable(value) else value
            fields |= {} if new is MISSING else {field: new}
        return fields

    return Fault(
        lambda sound: replace(sound, body=json.dumps(changed(json.loads(sound.body))).encode()),
        times,
    )
