"""Generated answers of JSearch and Adzuna, of any number and at tens of thousands a second.

An opening has a number, and its posting follows from it. All are of relevant roles, with
bodies of about 2 KB of varied words (Adzuna's real ones are cut at 500 characters). There are
thirteen openings a company on average at every size, so that a company's block does not grow with
the market.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from pipeline.fields import SHOWN_CATEGORIES
from pipeline.simulator.openings import company
from pipeline.simulator.vocabulary import COUNTRIES, DISCIPLINES, LEVELS, PLACES, PUBLISHERS, TEAMS
from pipeline.sources import SOURCES, Source, posting_resource

DUPLICATES = 10
"""Of so many openings, Adzuna shows one as well."""

OPENINGS_A_COMPANY = 13
_BODY_CHARS = 2_048
_SYLLABLES = ["ba", "co", "de", "fi", "ga", "lo", "mu", "na", "per", "qui", "ro", "sta", "ter",
              "un", "vel", "win", "xen", "yor", "zam", "tri"]  # fmt: skip
_WORDS, _SENTENCES = 12_000, 20_000
_COUNTRIES = [country for country in COUNTRIES if country.adzuna_host]
_ROLES = [role for role in DISCIPLINES if role.category in SHOWN_CATEGORIES]
_HOSTS = [host for host in PUBLISHERS if host != "BeBee"]

RawPosting = dict[str, Any]


@dataclass(frozen=True)
class Postings:
    """The openings 0 … ``size`` - 1 and any later ones of one market, posted in the ten days
    before ``now``."""

    size: int
    now: datetime

    @cached_property
    def _sentences(self) -> Sequence[str]:
        """Of words as frequent as in natural language: the n-th is n times rarer than the first."""
        chance = random.Random(1)
        words = ["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4))) for _ in range(_WORDS)]
        words += [skill for role in _ROLES for skill in role.skills]
        chance.shuffle(words)
        weights = [1 / rank for rank in range(1, len(words) + 1)]
        return [
            " ".join(chance.choices(words, weights, k=chance.randint(8, 20))).capitalize() + "."
            for _ in range(_SENTENCES)
        ]

    def jsearch(self, number: int, *, edited: bool = False) -> RawPosting:
        """The posting of an opening; ``edited``: with another salary and one more sentence."""
        chance = random.Random(number)
        employer = company(1, number * 7919 % max(1, self.size // OPENINGS_A_COMPANY))
        role = chance.choices(_ROLES, [role.weight for role in _ROLES])[0]
        country = chance.choices(_COUNTRIES, [country.weight for country in _COUNTRIES])[0]
        place = chance.choice(PLACES[country.code])
        level = chance.choices(*zip(*LEVELS, strict=True))[0]
        title = f"{level} {chance.choice(role.titles)}".strip()
        if chance.random() < 0.25:
            title = f"{title} ({chance.choice(TEAMS)})"
        posted = self.now - timedelta(seconds=chance.randrange(10 * 86_400))
        salary = chance.randrange(40, 200) * 1_000 if chance.random() < 0.5 else None
        publisher = chance.choice(_HOSTS)
        direct = chance.random() < 0.5
        body = self._body(chance)
        if edited:
            salary = (salary or 50_000) + 5_000
            body = f"{body} {chance.choice(self._sentences)}"
        return {
            "job_id": f"g{number:09}",
            "job_title": title,
            "employer_name": employer.name,
            "job_publisher": publisher,
            "job_employment_type": "Full-time",
            "job_employment_types": ["FULLTIME"],
            "job_apply_link": f"https://boards.greenhouse.io/{employer.slug}/jobs/{10**9 + number}"
            if direct
            else f"https://{publisher.lower()}.example/jobs/view/{10**9 + number}",
            "job_apply_is_direct": direct,
            "job_description": body,
            "job_is_remote": chance.random() < 0.2,
            "job_posted_at_timestamp": int(posted.timestamp()),
            "job_posted_at_datetime_utc": f"{posted:%Y-%m-%dT%H:%M:%S.000Z}",
            "job_city": place.city,
            "job_state": place.region,
            "job_country": country.code,
            "job_google_link": f"https://www.google.com/search?q=jobs#g{number:09}",
            "job_min_salary": salary,
            "job_max_salary": salary and salary + 20_000,
            "job_salary_currency": salary and country.currency,
            "job_salary_period": salary and "YEAR",
        }

    def adzuna(self, number: int) -> RawPosting:
        """The same opening as the other source shows it: legal form, title and text differ."""
        shown = self.jsearch(number)
        country = next(c for c in _COUNTRIES if c.code == shown["job_country"])
        chance = random.Random(-number - 1)
        city, region = shown["job_city"], shown["job_state"]
        return {
            "id": f"{5 * 10**9 + number}",
            "_country": country.code.lower(),
            "title": shown["job_title"].replace("Senior", "Sr."),
            "description": f"{chance.choice(self._sentences)} {shown['job_description']}",
            "created": shown["job_posted_at_datetime_utc"].replace(".000", ""),
            "redirect_url": f"https://{country.adzuna_host}/jobs/land/ad/{5 * 10**9 + number}",
            "salary_min": shown["job_min_salary"],
            "salary_max": shown["job_max_salary"],
            "salary_is_predicted": "0",
            "contract_time": "full_time",
            "company": {"display_name": f"{shown['employer_name']} Ltd"},
            "location": {
                "display_name": f"{city}, {region}",
                "area": [country.adzuna_name, region, city],
            },
            "category": {"tag": "it-jobs", "label": "IT Jobs"},
        }

    def all(self) -> Mapping[str, Iterator[RawPosting]]:
        """Every posting of the openings 0 … ``size`` - 1, by source."""
        return {
            "adzuna": (self.adzuna(number) for number in range(0, self.size, DUPLICATES)),
            "jsearch": (self.jsearch(number) for number in range(self.size)),
        }

    def tick(self, number: int) -> Mapping[str, Sequence[RawPosting]]:
        """1,000 postings that differ from :meth:`all` and from other ticks, by source: 600 new
        openings, 300 edited ones, and 100 known openings that the other source shows now."""
        chance = random.Random(f"tick {number}")
        begin = self.size + 600 * number
        known = [n for n in chance.sample(range(self.size), 800) if n % DUPLICATES][:400]
        new = [self.jsearch(n) for n in range(begin, begin + 600)]
        edited = [self.jsearch(n, edited=True) for n in known[:300]]
        return {"adzuna": [self.adzuna(n) for n in known[300:]], "jsearch": new + edited}

    def _body(self, chance: random.Random) -> str:
        sentences = chance.choices(self._sentences, k=_BODY_CHARS // 60)
        return " ".join(sentences)[:_BODY_CHARS]


def answering(source: str, postings: Iterable[RawPosting]) -> Source:
    """The source, whose next fetch brings just these postings, in pages of 1,000."""

    @posting_resource(source)
    def pages(settings: object, client: object) -> Iterator[list[RawPosting]]:
        page: list[RawPosting] = []
        for posting in postings:
            page.append(posting)
            if len(page) == 1_000:
                yield page
                page = []
        yield page

    return replace(SOURCES[source], resource=pages)
