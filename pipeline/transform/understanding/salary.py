"""What is paid: from a source's fields and from what the posting's own texts state."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import polars as pl

from pipeline.fields import SALARY_KINDS, SALARY_PERIODS
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.cleaning.normalize import MAX_AMOUNT
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS
from pipeline.transform.understanding.pay import (
    CURRENCIES,
    CURRENCY_WORDS,
    IN_TEXT,
    PERIODS,
    YEAR_FACTORS,
    currency_in,
    currency_of,
    inferred_periods,
    is_possible,
    salary_period,
)
from pipeline.transform.understanding.stated_pay import Pay, Stated, is_predicted, stated

_MAX_RANGE_RATIO = 50
"""A range wider than this mixes periods or units and says nothing."""
_MAX_RANGES = 20
_MAX_CHARS_IN_LIST = 200
"""So near each other stand the ranges of one list."""
_MAX_LABEL_CHARS = 60
_no_label = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join((*IN_TEXT.pay, *IN_TEXT.between))}|annual|expected|is|the|our)\b"
    r"|[\W\d_]"
)
_TOLERANCE = 0.005
"""By which a source's amount may differ from the text's: sources round."""

_ALSO_WORDS = ("COP", "PHP", "TRY")
"""Codes that texts are full of as other words: only beside a number they are a sign of pay."""
_CODES = "|".join(sorted({*CURRENCIES} - {*_ALSO_WORDS}))
_LOWER = "|".join(
    sorted(word for word in CURRENCY_WORDS if word.isascii() and word.isalpha() and len(word) > 3)
)
# A text that has none of these states no pay. Each is one that the regular expressions of Polars
# look for at the speed of memory; together, or with the word boundaries of Unicode, they take
# hundreds of times as long.
_AMOUNT_CUES = (
    r"\$ ?[0-9]|€|£|₹|zł|₽|₺|₪|₩|₱|¥|฿|₴|₫|kč|Kč",
    r"[0-9][kK](?-u:\b)|[0-9] [kK](?-u:\b)",
    r"[0-9] ?/ ?(?i-u:hour|h|hr|day|d|month|mo|year|yr|std|tag|mois|jour)(?-u:\b)",
    r"[0-9] ?[lL][aApP][cCkKaA]",
    r"[0-9] ?[cC][rR]",
    r"R[sM$][. ]?[. ]?[0-9]",
    rf"(?:{_CODES})(?-u:\b)",
    rf"[0-9] ?(?:{'|'.join(_ALSO_WORDS)})(?-u:\b)",
    rf"(?:{'|'.join(_ALSO_WORDS)}) ?[0-9][0-9][0-9]",
    rf" (?:{_LOWER})(?-u:\b)",
    r"[0-9kK] ?(?:usd|eur|gbp|pln|chf|inr|Euro)",
    r" (?:kr|dollars)(?-u:\b)",
)
_THOUSANDS = "[0-9][0-9][0-9]?[., \u00a0\u202f'’][0-9]{3}"
_WORDS_CUE = (
    "(?:[sS]alar|[gG]ehalt|[cC]ompens|[wW]ynagr|[sS]ueldo|[rR]etribu|[lL]ohn|[bB]rut|[pP]ay:"
    "|[pP]ay r|[pP]ay i|[rR]ange|[rR]ate:|SALAR|PAY|CTC|RAL |[rR]émun|[rR]emun|[vV]ergütung|[lL]ön"
    rf"|[lL]øn|[mM]zda|зарп)[^0-9\n]*\n? ?{_THOUSANDS}"
)
"""It takes ten times as long as one of the others, so it is asked of few texts."""


class _Found(NamedTuple):
    salary_min: float | None
    salary_max: float | None
    salary_currency: str | None
    salary_period: str | None
    salary_is_predicted: bool
    salary_kind: str | None
    salary_text: str | None
    salary_ranges: list[str]
    evidence: list[dict[str, Any]]


_FOUND = pl.Struct(
    {
        "salary_min": pl.Float64,
        "salary_max": pl.Float64,
        "salary_currency": pl.String,
        "salary_period": pl.String,
        "salary_is_predicted": pl.Boolean,
        "salary_kind": pl.String,
        "salary_text": pl.String,
        "salary_ranges": pl.List(pl.String),
        "_evidence_salary": EVIDENCE,
    }
)
_NAMES = [field.name for field in _FOUND.fields]


def with_salary(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``salary_min`` and all else of ``salary_*``, of the columns of these names in the
    source's words and of the texts.

    The employer's own words decide: a source's field that is no estimate, in the currency and for
    the period that the text gives the same amounts; else what the source's free text states; else
    what the title or the body states; else a board's estimate.
    """
    short = {
        name: pl.when(pl.col(name).str.contains("[0-9][0-9]")).then(pl.col(name)).fill_null("")
        for name in ("title", "location_text")
    }
    given = pl.struct(
        "salary_min",
        "salary_max",
        pl.when(pl.col("salary_currency").is_not_null())
        .then(currency_of(pl.col("salary_currency"), pl.col("country")))
        .alias("currency"),
        of_distinct(pl.col("salary_period"), salary_period).alias("period"),
        pl.col("salary_period").is_not_null().alias("has_period"),
        pl.col("salary_is_predicted").fill_null(False),
        "salary_text",
        "country",
        *(text.alias(name) for name, text in short.items()),
        pl.col("description").map_batches(_with_cues, return_dtype=pl.String),
    )
    return (
        postings.with_columns(_pay=given.map_batches(_all_found, return_dtype=_FOUND))
        .with_columns(pl.col("_pay").struct.field(*_NAMES))
        .drop("_pay")
        .with_columns(
            pl.col("salary_period").cast(pl.Enum(SALARY_PERIODS)),
            pl.col("salary_kind").cast(pl.Enum(SALARY_KINDS)),
        )
        .pipe(_with_yearly)
    )


