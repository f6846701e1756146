"""Pay as the advert's own text states it, where the source's fields tell the same otherwise.

Remote OK asks for US dollars a year and is given hourly rates and zloty; Adzuna turns hourly rates
into years (times 2080) without saying so. Where the text states the same numbers, its currency
and period are believed. Nothing is taken from a text that states other numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.transform.understanding.pay import CURRENCY_WORDS, DOLLAR_SIGN, PERIODS


class Pay(NamedTuple):
    """What is paid, in ``currency`` for one ``period``; null where it is not known."""

    low: float | None
    high: float | None
    currency: str | None
    period: str | None


_PERIODS = {name: "|".join(period.in_text) for name, period in PERIODS.items()}
_period_of = {name: re.compile(words, re.IGNORECASE) for name, words in _PERIODS.items()}
_CURRENCIES = {**CURRENCY_WORDS, DOLLAR_SIGN: None}
"""What a bare ``$`` means, its country tells."""
_CURRENCY = "|".join(
    re.escape(word) + (r"\b" if word[-1].isalpha() else "")
    for word in sorted(_CURRENCIES, key=len, reverse=True)
)
_NUMBER = r"\d{1,3}(?:[.,'’\s]\d{3}){1,3}(?!\d)(?:[.,]\d{1,2}(?!\d))?|\d{1,9}(?:[.,]\d{1,2}(?!\d))?"
_EACH = (
    r"\s{0,2}(?:/|per\b|an?\b|pro\b|por\b|par\b|al\b|p\.|je\b|za\b)?\s{0,2}"
    rf"(?:{'|'.join(_PERIODS.values())})\b"
)
_MENTION = re.compile(
    rf"(?P<low>{_NUMBER})\s?(?P<low_k>k\b)?"
    rf"(?P<each_low>{_EACH})?"
    rf"(?:\s{{0,2}}(?:-|–|—|to\b|bis\b|à\b|do\b|a\b)\s{{0,2}}(?:{_CURRENCY})?\s{{0,2}}"
    rf"(?P<high>{_NUMBER})\s?(?P<high_k>k\b)?)?"
    rf"\s{{0,2}}(?P<after>{_CURRENCY})?(?P<each>{_EACH})?",
    re.IGNORECASE,
)
# Looking for digits first is ten times as fast as for all that may stand before them.
_digits = re.compile(r"(?<![\w.,])\d+")
_currency_before = re.compile(rf"({_CURRENCY})\s{{0,2}}\Z", re.IGNORECASE)
_MAX_CHARS = 20_000
_TOLERANCE = 0.005


def as_stated(given: Pay, text: str) -> Pay:
    """The pay in the currency and for the period that the text gives the same amounts, or the
    amounts that were multiplied to make a year of them; otherwise the pay as it was given."""
    low = given.low if given.low is not None else given.high
    high = given.high if given.high is not None else given.low
    if low is None or high is None:
        return given
    for stated in _mentions(text):
        if _same(low, stated.low) and _same(high, stated.high):
            return given._replace(
                currency=stated.currency or given.currency, period=stated.period or given.period
            )
        for factor in _factors(stated) if given.period == "YEAR" else ():
            if _same(low, stated.low, factor) and _same(high, stated.high, factor):
                return stated._replace(currency=stated.currency or given.currency)
    return given


def _factors(stated: Pay) -> list[int]:
    """By how much a rate may have been multiplied to make a year of it."""
    return PERIODS[stated.period].factors_of_year if stated.period else []


def _mentions(text: str) -> Iterator[Pay]:
    text = text[:_MAX_CHARS]
    end = 0
    for number in _digits.finditer(text):
        match = _MENTION.match(text, number.start()) if number.start() >= end else None
        if match is None:
            continue
        end = match.end()
        before = _currency_before.search(text, max(0, number.start() - 8), number.start())
        currency = match["after"] or (before and before.group(1))
        each = match["each"] or match["each_low"]
        if not currency and not each:
            continue
        low = _amount(match["low"], match["low_k"] or match["high_k"])
        high = _amount(match["high"], match["high_k"]) if match["high"] else low
        yield Pay(low, high, _CURRENCIES[currency.lower()] if currency else None, _period(each))


def _amount(text: str, thousands: str | None) -> float:
    whole, mark, cents = re.sub(r"[\s'’]", "", text), "", ""
    if match := re.fullmatch(r"(.*)([.,])(\d{1,2})", whole):
        whole, mark, cents = match.groups()
    value = float(re.sub(r"[.,]", "", whole) + (f".{cents}" if mark else ""))
    return value * 1_000 if thousands else value


def _period(each: str | None) -> str | None:
    if not each:
        return None
    word = re.split(r"[\s/.]+", each.strip())[-1]
    return next((name for name, words in _period_of.items() if words.fullmatch(word)), None)


def _same(given: float, stated: float | None, factor: int = 1) -> bool:
    return stated is not None and abs(given - stated * factor) <= _TOLERANCE * given
