"""Responses that are given to a source, in place of those over a market."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.simulator.messages import Request, Response, json_response
from pipeline.simulator.source_api import SourceApi

Payload = bytes | Sequence[Any] | Mapping[str, Any]
"""A list of postings, to which the source's envelope is added; or the JSON or the bytes of a whole
body."""
_MOST_PAGES = 100


@dataclass(frozen=True)
class Given:
    """A response, and the requests that it is for."""

    payload: Payload | Callable[[Request], Payload]
    page: int | None
    query: str | None
    country: str | None
    status: int
    headers: Mapping[str, str]

    @property
    def precision(self) -> int:
        """How many properties of a request it names."""
        return sum(key is not None for key in (self.page, self.query, self.country))

    def fits(self, request: Request) -> bool:
        """Whether it is for a request."""
        return (
            self.page in (None, request.page)
            and self.query in (None, request.search)
            and self.country in (None, request.country)
        )


def respond(api: SourceApi, given: Sequence[Given], request: Request) -> Response:
    """The response of a source; an empty page where none is given for the request."""
    best = _best(given, request)
    if best is None:
        return json_response(_enveloped(api, given, request, []))
    payload = best.payload(request) if callable(best.payload) else best.payload
    if isinstance(payload, bytes):
        plain = Response(best.status, {"Content-Type": "application/json"}, payload)
    elif isinstance(payload, Mapping):
        plain = json_response(payload, best.status)
    else:
        plain = json_response(_enveloped(api, given, request, list(payload)), best.status)
    return replace(plain, headers={**plain.headers, **best.headers})


def _best(given: Sequence[Given], request: Request) -> Given | None:
    fitting = [(one.precision, at, one) for at, one in enumerate(given) if one.fits(request)]
    return max(fitting, key=lambda found: found[:2])[2] if fitting else None


def _enveloped(
    api: SourceApi, given: Sequence[Given], request: Request, postings: list[Any]
) -> Any:
    """With the count of all pages, and whether another page is given."""
    pages = [_best(given, replace(request, page=page)) for page in range(1, _MOST_PAGES + 1)]
    lengths = [
        len(one.payload)
        for page, one in enumerate(pages, start=1)
        if one is not None and isinstance(one.payload, list) and one.page == page
    ]
    following = pages[request.page : request.page + 1]
    follows = any(one is not None and one.page is not None for one in following)
    return api.envelope(request, postings, follows=follows, count=sum(lengths))
