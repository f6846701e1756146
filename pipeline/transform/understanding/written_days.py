"""Days as people write them in adverts, and which day is meant.

The order of day and month in ``05/06/2026`` follows from the language of the words around it, from
the country and from the posting's own date; a missing year from that date alone: it is the next
such day. What stays ambiguous is null, and so is a day that no posting of that date can mean.

Considered instead: dateparser (some 100 µs a text, and it takes "may 2" and "17.00" for days),
dateutil (English alone, and it fills in from today what is missing) and Duckling (a server in
Haskell). Such days are written in few ways: those below, over names of months that are data
(``vocabulary/dates.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from pipeline.transform.vocabulary import PythonPattern, Shape, Word, any_of, read


class _Months(Shape):
    english: list[list[Word]]
    others: list[list[Word]]


class _Vocabulary(Shape):
    month_first: list[Word]
    american: list[PythonPattern]
    not_american: list[PythonPattern]
    months: _Months


_VOCABULARY = read("dates", _Vocabulary)
_MONTH_FIRST = frozenset(_VOCABULARY.month_first)
_american = re.compile(any_of(_VOCABULARY.american))
_not_american = re.compile(any_of(_VOCABULARY.not_american))

_MONTHS = {
    name: number
    for names in (_VOCABULARY.months.english, _VOCABULARY.months.others)
    for number, same in enumerate(names, 1)
    for name in same
}


def _alternatives(names: list[list[str]]) -> str:
    every = sorted((name for same in names for name in same), key=len, reverse=True)
    return f"(?i:{'|'.join(map(re.escape, every))})"


_ALL_MONTHS = [*_VOCABULARY.months.english, *_VOCABULARY.months.others]
_MONTH = _alternatives(_ALL_MONTHS) + r"(?![a-zß-ÿ])"
_ENGLISH_MONTH = _alternatives(_VOCABULARY.months.english)
DATED = (
    r"[0-9]\s?[./-]\s?[0-9]{1,2}\s?[./-]|[0-9]/[0-9]|[0-9年]\s?[0-9]{1,2}月"
    r"|[0-9](?i:st|nd|rd|th|er|ère|º|ª|°|\.|,|:?e|de|:?a|-|/)?[\s.,/-]{0,3}"
    rf"(?i:(?:of|de|del|den|the|d[’'])\s{{0,3}})?{_alternatives(_ALL_MONTHS)}(?:[^a-zß-ÿ]|$)"
    rf"|{_alternatives(_VOCABULARY.months.english)}\.?,?\s{{1,3}}(?i:the )?[0-9]{{1,2}}(?:[^0-9]|$)"
)
"""What a text without a day does not hold, in Polars' words: quick, as it looks at no words'
beginnings."""

_number = re.compile("[0-9]+")
_YEAR_AFTER = (
    r"(?:[\s.,/-]{1,3}(?i:(?:de|del|of)\s+)?(?P<year>20\d\d)(?!\d)"
    r"|(?:\s?['’]|[-/. ])(?P<short>\d\d)(?=\s*(?:$|[.,;)]|\n)))?"
)
_YEAR_FIRST = [
    re.compile(r"(?P<year>20\d\d)(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?P<year>20\d\d)\s?年\s?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?日"),
]
_NAMED_MONTH = [
    re.compile(
        r"(?P<day>\d{1,2})(?i:st|nd|rd|th|er|ère|º|ª|°|\.|:?e|de|:?a)?[\s.,/-]{0,3}"
        rf"(?i:(?:of|de|del|den|the|d[’'])\s{{0,3}})?(?P<name>{_MONTH})\.?{_YEAR_AFTER}"
    ),
]
_NUMERIC = [
    re.compile(
        r"(?P<first>\d{1,2})\s?(?P<mark>[-/.])\s?(?P<second>\d{1,2})\s?(?P=mark)\s?"
        r"(?:(?P<year>20\d\d)|(?P<short>\d\d))(?!\d)"
    ),
    *_NAMED_MONTH,
    re.compile(r"(?P<first>\d{1,2})\.\s?(?P<second>\d{1,2})\.(?!\s?\d)"),
    re.compile(r"(?P<first>\d{1,2})/(?P<second>\d{1,2})(?![\d/%]|\s?-?(?:h|hours?|x)\b)"),
]
_NUMERIC_MARKS = frozenset("./-")
_MONTH_ENDINGS = {name[-3:] for same in _VOCABULARY.months.english for name in same} | {"the"}
_month_before = re.compile(rf"(?<![a-zA-Zß-ÿ])(?P<name>{_ENGLISH_MONTH})\.?,?\s{{1,3}}(?i:the )?\Z")
_month_run_on = re.compile(rf"(?P<name>{_ENGLISH_MONTH})\.?,?\s{{1,3}}(?i:the )?\Z")
_day_after_month = re.compile(
    rf"(?P<day>\d{{1,2}})(?i:st|nd|rd|th)?(?![\d%]|\s?[:h]\d){_YEAR_AFTER}"
)
_LONGEST_MONTH = 18

EARLIEST = timedelta(days=31)
"""How long before its posting's date a day may be: boards date an advert anew that they repeat."""
LATEST = timedelta(days=548)
"""How long after it."""
LATEST_WITHOUT_YEAR = timedelta(days=200)
"""How long after it a day without a year may be: a later one has passed, and the advert is old."""


class Written(NamedTuple):
    """A day as it is written, from ``start`` to ``end``. Where the order of day and month is open,
    ``month`` stands for the second number and ``is_ordered`` is false. ``is_plain``: it has a year
    or the name of a month; ``12/3`` may be anything."""

    start: int
    end: int
    year: int | None
    month: int
    day: int
    is_ordered: bool
    is_plain: bool


