"""Amounts of money as a text writes them: numbers with their currency, scale and period, in the
notations of Europe, America and India, alone or as a range."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.transform.understanding.pay import (
    CURRENCIES,
    CURRENCY_WORDS,
    DOLLAR_WORDS,
    IN_TEXT,
    PERIODS,
    SHARED_WORDS,
)

MAX_CHARS = 100_000
"""So much of a text is read."""
MAX_AMOUNTS = 60
"""So many amounts of a text are looked at."""
MAX_NUMBERS = 2_000
"""So many numbers of a text are tried."""


class Amount(NamedTuple):
    """One amount, or a range of two.

    Attributes:
        low: the lower end; of a single amount, both are equal.
        high: the upper end.
        word: what names its currency, in lower case or an ISO 4217 code; empty without one.
        period: what is written behind it.
        start: where it begins, with its currency.
        end: where it ends.
        is_range: two ends are written.
        is_open: a ``+`` stands behind it.
        is_large: a ``k``, lakhs or groups of digits make it a number of thousands.
        in_lakhs: it is counted as in India, where pay is a year's.
        salaries: how many of it a year has, where that is said (``x 14``).
    """

    low: float
    high: float
    word: str
    period: str | None
    start: int
    end: int
    is_range: bool
    is_open: bool
    is_large: bool
    in_lakhs: bool
    salaries: int | None


def _words(patterns: list[str]) -> str:
    return "|".join(patterns)


def _as_they_stand(words: Iterable[str]) -> str:
    """Words as they stand in a text, no part of others, the longest of one letter first: sorted by
    their first letters, so that one letter of a text is compared with few of them."""
    of_first: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        after = r"(?![^\W\d_])" if word[-1].isalpha() else ""
        of_first.setdefault(word[0], []).append(f"{re.escape(word[1:])}{after}")
    ordered = [
        (first.isalpha(), f"{re.escape(first)}(?:{'|'.join(rest)})")
        for first, rest in of_first.items()
    ]
    signs = "|".join(pattern for is_letter, pattern in ordered if not is_letter)
    letters = "|".join(pattern for is_letter, pattern in ordered if is_letter)
    return rf"{signs}|(?<![^\W\d_])(?:{letters})"


_BEFORE = {*CURRENCY_WORDS, *DOLLAR_WORDS, *SHARED_WORDS, *(code.lower() for code in CURRENCIES)}
_FIRST = re.escape("".join(sorted({word[0] for word in _BEFORE})))
_CODES = "|".join(sorted(CURRENCIES))
_OTHER_WORDS = _as_they_stand({*CURRENCY_WORDS, *DOLLAR_WORDS, *SHARED_WORDS})
# The look at the first character spares the alternatives, of which there are many.
_CURRENCY = rf"(?=[{_FIRST}])(?:{_OTHER_WORDS}|(?-i:(?<![A-Za-z])(?:{_CODES})(?![A-Za-z])))"
_SPACE = "[ \u00a0\u202f\u2009]"
_NUMBER = (
    r"(?:[0-9]{1,3}(?:,[0-9]{2,3}){0,3},[0-9]{3}(?:\.[0-9]{1,2})?(?![0-9])"
    r"|[0-9]{1,3}(?:[.'’][0-9]{3}){1,3}(?:,[0-9]{1,2})?(?![0-9])"
    rf"|[0-9]{{1,3}}(?:{_SPACE}[0-9]{{3}}){{1,3}}(?:[,.][0-9]{{1,2}})?(?![0-9])"
    r"|[0-9]{1,12}(?:[.,][0-9]{1,2}(?![0-9]))?(?![0-9]))"
)
_SCALES = _words([*IN_TEXT.thousands, *IN_TEXT.lakhs, *IN_TEXT.crores])
_SCALE = rf"(?=[klct\u0442m])(?:{_SCALES})(?:(?![^\W\d_])|(?=eur))"
_UNIT = "|".join(words for period in PERIODS.values() for words in period.in_text)
_ALONE = "|".join(words for period in PERIODS.values() for words in period.alone)
_TAX = (
    r"(?:(?:gross|net|brutto|netto|brutos?|netos?|brut|net+s?|bruts|lordi|netti|líquidos?|"
    r"vat|\+ ?vat|plus vat|equivalent|base|ote)\b)"
)
# The look at the first character spares what follows where nothing of a period can stand.
_EACH = (
    rf"(?={_SPACE}{{0,2}}[(,]?(?:[/+]|[^\W\d_]))"
    rf"{_SPACE}{{0,2}}[(,]?(?:{_TAX}{_SPACE}?){{0,2}}(?:(?:/(?:per\b)?"
    r"|\b(?:per|an?|pro|por|par|al|je|za|na|im|i|each|every|per each)\b|\ball['’]|\bp\.)"
    rf"{_SPACE}{{0,2}}(?:{_TAX}/?{_SPACE}?)?(?:{_UNIT})|(?:{_ALONE}))(?:(?![^\W\d_])|(?-i:(?=[A-Z][a-z])))"
)
# Texts that lost their markup join the next word: "£600 p/dThe role".
_SEPARATOR = (
    r"(?:[-–—−~→]|\b(?:to|bis|à|a|al?|do|až|till?|até|tot|und|and|et|y|e|en|oraz|och|og)\b"
    r"|in our lowest (?:[a-z]{1,12} ){0,2}market (?:up )?to\b)"
)
_JOINED = re.compile(r"(?:und|and|et|y|e|en|oraz|och|og)\Z", re.IGNORECASE)
_between = re.compile(rf"\b(?:{_words(IN_TEXT.between)})\s{{1,2}}\Z", re.IGNORECASE)
_MENTION = re.compile(
    rf"(?P<low>{_NUMBER})(?:{_SPACE}?(?P<low_scale>{_SCALE}))?(?P<low_plus>\+)?"
    rf"(?:{_SPACE}{{0,2}}(?P<low_currency>{_CURRENCY}))?(?P<low_each>{_EACH})?"
    rf"(?:\s{{0,2}}(?:\(min[a-z]{{0,5}}\.?\)\s)?(?P<separator>{_SEPARATOR})\s{{0,2}}(?:up to )?"
    rf"(?P<high_before>{_CURRENCY})?"
    rf"{_SPACE}{{0,2}}(?P<high_before_too>{_CURRENCY})?{_SPACE}{{0,2}}"
    rf"(?P<high>{_NUMBER})(?:{_SPACE}?(?P<high_scale>{_SCALE}))?"
    rf"(?:{_SPACE}{{0,2}}\(?(?P<high_currency>{_CURRENCY})\)?)?)?"
    rf"(?P<plus>\+)?(?P<each>{_EACH})?",
    re.IGNORECASE,
)
_too_much = re.compile(
    rf"\+?{_SPACE}?(?:{_words(IN_TEXT.too_much)})(?![^\W\d_])|[/:.][0-9]|[-‐][0-9]{{2}}[-‐]",
    re.IGNORECASE,
)
_MAX_WORD_BEFORE = 6
_BLANKS = " :\u00a0\u202f"
"""What may stand between a currency and its number."""
_NOT_IN_NUMBERS = str.maketrans("", "", " \u00a0\u202f\u2009'’")
_SEPARATORS = str.maketrans("", "", ".,")


def _by_ending() -> dict[str, list[str]]:
    """The last two characters of a word of currency, or its only one → such words, the longest
    first."""
    endings: dict[str, list[str]] = {}
    for word in sorted(_BEFORE, key=len, reverse=True):
        if len(word) <= _MAX_WORD_BEFORE:
            endings.setdefault(word[-2:], []).append(word)
    return endings


_ENDING = _by_ending()
_code_behind = re.compile(rf"{_SPACE}{{0,2}}[(,]?{_SPACE}?(?P<code>{_CURRENCY})\)?", re.IGNORECASE)
_salaries = re.compile(
    rf"[^\S\n]{{0,2}}(?:{_TAX}{_SPACE}){{0,2}}\(?(?:[x×*]{_SPACE}?(?P<times>1[2-9])\b"
    rf"|(?P<times_of>1[2-9]){_SPACE}?[x×](?!\w)|(?:in|en|auf|sur|à|por|over|for|su|,)?"
    rf"{_SPACE}?(?P<count>1[3-9])\s?(?:{_words(IN_TEXT.months_a_year)})\b)",
    re.IGNORECASE,
)
_no_amount = re.compile(r"40[13]\s?\(?[kb]\b", re.IGNORECASE)
"""American plans for old age."""
_other_unit = re.compile(r"\s?(?:/|per\s)\s?[^\W\d_]{2,}", re.IGNORECASE)
_may_be_money = re.compile(
    r"[0-9]{1,3}(?:[.,'’ \u00a0\u202f\u2009][0-9]{2,3})+(?![0-9])|[0-9]{5,}"
    r"|(?!(?:19|20)[0-9][0-9](?![0-9]))[0-9]{4}"
    r"|[0-9]+(?:[.,][0-9]{1,2})?[ \u00a0\u202f]?(?:[kKlLcCtT]|/ ?[^\W\d]|per\b"
    r"|(?:-|–|—|−|~|to\b|bis\b|à\b|a\b|al\b|do\b|až\b|and\b|und\b|et\b|y\b|e\b)"
    r"[ \u00a0]?[^\w\s]{0,2}[0-9]"
    rf"|{_CURRENCY})",
    re.IGNORECASE,
)
_period_of = {
    name: re.compile(rf"(?:{_words([*period.in_text, *period.alone])})", re.IGNORECASE)
    for name, period in PERIODS.items()
}
_crores = re.compile(_words(IN_TEXT.crores), re.IGNORECASE)
_lakhs = re.compile(_words(IN_TEXT.lakhs), re.IGNORECASE)


def amounts(text: str) -> Iterator[Amount]:
    """The amounts of a text in their order, as far as they have a currency, a period or a scale,
    or are numbers of thousands. Years, dates, telephone numbers and the like are none of these."""
    text = text[:MAX_CHARS]
    end = found = 0
    for start in _numbers(text)[:MAX_NUMBERS].tolist():
        if found >= MAX_AMOUNTS:
            return
        if start < end or (start and _is_part(text, start)):
            continue
        # Most numbers count years, people and versions: a look at what is beside them spares the
        # long one.
        begin, before = _words_before(text, start) if _may_have_word(text, start) else (start, [])
        if not before and (
            (start and text[start - 1].isalpha()) or not _may_be_money.match(text, start)
        ):
            continue
        match = _MENTION.match(text, start)
        amount = _amount(text, match, begin, before) if match else None
        if amount is not None:
            end = amount.end
            found += 1
            yield amount


def _numbers(text: str) -> npt.NDArray[np.int64]:
    """Where digits begin. A regular expression would take ten times as long."""
    octets = np.frombuffer(text.encode("latin-1", errors="replace"), dtype=np.uint8)
    is_digit = octets - np.uint8(ord("0")) < 10
    begins = is_digit.copy()
    begins[1:] &= ~is_digit[:-1]
    return np.flatnonzero(begins)


def _is_part(text: str, start: int) -> bool:
    """Whether a number goes on one before it, as in a date, a time or a telephone number."""
    before = text[start - 1]
    return before in ".,:#" or (before in "-‐/" and start > 1 and text[start - 2].isdigit())


def _amount(text: str, match: re.Match[str], begin: int, before: list[str]) -> Amount | None:
    start = match.start()
    part = match.groupdict()
    if not before and _no_amount.match(text, start):
        return None
    end = match.end()
    is_range = part["high"] is not None
    if is_range and _is_no_range(text, part, begin):
        is_range = False
        end = next(
            match.end(name)
            for name in ("low_each", "low_currency", "low_plus", "low_scale", "low")
            if part[name] is not None
        )
        part |= dict.fromkeys(("high", "high_scale", "high_currency", "high_before", "each"))
    last = "high" if is_range else "low"
    scaled = f"{last}_scale"
    if _too_much.match(text, match.end(scaled if part[scaled] else last)) or _too_much.match(
        text, end
    ):
        return None
    each = part["each"] or part["low_each"]
    scale = part["low_scale"] or part["high_scale"]
    words = [
        word
        for word in (
            *before, part["low_currency"], part["high_before"], part["high_before_too"],
            part["high_currency"],
        )
        if word
    ]  # fmt: skip
    if not words and (code := _code_behind.match(text, end)):
        words, end = [code["code"]], code.end()
    elif words and (code := _code_behind.match(text, end)) and code["code"].isalpha():
        words, end = [*words, code["code"]], code.end()
    if not each and _other_unit.match(text, end):
        return None
    digits = sum(map(str.isdigit, part["low"]))
    is_large = bool(scale) or digits >= 4
    if not words and not each and not is_large:
        return None
    low = _value(part["low"], part["low_scale"] or (part["high_scale"] if is_range else None))
    high = low
    if part["high"] is not None:
        high = _value(part["high"], part["high_scale"] or _shared_scale(part))
        # "120-150k" shares its k; "900 - 1.1k" does not.
        if part["high_scale"] and not part["low_scale"]:
            raw = _value(part["low"], None)
            low = raw if raw >= 1_000 or low > high else low
    salaries = _salaries.match(text, end)
    if salaries:
        end = salaries.end()
    return Amount(
        min(low, high), max(low, high), _currency_word(words), _period(each), begin, end, is_range,
        bool(part["plus"] or (part["low_plus"] and not is_range)), is_large,
        bool(scale and (_lakhs.fullmatch(scale) or _crores.fullmatch(scale))),
        int(salaries["times"] or salaries["times_of"] or salaries["count"]) if salaries else None,
    )  # fmt: skip


def _may_have_word(text: str, start: int) -> bool:
    """Whether a word of a currency may stand before a number."""
    end = start
    while end > max(0, start - 2) and text[end - 1] in _BLANKS:
        end -= 1
    ending = text[max(0, end - 2) : end].lower()
    return ending in _ENDING or ending[-1:] in _ENDING


def _words_before(text: str, start: int) -> tuple[int, list[str]]:
    """Where the words of a currency before a number begin, and these: two at most ("CAD $")."""
    words: list[str] = []
    begin = start
    while len(words) < 2:
        end = begin
        while end > max(0, begin - 2) and text[end - 1] in _BLANKS:
            end -= 1
        word = _word_that_ends(text, end)
        if not word:
            break
        words.insert(0, word)
        begin = end - len(word)
    return begin, words


def _word_that_ends(text: str, end: int) -> str:
    ending = text[max(0, end - 2) : end].lower()
    for known in (*_ENDING.get(ending, ()), *_ENDING.get(ending[-1:], ())):
        begin = end - len(known)
        word = text[max(0, begin) : end]
        if word.lower() != known or (
            word[:1].isalpha() and begin > 0 and text[begin - 1].isalpha()
        ):
            continue
        is_code = known not in CURRENCY_WORDS and known.upper() in CURRENCIES
        if not is_code or word.isupper():
            return word
    return ""


def _is_no_range(text: str, part: dict[str, str | None], begin: int) -> bool:
    """Whether what looks like the upper end is none: an "and" without a "between" before it, or a
    number so small that it counts something else."""
    if _JOINED.match(part["separator"] or "") and not _between.search(
        text, max(0, begin - 16), begin
    ):
        return True
    low, high = _value(part["low"], None), _value(part["high"], None)
    scales = (part["low_scale"], part["high_scale"])
    return not any(scales) and high * 3 < low


def _shared_scale(part: dict[str, str | None]) -> str | None:
    """The lower end's, where the upper would be less than it without."""
    return part["low_scale"] if _value(part["high"], None) < 1_000 else None