def _with_cues(texts: pl.Series) -> pl.Series:
    """The texts that may state pay; the others empty."""
    texts = texts.fill_null("")
    stating = reduce(or_, (texts.str.contains(cue) for cue in _AMOUNT_CUES))
    others = (~stating & texts.str.contains(_THOUSANDS)).arg_true()
    stating = stating.scatter(others, texts.gather(others).str.contains(_WORDS_CUE))
    return texts.zip_with(
        stating, pl.Series(texts.name, [""], pl.String).new_from_index(0, len(texts))
    )


def _with_yearly(postings: pl.LazyFrame) -> pl.LazyFrame:
    factor = pl.col("salary_period").cast(pl.String).replace_strict(
        YEAR_FACTORS, default=None, return_dtype=pl.Float64
    )  # fmt: skip
    return postings.with_columns(
        (pl.col(f"salary_{end}") * factor).round(2).alias(f"salary_yearly_{end}")
        for end in ("min", "max")
    )


_NOTHING = _Found(None, None, None, None, False, None, None, [], [])


def _all_found(rows: pl.Series) -> pl.Series:
    found = [_NOTHING]
    places = []
    for row in rows.struct.unnest().iter_rows():
        # Most postings give no amount and state none; they share one row of nothing.
        if row[0] or row[1] or row[6] or row[8] or row[9] or row[10]:
            one = _found(*row)
            if one != _NOTHING:
                places.append(len(found))
                found.append(one)
                continue
        places.append(0)
    frame = pl.DataFrame(found, dict(_FOUND.to_schema()), orient="row")
    return frame[pl.Series(places, dtype=pl.UInt32)].to_struct(rows.name)


def _found(
    low: float | None,
    high: float | None,
    code: str | None,
    period: str | None,
    has_period: bool,
    predicted: bool,
    free_text: str | None,
    country: str | None,
    title: str,
    place: str,
    body: str,
) -> _Found:
    """What one posting pays, with the findings that it follows from."""
    given = _sound(Pay(low or None, high or None, code, period), infer=not has_period)
    has_field = given.low is not None or given.high is not None
    said = "\n".join((title, place, body))
    mentions = list(stated(said, country)) if said.strip() else []
    begins = len(title) + 1, len(title) + len(place) + 2
    if has_field and (not predicted or _is_confirmed(given, mentions)):
        return _of_field(given, free_text, mentions, begins)
    of_text, candidates, origin, rule = _in_text(free_text, country, mentions, given)
    pay = _sound(of_text.pay, infer=False) if of_text else Pay(None, None, None, None)
    if of_text is not None and (pay.low or pay.high):
        origin = origin or _origin(of_text.start, begins)
        kind = (
            "predicted" if of_text.is_estimate else "computed" if of_text.is_computed else "stated"
        )
        findings = [_finding(pay, origin, of_text.words, rule, decides=True)]
        if has_field:
            rule = "a board's estimate gives way to what the posting states"
            if kind == "predicted":
                rule = "an estimate in a field gives way to the one in words"
            findings.append(_finding(given, "field", _amounts(given), rule, decides=False))
        for other in candidates[:3]:
            if other is not of_text and (other.pay.low, other.pay.high) != of_text.pay[:2]:
                findings.append(_finding(other.pay, origin, other.words, other.rule, decides=False))
        words = free_text if origin == "field" else of_text.words
        is_estimate = kind == "predicted"
        return _Found(*pay, is_estimate, kind, words, _ranges(candidates), findings)
    if has_field:
        found = _finding(given, "field", _amounts(given), "a board's estimate", decides=True)
        return _Found(*given, True, "predicted", free_text, [], [found])
    return _NOTHING._replace(salary_text=None)