def days(text: str, dated: Iterable[str] | None = None) -> Iterator[Written]:
    """The days that are written in a text, in order and apart from each other.

    Args:
        dated: all that :data:`DATED` finds in the text, where that is known: no other number is
            looked at.
    """
    end = 0
    for first, last in [(0, len(text))] if dated is None else _around(text, dated):
        for number in _number.finditer(text, first, last):
            start, stop = number.span()
            if start < end or stop - start not in (1, 2, 4):
                continue
            written = _day_at(text, start, stop, end)
            if written is not None:
                end = written.end
                yield written


_BEFORE_DATED, _BEHIND_DATED = 4, 30
"""Where the number of a day may stand: before the last digit that was found of it, and behind the
day before it."""


def _around(text: str, dated: Iterable[str]) -> list[list[int]]:
    """The stretches of a text, of whole numbers, around words that stand there in that order."""
    stretches: list[list[int]] = []
    place = 0
    for words in dated:
        place = text.find(words, place)
        first, last = max(0, place - _BEFORE_DATED), place + len(words) + _BEHIND_DATED
        place += len(words)
        if stretches and first <= stretches[-1][1]:
            stretches[-1][1] = last
        else:
            stretches.append([first, last])
    for stretch in stretches:
        while stretch[0] and text[stretch[0] - 1].isdigit():
            stretch[0] -= 1
        while text[stretch[1] : stretch[1] + 1].isdigit():
            stretch[1] += 1
    return stretches


def _day_at(text: str, start: int, end: int, after: int) -> Written | None:
    """The day whose first number stands from ``start`` to ``end``, or whose month stands before
    that number, but not before ``after``."""
    if end - start == 4:
        return _in_one_of(_YEAR_FIRST, text, start)
    before = text[max(after, start - _LONGEST_MONTH) : start]
    if before[-1:].isspace() and (month := _english_month(before)):
        match = _day_after_month.match(text, start)
        if match:
            return _written(
                start - len(before) + month.start(), match, _MONTHS[month["name"].lower()]
            )
    if _NUMERIC_MARKS.isdisjoint(text[end : end + 2]):
        return _in_one_of(_NAMED_MONTH, text, start)
    return _in_one_of(_NUMERIC, text, start)


def _in_one_of(forms: list[re.Pattern[str]], text: str, start: int) -> Written | None:
    for form in forms:
        if match := form.match(text, start):
            name = match.groupdict().get("name")
            return _written(start, match, _MONTHS[name.lower()] if name else None)
    return None


def _english_month(before: str) -> re.Match[str] | None:
    """The month at the end of these words; one that runs on from another word has a capital."""
    if before.rstrip().rstrip(".,")[-3:].lower() not in _MONTH_ENDINGS:
        return None
    match = _month_before.search(before)
    if match is None and (match := _month_run_on.search(before)) and not match["name"][0].isupper():
        return None
    return match


def _written(start: int, match: re.Match[str], month: int | None) -> Written | None:
    groups = match.groupdict()
    year = groups.get("year")
    if year is None and groups.get("short"):
        year = f"20{groups['short']}"
    has_name = month is not None
    is_ordered = has_name or groups.get("first") is None or groups.get("mark") == "."
    if groups.get("first") is not None:
        day, month = int(groups["first"]), int(groups["second"])
        # What ends with a point is German or Nordic.
        is_ordered = is_ordered or match.group().endswith(".")
        if not is_ordered and (day > 12 or month > 12):
            day, month = (day, month) if day > 12 else (month, day)
            is_ordered = True
    else:
        day, month = int(groups["day"]), month or int(groups["month"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return Written(
        start,
        match.end(),
        int(year) if year else None,
        month,
        day,
        is_ordered,
        bool(has_name or year),
    )


def meant(
    written: Written, day_first: bool, country: str | None, posted_on: date | None, text: str
) -> date | None:
    """The day that is meant, null where that is ambiguous or cannot be."""
    readings = [(written.month, written.day)]
    if not written.is_ordered and written.month != written.day and not day_first:
        readings.append((written.day, written.month))
    possible_days = [in_reach(written.year, month, day, posted_on) for month, day in readings]
    possible = {place: day for place, day in enumerate(possible_days) if day is not None}
    if len(possible) <= 1:
        return next(iter(possible.values()), None)
    is_month_first = country in _MONTH_FIRST if country else _is_american(text)
    return None if is_month_first is None else possible[int(is_month_first)]


def _is_american(text: str) -> bool | None:
    """Whether an English advert without a country comes from the United States; null where it does
    not show."""
    head = text[:20_000]
    american, other = _american.search(head), _not_american.search(head)
    return None if bool(american) == bool(other) else bool(american)


def in_reach(year: int | None, month: int, day: int, posted_on: date | None) -> date | None:
    """The day of that year or, without one, the next such day; null where no posting of that date
    can mean it."""
    if posted_on is None:
        return _date(year, month, day) if year else None
    first = posted_on - EARLIEST if posted_on > date.min + EARLIEST else posted_on
    if year is None:
        same = (_date(first.year + later, month, day) for later in range(2))
        following = next((each for each in same if each and each >= first), None)
        is_near = following is not None and following - posted_on <= LATEST_WITHOUT_YEAR
        return following if is_near else None
    day_of_year = _date(year, month, day)
    if day_of_year is None or day_of_year < first or day_of_year - posted_on > LATEST:
        return None
    return day_of_year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
