"""From the query parameters to what is asked of the index."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from pipeline.declaration import Asks, Compared
from pipeline.fields import filters
from pipeline.installation.settings import Settings
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.names import Names
from pipeline.search_index.schema import ANY_COUNTRY, keyword_of
from pipeline.transform.understanding.rates import Rates, bundled
from serving.models import Filters
from serving.search.searcher import Conditions, Paid

EVERY = "all"
"""The value of a filter with a default that asks for every job."""

DEFAULT_CURRENCY = "USD"
"""The currency of a ``salary_min`` that names none."""

ANALYZER = Analyzer()
"""Of the requests of this process, which are handled in one thread."""
_NAMES = Names(ANALYZER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_NOT_PLAIN = re.compile(r'["*:&|!()<>\\-]|\bor\b', re.IGNORECASE)


F = TypeVar("F", bound=Filters)


@dataclass(frozen=True)
class Asked:
    """What a query asks for, equal for queries that ask for the same."""

    search: str | None
    conditions: Conditions


def asked(query: Filters, table: Rates | None = None) -> Asked:
    """What the parameters ask for, by the declaration of the fields.

    Args:
        table: the exchange rates for pay in other currencies; without one, the bundled ones.
    """
    any_of: dict[str, list[str]] = {}
    at_least: dict[str, int] = {}
    for field, condition in filters():
        value = getattr(query, field.parameter)
        match condition.asks:
            case Asks.ANY_OF:
                values = list(value) or list(condition.default)
                if values and EVERY not in values:
                    any_of[keyword_of(field)] = [
                        compared for v in values for compared in _compared(v, condition.compared)
                    ]
            case Asks.IS:
                if value is not None:
                    any_of[keyword_of(field)] = [value]
            case Asks.TRUE:
                if value:
                    any_of[keyword_of(field)] = ["true"]
            case Asks.SINCE:
                if value is not None:
                    at_least[field.parameter] = microseconds(value)
            case Asks.AT_LEAST:
                if value is not None and condition.compared is not Compared.YEARLY:
                    at_least[field.parameter] = _hundredths(value)
    paid = None
    if query.salary_min is not None:
        # The currency is that of the amount: a job in any other is found at the reference rates.
        (currency,) = any_of.pop("salary_currency", [DEFAULT_CURRENCY])
        paid = _paid(query.salary_min, currency, table or bundled())
    search = unicodedata.normalize("NFKC", _UNSEEN.sub("", query.search or "")).strip()
    return Asked(search or None, Conditions(any_of, at_least, paid))


def as_installed(query: F, settings: Settings) -> F:
    """The query, for the roles that this installation shows where it names none."""
    if query.category:
        return query
    shown: F = query.model_copy(update={"category": settings.default_categories})
    return shown


def may_be_misspelled(search: str | None) -> bool:
    """Whether the words of a search can be looked for by their spelling: a few plain ones."""
    return search is not None and 4 <= len(search) <= 60 and not _NOT_PLAIN.search(search)


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(microseconds: int) -> datetime:
    """The time so long after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def _compared(value: Any, compared: Compared) -> list[str]:
    """What a document may hold to match a value."""
    match compared:
        case Compared.NAME:
            return [_NAMES.of_name(value)]
        case Compared.COMPANY:
            return [_NAMES.of_company(value)]
        case Compared.COUNTRY_OR_ANY:
            return [str(value).upper(), ANY_COUNTRY]
        case _:
            return [str(value)]


def _paid(amount: float, currency: str, table: Rates) -> Paid:
    rate = table.factor(currency, "USD")
    dollars = None if rate is None else _hundredths(amount * rate)
    return Paid("salary_min", currency, _hundredths(amount), dollars)


def _hundredths(amount: float) -> int:
    # As PostgreSQL turns a double into a numeric: with 15 digits.
    return math.ceil(Decimal(f"{amount:.15g}") * 100)