def _of_field(
    given: Pay, free_text: str | None, mentions: list[Stated], begins: tuple[int, int]
) -> _Found:
    """Of a source's amounts that are no estimate."""
    candidates = [one for one in mentions if one.rule]
    same = _same_amounts(given, mentions)
    if same is None:
        findings = [_finding(given, "field", _amounts(given), "the source's field", decides=True)]
        if candidates and candidates[0].pay[:2] != given[:2]:
            other = candidates[0]
            origin = _origin(other.start, begins)
            findings.append(_finding(other.pay, origin, other.words, other.rule, decides=False))
        return _Found(*given, False, "stated", free_text, _ranges(candidates), findings)
    mention, pay, rule = same
    origin = _origin(mention.start, begins)
    findings = [_finding(pay, origin, mention.words, rule, decides=True)]
    if pay == given:
        findings.insert(0, _finding(given, "field", _amounts(given), "the source's field", True))
    else:
        findings.append(_finding(given, "field", _amounts(given), "the source's field", False))
    words = free_text or mention.words
    return _Found(*pay, False, "stated", words, _ranges(candidates), findings)


def _is_confirmed(given: Pay, mentions: list[Stated]) -> bool:
    """Whether the posting itself states what a board gives: its range, or its one amount as pay."""
    same = _same_amounts(given, [one for one in mentions if not one.is_estimate])
    return same is not None and bool(same[0].rule or given.low != given.high)


def _same_amounts(given: Pay, mentions: list[Stated]) -> tuple[Stated, Pay, str] | None:
    """The amounts of a field where a text states them too: in the text's currency and for its
    period; or the rate that was multiplied to make a year of it. Remote OK asks for US dollars a
    year and is given hourly rates and zloty; Adzuna turns hourly rates into years (times 2080)."""
    low = given.low if given.low is not None else given.high
    high = given.high if given.high is not None else given.low
    if low is None or high is None:
        return None
    for one in mentions:
        ends = [end for end in one.pay[:2] if end is not None]
        least, most = ends[0], ends[-1]
        period = one.pay.period
        if _same(low, least) and _same(high, most):
            pay = given._replace(
                currency=one.pay.currency
                if _names_currency(one)
                else given.currency or one.pay.currency,
                period=(period if one.pay.period and _names_period(one) else given.period)
                or period,
            )
            return one, pay, "the field, as the text states it"
        # A field that names no period may be a year's too.
        is_of_year = given.period == "YEAR" or (given.period is None and one.rule)
        factors = _factors(one) if is_of_year else ()
        for rate_period, factor in factors:
            pairs = ((low, least), (high, most))
            if all(_is_year_of(end, said * factor, bool(one.rule)) for end, said in pairs):
                pay = one.pay._replace(
                    currency=one.pay.currency if _names_currency(one) else given.currency,
                    period=rate_period,
                )
                return one, pay, f"the rate that the field multiplies by {factor}"
    return None


def _names_currency(one: Stated) -> bool:
    """Whether the words themselves, and not the country, say the currency."""
    return bool(re.search(r"[^\W\d_]{3}|[€£₹₽₺₪₩₱₴฿₫]|[A-Za-z]\$|zł|zl|Kč", one.words)) and (
        "$" not in one.words or bool(re.search(r"[A-Za-z]{1,3}\s?\$|\$.*[A-Z]{3}", one.words))
    )


def _names_period(one: Stated) -> bool:
    return len(one.periods) == 1


def _factors(one: Stated) -> list[tuple[str, int]]:
    """By how much a rate may have been multiplied to make a year of it."""
    return [
        (period, factor) for period in one.periods for factor in PERIODS[period].factors_of_year
    ]


def _same(given: float, said: float) -> bool:
    return abs(given - said) <= _TOLERANCE * given


def _is_year_of(given: float, computed: float, is_pay: bool) -> bool:
    """Whether an amount is the year of a rate, also where a board made full thousands of it."""
    is_round = is_pay and given % 1_000 == 0 and given >= 20_000
    return abs(given - computed) <= (999 if is_round else _TOLERANCE * given)


