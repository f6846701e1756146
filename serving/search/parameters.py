"""From the query parameters to the parameters of the statements."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from serving.models import Filters

ADVERTISED = ["open", "likely_closed"]
"""The statuses of a query that names none."""

DEFAULT_CURRENCY = "USD"
"""The currency of a ``salary_min`` that names none."""

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MANY_NEGATIONS = re.compile(r"-(?:[\s!&|()]*-){30,}")
_NOT_PLAIN = re.compile(r'["*:&|!()<>\\-]|\bor\b', re.IGNORECASE)


def _normalized(search: str) -> str:
    """The search in plain letters (see the function ``plain_letters`` of PostgreSQL), and with as
    many negations in a row as mean the same: PostgreSQL refuses more than 32 ("tsquery stack too
    small"). It overlooks the operators between them."""
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", search))
    return _MANY_NEGATIONS.sub(lambda run: "-" * (2 - run[0].count("-") % 2), plain).strip()


def filters(query: Filters) -> dict[str, Any]:
    """The parameters of ``filters.sql`` and ``search_filter.sql``."""
    currency = DEFAULT_CURRENCY if query.salary_min is not None else None
    return {
        "search": _normalized(query.search or "") or None,
        "statuses": list(query.status) or ADVERTISED,
        "sources": query.source or None,
        "categories": list(query.category) or None,
        "employment_types": list(query.employment_type) or None,
        "countries": query.country or None,
        "cities": [city.lower() for city in query.city] or None,
        "companies": [company.lower() for company in query.company] or None,
        "skills": query.skills or None,
        "remote_only": query.remote_only,
        "posted_since": query.posted_since,
        "first_seen_since": query.first_seen_since,
        "salary_min": query.salary_min,
        "salary_currency": query.salary_currency or currency,
    }


def may_be_misspelled(search: str | None) -> bool:
    """Whether a search can be compared with titles and companies as it is: a few plain words."""
    return search is not None and 4 <= len(search) <= 60 and not _NOT_PLAIN.search(search)