def _value(number: str | None, scale: str | None) -> float:
    whole, cents = (number or "0").translate(_NOT_IN_NUMBERS), ""
    for length in (1, 2):
        if whole[-length - 1 : -length] in {".", ","}:
            whole, cents = whole[: -length - 1], f".{whole[-length:]}"
            break
    value = float(whole.translate(_SEPARATORS) + cents)
    if not scale:
        return value
    return value * (
        100_000 if _lakhs.fullmatch(scale) else 1e7 if _crores.fullmatch(scale) else 1e3
    )


def _currency_word(words: list[str]) -> str:
    """The one that says most: "CAD" of "CAD $", "USD" of "$ … USD"."""
    lowered = [word if word.isupper() and len(word) == 3 else word.lower() for word in words]
    clear = [word for word in lowered if word not in DOLLAR_WORDS and word not in SHARED_WORDS]
    return clear[0] if clear else lowered[0] if lowered else ""


def _period(each: str | None) -> str | None:
    if not each:
        return None
    words = re.split(r"[\s/]+|['’](?=\w)", each.strip(" \u00a0\u202f/(,."))
    for tail in (words[-1], " ".join(words[-2:]), each.strip(" (,/")):
        for name, pattern in _period_of.items():
            if pattern.fullmatch(tail):
                return name
    return next((name for name, pattern in _period_of.items() if pattern.search(words[-1])), None)