def _in_text(
    free_text: str | None, country: str | None, mentions: list[Stated], field: Pay
) -> tuple[Stated | None, list[Stated], str, str]:
    """The pay that the free text of a source or else the posting's texts state, all that may be it,
    where it stands (empty for the texts) and the rule."""
    candidates = [one for one in mentions if one.rule]
    if free_text and any(map(str.isdigit, free_text)):
        estimate = is_predicted(free_text)
        for one in stated(f"Salary: {free_text}", country):
            elsewhere = [m for m in mentions if _same_ends(m.pay, one.pay)]
            if not one.rule or (elsewhere and not any(m.rule for m in elsewhere)):
                continue
            # A board shortens what the text says in full.
            full = next((m for m in elsewhere if m.rule), None)
            if full is not None:
                one = one._replace(pay=_completed(one, full))
            if not (estimate or one.is_estimate):
                return one, candidates, "field", "the source's words of pay"
            if not candidates:
                return one._replace(is_estimate=True), [], "field", "a board's estimate"
    chosen = _chosen(candidates, country)
    return chosen, candidates, "", chosen.rule if chosen else ""


def _same_ends(one: Pay, other: Pay) -> bool:
    def ends(pay: Pay) -> tuple[float, ...]:
        return tuple(end for end in pay[:2] if end is not None)

    return {*ends(one)} == {*ends(other)}


def _completed(short: Stated, full: Stated) -> Pay:
    pay = short.pay
    code = (
        pay.currency if _names_currency(short) or not _names_currency(full) else full.pay.currency
    )
    return Pay(full.pay.low, full.pay.high, code, pay.period or full.pay.period)


def _chosen(candidates: Sequence[Stated], country: str | None) -> Stated | None:
    """The amount that the posting's own place fits; otherwise the first. A base before a total,
    the employer's before an estimate, words of pay before amounts alone."""
    if not candidates:
        return None
    own = currency_in(country)
    for is_wanted in (
        lambda one: not one.is_estimate,
        lambda one: not one.is_total,
        lambda one: one.pay.currency == own,
        lambda one: one.rule.startswith(("words of pay", "under")),
    ):
        candidates = [one for one in candidates if is_wanted(one)] or candidates
    return candidates[0]


def _ranges(candidates: list[Stated]) -> list[str]:
    """Several ranges, each in its own words; none where there is but one."""
    ranges = [one for one in candidates if one.pay.low != one.pay.high]
    listed: list[Stated] = []
    for one in ranges:
        same = [other for other in listed if other.pay == one.pay]
        # Two places or levels of one list may be paid the same; elsewhere a range is only repeated.
        label = _label(one)
        if not same or (
            label
            and one.start - listed[-1].start < _MAX_CHARS_IN_LIST
            and all(_label(other) not in ("", label) for other in same)
        ):
            listed.append(one)
    if len({one.pay for one in listed}) < 2:
        return []
    listed = listed[:_MAX_RANGES]
    lines = [one.line for one in listed]
    if len(set(lines)) < len(lines):
        lines = [one.words for one in listed]
    return lines


def _label(one: Stated) -> str:
    """What a line calls its range beside pay: a place or a level, in few words."""
    words = _no_label.sub(" ", one.line.replace(one.words, " ").lower())
    return " ".join(words.split()) if len(words) <= _MAX_LABEL_CHARS else ""


def _sound(pay: Pay, *, infer: bool) -> Pay:
    """With the ends in order, and nothing where an amount is impossible for its period. A single
    end stays single. Without an amount there is no currency or period; without a period, the one
    that alone is possible if asked for."""
    low, high = (_amount(end) for end in pay[:2])
    ends = tuple(end for end in (low, high) if end is not None)
    if not ends:
        return Pay(None, None, None, None)
    if max(ends) > _MAX_RANGE_RATIO * min(ends):
        return Pay(None, None, None, None)
    if not all(is_possible(end, pay.currency, pay.period) for end in ends):
        return Pay(None, None, None, None)
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    period = pay.period
    if period is None and infer:
        possible = inferred_periods(min(ends), max(ends), pay.currency)
        period = possible[0] if len(possible) == 1 else None
    return Pay(low, high, pay.currency, period)


def _amount(value: float | None) -> float | None:
    if value is None or not math.isfinite(value) or not 0.005 <= value < MAX_AMOUNT:
        return None
    return round(value, 2)


def _origin(start: int, begins: tuple[int, int]) -> str:
    return "title" if start < begins[0] else "place" if start < begins[1] else "body"


def _amounts(pay: Pay) -> str:
    ends = dict.fromkeys(f"{end:.15g}" for end in pay[:2] if end is not None)
    return " - ".join(ends)


def _finding(pay: Pay, origin: str, words: str, rule: str, decides: bool) -> dict[str, Any]:
    low, high = (f"{end:.15g}" if end is not None else "" for end in pay[:2])
    if low and high:
        value = low if low == high else f"{low}-{high}"
    else:
        value = f"from {low}" if low else f"up to {high}"
    parts = (value, pay.currency or "", pay.period or "")
    return {
        "field": "salary",
        "value": " ".join(part for part in parts if part),
        "origin": origin,
        "words": words[:MAX_WORDS_CHARS],
        "rule": rule,
        "decides": decides,
    }
