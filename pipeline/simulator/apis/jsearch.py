"""JSearch: ``/jsearch/search-v2``, a search for words and places with pages by cursor.

Given postings are also served at ``/jsearch/search``, by the number of the page and with the list
of jobs in ``data``, as gateways other than RapidAPI have it.
"""

from __future__ import annotations

import base64
import contextlib
import random
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pipeline.simulator import search
from pipeline.simulator import vocabulary as v
from pipeline.simulator.listings import Listing, moment, seconds_before, whole_seconds
from pipeline.simulator.messages import Request, Response, json_response
from pipeline.simulator.openings import Opening, scatter, text
from pipeline.simulator.source_api import Shelf, Shown, SourceApi
from pipeline.simulator.wording import company_of, plain, slug, title_of

PAGE_LENGTH = 10
REQUESTS = 1_000_000
"""The requests of a month, as the rate headers tell them."""
_DAYS = {"today": 1, "3days": 3, "week": 7, "month": 31}


class JSearchApi(SourceApi):
    """JSearch, as recorded from 2022 to 2025."""

    name = "jsearch"
    path = re.compile(r"/search(-v2)?/?")
    republished = 0.2

    def respond(self, request: Request, shelf: Shelf, now: datetime) -> Response:
        if "-v2" not in request.path:
            return json_response({"message": "Endpoint '/search' does not exist"}, 404)
        if not request.headers.get("x-rapidapi-key"):
            return json_response({"message": "Invalid API key."}, 401)
        headers = {
            "X-RateLimit-Requests-Limit": str(REQUESTS),
            "X-RateLimit-Requests-Remaining": str(max(0, REQUESTS - request.number)),
            "X-RateLimit-Requests-Reset": "2592000",
        }
        request_id = f"{scatter(shelf.seed, request.number):016x}"
        query = request.query.get("query", "").strip()
        start = _place_of_cursor(request.query.get("cursor", ""))
        pages = request.whole_number("num_pages", 1, 20)
        if not query or start is None or pages is None:
            error = {"message": "query, cursor or num_pages is missing or invalid", "code": 400}
            content = {"status": "ERROR", "request_id": request_id, "error": error}
            return json_response(content, 400, headers)
        ranked = _ranking(shelf.at(now), request, query, now)
        # The first job of a page repeats the last of the page before it.
        jobs = [
            {**shown.advert, "job_posted_at": _age(whole_seconds(now) - shown.listing.listed_from)}
            for number in range(pages)
            for shown in _page(ranked, start, number)
        ]
        following = start + pages * (PAGE_LENGTH - 1)
        cursor = _cursor_of_place(following) if following + 1 < len(ranked) else None
        content = {
            "status": "OK",
            "request_id": request_id,
            "parameters": {**request.query, "num_pages": pages},
            "data": {"jobs": jobs, "cursor": cursor},
        }
        return json_response(content, headers=headers)

    def envelope(self, request: Request, postings: list[Any], *, follows: bool, count: int) -> Any:
        cursor = f"page-{request.page + 1}" if follows else None
        is_by_cursor = "-v2" in request.path
        return {
            "status": "OK",
            "request_id": "3105352d-f69c-4c7e-99bf-875ac46b6b50",
            "parameters": dict(request.query),
            "data": {"jobs": postings, "cursor": cursor} if is_by_cursor else postings,
        }

    def advertises(self, opening: Opening, chance: random.Random) -> bool:
        return chance.random() < 0.7

    def source_id(self, serial: int) -> str:
        check = scatter(serial).to_bytes(8, "big")
        return base64.urlsafe_b64encode(_xor(serial.to_bytes(8, "big"), check) + check).decode()

    def serial(self, source_id: str) -> int:
        raw = base64.urlsafe_b64decode(source_id)
        if len(raw) != 16:
            raise ValueError("an id is of 16 bytes")
        return int.from_bytes(_xor(raw[:8], raw[8:]), "big")

    def text(self, advert: dict[str, Any]) -> tuple[str, str]:
        return advert["job_title"], advert["job_description"]

    def advert(self, listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
        opening = listing.opening
        source_id = self.source_id(listing.serial)
        link = v.PUBLISHERS[listing.publisher].format(
            slug=slug(f"{opening.full_title} at {opening.company.name}"),
            company=opening.company.slug,
            serial=1_000_000 + listing.serial,
            hex=f"{scatter(listing.serial, 9):016x}",
        )
        options = [{"publisher": listing.publisher, "apply_link": link, "is_direct": False}]
        direct = False
        if opening.ats_url and chance.random() < 0.6:
            tracked = f"{opening.ats_url}?utm_source={listing.publisher.lower()}&utm_medium=jobs"
            options.append(
                {"publisher": opening.company.name, "apply_link": tracked, "is_direct": True}
            )
            if chance.random() < 0.5:
                link, direct = opening.ats_url, True
        posted, expires = moment(listing.listed_from), moment(listing.listed_until)
        dated = chance.random() < 0.95
        job: dict[str, Any] = {
            "job_id": source_id,
            "job_title": title_of(opening, chance, on_jsearch=True),
            "employer_name": company_of(opening, chance),
            "employer_logo": None,
            "employer_website": f"https://www.{opening.company.slug}.example"
            if chance.random() < 0.6
            else None,
            "job_publisher": listing.publisher,
            "job_apply_link": link,
            "job_apply_is_direct": direct,
            "job_description": plain(text(opening, at), chance),
            "job_is_remote": opening.remote,
            "job_posted_at_timestamp": int(posted.timestamp()) if dated else None,
            "job_posted_at_datetime_utc": _iso_milliseconds(posted) if dated else None,
            "job_city": None if opening.remote and chance.random() < 0.5 else opening.place.city,
            "job_state": opening.place.region,
            "job_country": opening.country.code,
            "job_latitude": opening.place.latitude,
            "job_longitude": opening.place.longitude,
            "job_benefits": None,
            "job_google_link": f"https://www.google.com/search?q=jobs&ibp=htl;jobs#{source_id}",
            "job_highlights": {},
            "job_onet_soc": "15113400",
            "job_onet_job_zone": "4",
        }
        if chance.random() < 0.6:
            job["job_offer_expiration_datetime_utc"] = _iso_milliseconds(expires)
            job["job_offer_expiration_timestamp"] = int(expires.timestamp())
        else:
            job["job_offer_expiration_datetime_utc"] = None
            job["job_offer_expiration_timestamp"] = None
        is_new = chance.random() < 0.6
        job |= _newer_fields(opening, options, chance) if is_new else _older_fields(opening)
        job |= _salary(opening, at, chance)
        return job


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


def _page(ranked: list[Shown], start: int, number: int) -> list[Shown]:
    begin = start + number * (PAGE_LENGTH - 1)
    return ranked[begin : begin + PAGE_LENGTH]


def _age(seconds: int) -> str:
    days = seconds // 86_400
    return "today" if days < 1 else "1 day ago" if days == 1 else f"{min(days, 30)} days ago"


def _ranking(shelf: Iterable[Shown], request: Request, query: str, now: datetime) -> list[Shown]:
    """The matches, good titles first, with some luck in it as with any ranking of the web."""
    params = request.query
    what, where = search.split_place(query)
    wanted = search.alternatives(what)
    country = params.get("country", "").upper()
    types = {word for word in params.get("employment_types", "").upper().split(",") if word}
    remote = any(
        params.get(name, "").lower() == "true" for name in ("remote_jobs_only", "work_from_home")
    )
    days = _DAYS.get(params.get("date_posted", "all"))
    oldest = seconds_before(now, days) if days else None
    ranked: list[tuple[float, int, Shown]] = []
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


def _newer_fields(
    opening: Opening, options: list[dict[str, Any]], chance: random.Random
) -> dict[str, Any]:
    wording = {
        "FULLTIME": ["Full-time", "Full-time", "Full–time", "Full-time and Part-time"],
        "PARTTIME": ["Part-time"],
        "CONTRACTOR": ["Contractor", "Full-time and Contractor"],
        "INTERN": ["Internship"],
    }[opening.employment_type]
    return {
        "job_employment_type": chance.choice(wording),
        "job_employment_types": [opening.employment_type],
        "apply_options": options,
        "job_location": f"{opening.place.city}, {opening.place.region_code}",
        "employer_reviews": [],
    }


def _older_fields(opening: Opening) -> dict[str, Any]:
    return {
        "job_employment_type": opening.employment_type,
        "job_state": opening.place.region_code,
        "employer_company_type": None,
        "job_apply_quality_score": round(scatter(opening.number) % 1000 / 1000, 3),
        "job_required_experience": {
            "no_experience_required": False,
            "required_experience_in_months": None,
            "experience_mentioned": True,
            "experience_preferred": False,
        },
        "job_required_skills": None,
        "job_required_education": {
            "postgraduate_degree": False,
            "professional_certification": False,
            "high_school": False,
            "associates_degree": False,
            "bachelors_degree": False,
            "degree_mentioned": False,
            "degree_preferred": False,
            "professional_certification_mentioned": False,
        },
        "job_experience_in_place_of_education": False,
        "job_job_title": None,
        "job_posting_language": "en",
        "job_occupational_categories": list(opening.skills),
    }


def _salary(opening: Opening, at: int, chance: random.Random) -> dict[str, Any]:
    salary = opening.salary_at(at)
    if salary and chance.random() < 0.8:
        as_text = chance.random() < 0.05
        return {
            "job_min_salary": str(salary.low) if as_text else salary.low,
            "job_max_salary": str(salary.high) if as_text else salary.high,
            "job_salary_currency": salary.currency if chance.random() < 0.8 else None,
            "job_salary_period": salary.period,
        }
    if chance.random() < 0.3:
        return {}
    names = ["job_min_salary", "job_max_salary", "job_salary_currency", "job_salary_period"]
    return dict.fromkeys(names)


def _iso_milliseconds(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.000Z}"


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
