"""Published jobs that were never advertised, in number, with the word frequencies of real ones.

A description is made of words of a Zipf distribution, as natural language is
(https://en.wikipedia.org/wiki/Zipf%27s_law), and of technical terms, each in the share of jobs
given in :data:`TERM_SHARES`, so that a search has a known number of matches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

COLUMNS = (
    "job_id", "source", "title", "company", "description", "tags", "skills", "category",
    "category_reason", "description_is_snippet", "status", "status_reason", "created_version",
    "changed_version",
    "city", "country", "remote", "employment_type", "salary_min", "salary_max",
    "salary_currency", "salary_period", "salary_is_predicted", "apply_url", "source_url",
    "posted_at", "first_seen_at", "updated_at", "posting_count", "sources",
)  # fmt: skip

TERM_SHARES = {
    "experience": 0.8, "team": 0.75, "cloud": 0.5, "python": 0.4, "aws": 0.4, "kubernetes": 0.35,
    "docker": 0.3, "java": 0.25, "linux": 0.25, "terraform": 0.2, "postgresql": 0.12,
    "security": 0.2, "golang": 0.08, "kafka": 0.08, "azure": 0.15, "ansible": 0.06, "rust": 0.03,
    "prometheus": 0.05, "graphql": 0.03, "cassandra": 0.01, "scala": 0.02, "elixir": 0.004,
    "nomad": 0.003, "erlang": 0.002, "haskell": 0.0015, "openbsd": 0.0005, "cobol": 0.0003,
}  # fmt: skip
_ROLES = {
    "backend": ["Backend Engineer", "Backend Developer", "API Engineer", "Server Developer"],
    "devops": ["DevOps Engineer", "Build Engineer", "Release Engineer"],
    "sre": ["Site Reliability Engineer", "Production Engineer"],
    "cloud": ["Cloud Engineer", "Cloud Architect"],
    "platform": ["Platform Engineer", "Infrastructure Engineer"],
}
_LEVELS = ["", "", "Senior ", "Senior ", "Junior ", "Staff ", "Lead ", "Principal "]
_CITIES = [
    ("Austin", "US"), ("New York", "US"), ("Seattle", "US"), ("London", "GB"), ("Leeds", "GB"),
    ("Berlin", "DE"), ("Munich", "DE"), ("Toronto", "CA"), ("Paris", "FR"), (None, None),
]  # fmt: skip
_TYPES = ["FULLTIME"] * 7 + ["CONTRACT", "CONTRACT", "PARTTIME", "INTERN", None]
_SYLLABLES = [
    "ba", "co", "de", "fi", "ga", "lo", "mu", "na", "per", "qui", "ro", "sta", "ter", "un", "vel",
    "win", "xen", "yor", "zam", "tri",
]  # fmt: skip
_STATUSES = [("open", "seen in the last fetch"), ("closed", "expired")]
_WORDS = 12_000
_NEWEST = datetime(2026, 2, 6, tzinfo=UTC)


def _vocabulary(chance: random.Random) -> list[str]:
    words = {"".join(chance.choices(_SYLLABLES, k=chance.randint(2, 4))) for _ in range(2 * _WORDS)}
    return sorted(words)[:_WORDS]


def generate(count: int, first: int = 0) -> Iterator[tuple[Any, ...]]:
    """``count`` rows of the table ``jobs`` from number ``first`` on, in the order of
    :data:`COLUMNS`; the same each time. Descriptions have 1 to 2 KB."""
    vocabulary = _vocabulary(random.Random(1))
    zipf = list(accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    companies = [f"{a.title()}{b} Inc" for a in vocabulary[:400] for b in ("", "tech", "works")]
    chance = random.Random(first)
    for number in range(first, first + count):
        category = chance.choice(list(_ROLES))
        title = chance.choice(_LEVELS) + chance.choice(_ROLES[category])
        terms = [term for term, share in TERM_SHARES.items() if chance.random() < share]
        words = chance.choices(vocabulary, cum_weights=zipf, k=chance.randint(120, 250))
        for term in terms:
            words.insert(chance.randrange(len(words)), term)
        city, country = chance.choice(_CITIES)
        source = chance.choice(["adzuna", "jsearch", "remoteok"])
        sources = [source] if chance.random() < 0.8 else ["adzuna", "jsearch"]
        posted_at = _NEWEST - timedelta(seconds=chance.randrange(60 * 86_400))
        salary = chance.randrange(40, 200) * 1000 if chance.random() < 0.5 else None
        yield (
            f"{source}_{number:07}", source, title, chance.choice(companies), " ".join(words),
            terms[:5], terms[:8], category, f"title: {title.lower()}", False,
            *_STATUSES[chance.random() < 0.1], 1, 1, city, country,
            chance.random() < 0.3, chance.choice(_TYPES), salary,
            salary and salary + 20_000, salary and "USD", salary and "YEAR", False,
            f"https://example.com/apply/{number}", f"https://example.com/jobs/{number}",
            posted_at, posted_at, posted_at, 1, sources,
        )  # fmt: skip
