"""Adzuna: ``/adzuna/v1/api/jobs/{country}/search/{page}``, a search by words, newest first."""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pipeline.simulator import search
from pipeline.simulator.listings import Listing, moment, seconds_before
from pipeline.simulator.messages import Request, Response, json_response
from pipeline.simulator.openings import Opening, scatter, text
from pipeline.simulator.source_api import Shelf, Shown, SourceApi
from pipeline.simulator.wording import company_of, plain, title_of

SNIPPET_CHARS = 500
"""Descriptions are cut at about so many characters."""
_COUNTRIES = frozenset({
    "at", "au", "be", "br", "ca", "ch", "de", "es", "fr", "gb", "in", "it", "mx", "nl", "nz", "pl",
    "sg", "us", "za",
})  # fmt: skip
_FIRST_ID = 3_000_000_000


class AdzunaApi(SourceApi):
    """Adzuna, as recorded from 2021 to 2022."""

    name = "adzuna"
    path = re.compile(r"/v1/api/jobs/(?P<country>[^/]+)/search/(?P<page>\d+)")

    def respond(self, request: Request, shelf: Shelf, now: datetime) -> Response:
        params = request.query
        if not params.get("app_id") or not params.get("app_key"):
            return _error(401, "AUTH_FAIL", "Authorisation failed")
        country = (request.country or "").lower()
        if country not in _COUNTRIES:
            return _error(400, "UNSUPPORTED_COUNTRY", "The country is not supported")
        size = request.whole_number("results_per_page", 10, 50)
        if size is None or request.page < 1:
            return _error(400, "BAD_PARAM", "results_per_page or the page is out of range")
        found = _matches(shelf.at(now), request, country, now)
        results = [
            _highlighted(shown, params.get("what", ""))
            for shown in found[(request.page - 1) * size : request.page * size]
        ]
        salaries = [shown.advert["salary_min"] for shown in found]
        mean = round(sum(salaries) / len(salaries), 2) if salaries else 0.0
        return json_response(_envelope(results, len(found), mean))

    def envelope(self, request: Request, postings: list[Any], *, follows: bool, count: int) -> Any:
        return _envelope(postings, max(count, len(postings)), 61234.56)

    def advertises(self, opening: Opening, chance: random.Random) -> bool:
        return bool(opening.country.adzuna_host) and chance.random() < 0.55

    def source_id(self, serial: int) -> str:
        return str(_FIRST_ID + serial)

    def serial(self, source_id: str) -> int:
        return int(source_id) - _FIRST_ID

    def text(self, advert: dict[str, Any]) -> tuple[str, str]:
        return advert["title"], advert["description"]

    def advert(self, listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
        opening, place = listing.opening, listing.opening.place
        source_id = self.source_id(listing.serial)
        job_class = "Adzuna::API::Response"
        is_predicted = opening.salary is None
        salary = opening.salary_at(at) or opening.estimate
        per_year = 1800 if salary.period == "HOUR" else 1
        low, high = float(salary.low * per_year), float(salary.high * per_year)
        if is_predicted:
            low = high = round(low * chance.uniform(0.9, 1.1), 2)
        tag, label = opening.discipline.adzuna_category
        token = base64.urlsafe_b64encode(json.dumps({"i": source_id}).encode()).decode()
        body = " ".join(plain(text(opening, at), chance).replace("•", " ").split())
        snippet = body if len(body) <= SNIPPET_CHARS else body[:SNIPPET_CHARS] + "…"
        job: dict[str, Any] = {
            "__CLASS__": f"{job_class}::Job",
            "id": source_id,
            "title": title_of(opening, chance, on_adzuna=True),
            "description": snippet,
            "created": f"{moment(listing.listed_from):%Y-%m-%dT%H:%M:%SZ}",
            "redirect_url": f"https://{opening.country.adzuna_host}/jobs/land/ad/{source_id}"
            f"?se={token[:16]}&utm_medium=api&utm_source=demo&v={scatter(listing.serial):016X}",
            "adref": f"{token}.{scatter(listing.serial, 11):016x}",
            "company": {
                "__CLASS__": f"{job_class}::Company",
                "display_name": company_of(opening, chance),
            },
            "location": {
                "__CLASS__": f"{job_class}::Location",
                "display_name": f"{place.city}, {place.region}",
                "area": [opening.country.adzuna_name, place.region, place.city],
            },
            "category": {"__CLASS__": f"{job_class}::Category", "tag": tag, "label": label},
            "salary_min": low,
            "salary_max": high,
            "salary_is_predicted": "1" if is_predicted else chance.choice(["0", 0]),
        }
        if chance.random() < 0.04:
            job["company"] = {"__CLASS__": f"{job_class}::Company"}
        if chance.random() < 0.7:
            job["latitude"], job["longitude"] = place.latitude, place.longitude
        if chance.random() < 0.6:
            is_part_time = opening.employment_type == "PARTTIME"
            job["contract_time"] = "part_time" if is_part_time else "full_time"
        if chance.random() < 0.4 or opening.employment_type == "CONTRACTOR":
            is_contract = opening.employment_type == "CONTRACTOR"
            job["contract_type"] = "contract" if is_contract else "permanent"
        return job


def _envelope(results: list[Any], count: int, mean: float) -> dict[str, Any]:
    return {
        "count": count,
        "mean": mean,
        "results": results,
        "__CLASS__": "Adzuna::API::Response::JobSearchResults",
    }


def _matches(shelf: Iterable[Shown], request: Request, country: str, now: datetime) -> list[Shown]:
    """The matches, newest first."""
    params = request.query
    what, any_of, none_of = (params.get(name) for name in ("what", "what_or", "what_exclude"))
    title_only, where, category = (params.get(n) for n in ("title_only", "where", "category"))
    days = request.whole_number("max_days_old", 0, 3650)
    oldest = seconds_before(now, days) if days else None
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


def _highlighted(shown: Shown, what: str) -> dict[str, Any]:
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


def _error(status: int, exception: str, display: str) -> Response:
    return json_response(
        {
            "exception": exception,
            "display": display,
            "doc": "https://api.adzuna.com/v1/doc",
            "__CLASS__": "Adzuna::API::Response::Exception",
        },
        status,
    )
