"""The three source APIs over a simulated market, as one web application.

``/remoteok/api``, ``/jsearch/search-v2`` and ``/adzuna/v1/api/jobs/{country}/search/{page}`` answer
as the real ones do, with the same parameters, envelopes and errors.
"""

from __future__ import annotations

import base64
import contextlib
import heapq
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from pipeline.simulator import search
from pipeline.simulator.adverts import advert
from pipeline.simulator.listings import EPOCH, Listing, SourceName
from pipeline.simulator.market import Market
from pipeline.simulator.openings import scatter

FEED_LENGTH = 100
"""RemoteOK answers with its newest postings, about so many."""
JSEARCH_PAGE = 10
JSEARCH_REQUESTS = 1_000_000
"""The demo's monthly requests, as the rate headers tell them."""

_LEGAL = (
    "API Terms of Service: Please link back (with follow, and without nofollow!) to the URL on "
    "Remote OK and mention Remote OK as a source. These postings are generated for a demo."
)
_DAYS = {"today": 1, "3days": 3, "week": 7, "month": 31}
_REMEMBERED = 10_000


@dataclass(frozen=True)
class _Shown:
    listing: Listing
    advert: dict[str, Any]
    page: search.Page


class _Shelf:
    """What one source shows, with the words of each advert remembered between requests."""

    def __init__(self, market: Market, source: SourceName) -> None:
        self._market = market
        self._source = source
        self._known: dict[tuple[int, bool], _Shown] = {}
        self._lock = threading.Lock()

    def at(self, now: datetime) -> Iterator[_Shown]:
        second = int((now - EPOCH).total_seconds())
        for listing in self._market.listings(self._source, now):
            revised_at = listing.opening.revised_at
            key = (listing.serial, revised_at is not None and second >= revised_at)
            shown = self._known.get(key)
            if shown is None:
                job = advert(self._market.seed, listing, second)
                title = str(job.get("job_title") or job.get("title"))
                body = str(job.get("job_description") or job.get("description"))
                shown = _Shown(listing, job, search.Page.of(listing.opening, title, body))
                with self._lock:
                    if len(self._known) >= _REMEMBERED:
                        self._known.clear()
                    self._known[key] = shown
            yield shown


def source_apis(market: Market, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Any:
    """The web application (ASGI) that answers for all three sources at the time of ``clock``."""
    jsearch_shelf, adzuna_shelf = _Shelf(market, "jsearch"), _Shelf(market, "adzuna")
    requests = count(1)

    def index(_: Request) -> PlainTextResponse:
        return PlainTextResponse(
            f"Demo of three job APIs with {market.size} generated openings.\n"
            "GET /remoteok/api\n"
            "GET /jsearch/search-v2?query=backend+engineer (header X-RapidAPI-Key)\n"
            "GET /adzuna/v1/api/jobs/gb/search/1?what=devops&app_id=demo&app_key=demo\n"
        )

    def remoteok(_: Request) -> JSONResponse:
        now = clock()
        newest = heapq.nlargest(
            FEED_LENGTH, market.listings("remoteok", now), key=lambda item: item.listed_from
        )
        second = int((now - EPOCH).total_seconds())
        jobs = [advert(market.seed, listing, second) for listing in newest]
        return JSONResponse([{"last_updated": int(now.timestamp()), "legal": _LEGAL}, *jobs])

    def jsearch_gone(_: Request) -> JSONResponse:
        return JSONResponse({"message": "Endpoint '/search' does not exist"}, 404)

    def jsearch(request: Request) -> JSONResponse:
        if not request.headers.get("X-RapidAPI-Key"):
            return JSONResponse({"message": "Invalid API key."}, 401)
        used = next(requests)
        headers = {
            "X-RateLimit-Requests-Limit": str(JSEARCH_REQUESTS),
            "X-RateLimit-Requests-Remaining": str(max(0, JSEARCH_REQUESTS - used)),
            "X-RateLimit-Requests-Reset": "2592000",
        }
        request_id = f"{scatter(market.seed, used):016x}"
        query = request.query_params.get("query", "").strip()
        start = _place_of_cursor(request.query_params.get("cursor", ""))
        pages = _whole_number(request, "num_pages", 1, 20)
        if not query or start is None or pages is None:
            error = {"message": "query, cursor or num_pages is missing or invalid", "code": 400}
            answer = {"status": "ERROR", "request_id": request_id, "error": error}
            return JSONResponse(answer, 400, headers)
        ranked = _jsearch_ranking(jsearch_shelf.at(clock()), request, query, clock())
        # The first job of a page repeats the last of the page before it.
        second = int((clock() - EPOCH).total_seconds())
        jobs = [
            {**shown.advert, "job_posted_at": _age_in_words(second - shown.listing.listed_from)}
            for number in range(pages)
            for shown in _jsearch_page(ranked, start, number)
        ]
        following = start + pages * (JSEARCH_PAGE - 1)
        cursor = _cursor_of_place(following) if following + 1 < len(ranked) else None
        return JSONResponse(
            {
                "status": "OK",
                "request_id": request_id,
                "parameters": {**request.query_params, "num_pages": pages},
                "data": {"jobs": jobs, "cursor": cursor},
            },
            headers=headers,
        )

    def adzuna(request: Request) -> JSONResponse:
        params = request.query_params
        if not params.get("app_id") or not params.get("app_key"):
            return _adzuna_error(401, "AUTH_FAIL", "Authorisation failed")
        country = request.path_params["country"].lower()
        if country not in _ADZUNA_COUNTRIES:
            return _adzuna_error(400, "UNSUPPORTED_COUNTRY", "The country is not supported")
        page = request.path_params["page"]
        size = _whole_number(request, "results_per_page", 10, 50)
        if size is None or page < 1:
            return _adzuna_error(400, "BAD_PARAM", "results_per_page or the page is out of range")
        found = _adzuna_matches(adzuna_shelf.at(clock()), request, country, clock())
        results = [
            _highlighted(shown, params.get("what", ""))
            for shown in found[(page - 1) * size : page * size]
        ]
        salaries = [shown.advert["salary_min"] for shown in found]
        return JSONResponse(
            {
                "count": len(found),
                "mean": round(sum(salaries) / len(salaries), 2) if salaries else 0.0,
                "results": results,
                "__CLASS__": "Adzuna::API::Response::JobSearchResults",
            }
        )

    return Starlette(
        routes=[
            Route("/", index),
            Route("/remoteok/api", remoteok),
            Route("/jsearch/search", jsearch_gone),
            Route("/jsearch/search-v2", jsearch),
            Route("/adzuna/v1/api/jobs/{country}/search/{page:int}", adzuna),
        ]
    )


def _cursor_of_place(start: int) -> str:
    return base64.urlsafe_b64encode(f"from {start}".encode()).decode()


def _place_of_cursor(cursor: str) -> int | None:
    """Where the cursor leads; 0 without one, None where it is none of ours."""
    if not cursor:
        return 0
    with contextlib.suppress(ValueError):
        word, _, start = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        return int(start) if word == "from" and start.isdecimal() else None
    return None


def _jsearch_page(ranked: list[_Shown], start: int, number: int) -> list[_Shown]:
    begin = start + number * (JSEARCH_PAGE - 1)
    return ranked[begin : begin + JSEARCH_PAGE]


def _age_in_words(seconds: int) -> str:
    days = seconds // 86_400
    return "today" if days < 1 else "1 day ago" if days == 1 else f"{min(days, 30)} days ago"


def _jsearch_ranking(
    shelf: Iterable[_Shown], request: Request, query: str, now: datetime
) -> list[_Shown]:
    """The matches, good titles first, with some luck in it as with any ranking of the web."""
    params = request.query_params
    what, where = search.split_place(query)
    wanted = search.alternatives(what)
    country = params.get("country", "").upper()
    types = {word for word in params.get("employment_types", "").upper().split(",") if word}
    remote = any(
        params.get(name, "").lower() == "true" for name in ("remote_jobs_only", "work_from_home")
    )
    days = _DAYS.get(params.get("date_posted", "all"))
    oldest = _seconds_before(now, days) if days else None
    ranked: list[tuple[float, int, _Shown]] = []
    for shown in shelf:
        listing, opening = shown.listing, shown.listing.opening
        if (
            (country and where is None and opening.country.code != country)
            or (where and not search.is_in(opening, where))
            or (types and opening.employment_type not in types)
            or (remote and not opening.remote)
            or (oldest is not None and listing.listed_from < oldest)
        ):
            continue
        score = search.relevance(wanted, shown.page)
        if score is not None:
            luck = scatter(listing.serial, 20) % 1000 / 1000
            ranked.append((-score - 0.6 * luck, listing.serial, shown))
    return [shown for _, _, shown in sorted(ranked, key=lambda entry: entry[:2])]


_ADZUNA_COUNTRIES = frozenset({
    "at", "au", "be", "br", "ca", "ch", "de", "es", "fr", "gb", "in", "it", "mx", "nl", "nz", "pl",
    "sg", "us", "za",
})  # fmt: skip


def _adzuna_matches(
    shelf: Iterable[_Shown], request: Request, country: str, now: datetime
) -> list[_Shown]:
    """The matches, newest first."""
    params = request.query_params
    what, any_of, none_of = (params.get(name) for name in ("what", "what_or", "what_exclude"))
    title_only, where, category = (params.get(n) for n in ("title_only", "where", "category"))
    days = _whole_number(request, "max_days_old", 0, 3650)
    oldest = _seconds_before(now, days) if days else None
    found = [
        shown
        for shown in shelf
        if shown.listing.opening.country.code.lower() == country
        and (not what or search.has_all(what, shown.page.everything))
        and (not any_of or search.has_any(any_of, shown.page.everything))
        and not (none_of and search.has_any(none_of, shown.page.everything))
        and (not title_only or search.has_all(title_only, shown.page.title))
        and (not where or search.is_in(shown.listing.opening, where))
        and (not category or shown.advert["category"]["tag"] == category)
        and (oldest is None or shown.listing.listed_from >= oldest)
    ]
    return sorted(found, key=lambda shown: (-shown.listing.listed_from, shown.listing.serial))


def _highlighted(shown: _Shown, what: str) -> dict[str, Any]:
    """The advert, in one of seven with the words that were searched for marked in its title."""
    title = shown.advert["title"]
    if shown.listing.serial % 7 or not what:
        return shown.advert
    wanted = search.words(what)
    marked = " ".join(
        f"<strong>{word}</strong>" if search.words(word) and search.words(word) <= wanted else word
        for word in title.split()
    )
    return {**shown.advert, "title": marked}


def _adzuna_error(status: int, exception: str, display: str) -> JSONResponse:
    return JSONResponse(
        {
            "exception": exception,
            "display": display,
            "doc": "https://api.adzuna.com/v1/doc",
            "__CLASS__": "Adzuna::API::Response::Exception",
        },
        status,
    )


def _whole_number(request: Request, name: str, default: int, most: int) -> int | None:
    """The parameter, or None where it is not a whole number from 0 or 1 up to ``most``."""
    text = request.query_params.get(name, str(default))
    number = int(text) if text.isdecimal() else -1
    return number if min(1, default) <= number <= most else None


def _seconds_before(now: datetime, days: int) -> int:
    return int((now - timedelta(days=days) - EPOCH).total_seconds())
