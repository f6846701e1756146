"""Until when a job can be applied for: the day that a text announces as the last one, or the
closing date among the fields of a source.

A day counts only near words that announce it (``vocabulary/deadline.toml``). The order of day and
month in ``05/06/2026`` follows from the language of those words, from the country and from the
posting's own date; a missing year from that date alone: it is the next such day. What stays
ambiguous is unknown, and so is a day that no posting of that date can mean.

Considered for the reading of days: dateparser (some 100 µs a text, and it reads "may 2" and
"17.00" as days), dateutil (English only, fills in what is missing from today) and Duckling (a
server in Haskell). The days of an announcement are written in few ways; they are one regular
expression below, over names of months that are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import polars as pl

from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, Evidence
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, Word, any_of, read


class _Cues(Shape):
    language: Word
    stems: list[Word]
    day_first: bool
    named: tuple[PythonPattern, ...] = ()
    until: tuple[PythonPattern, ...] = ()
    before: tuple[PythonPattern, ...] = ()


class _Words(Shape):
    words: list[Word]


class _Unread(Shape):
    phrases: list[Word]
    hints: list[Pattern]


class _Months(Shape):
    english: list[list[Word]]
    others: list[list[Word]]


class _Vocabulary(Shape):
    boards_own_expiry: list[Word]
    month_first: list[Word]
    american: list[PythonPattern]
    not_american: list[PythonPattern]
    cues: list[_Cues]
    unread: _Unread
    not_before: _Words
    works: _Words
    not_after: _Words
    others: _Words
    by: _Words
    between: _Words
    about: _Words
    months: _Months


_VOCABULARY = read("deadline", _Vocabulary)
_BY = frozenset(_VOCABULARY.by.words)
_BETWEEN = frozenset(_VOCABULARY.between.words) | _BY
_ABOUT = _BETWEEN | frozenset(_VOCABULARY.about.words)
_OTHERS = frozenset(_VOCABULARY.others.words)
_NOT_BEFORE = frozenset(_VOCABULARY.not_before.words)
_WORKS = frozenset(_VOCABULARY.works.words)
_MONTH_FIRST = frozenset(_VOCABULARY.month_first)
_not_after = re.compile("|".join(_VOCABULARY.not_after.words), re.IGNORECASE)
_american = re.compile(any_of(_VOCABULARY.american))
_not_american = re.compile(any_of(_VOCABULARY.not_american))


def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    return re.compile(any_of(patterns)) if patterns else None


class _Language(NamedTuple):
    stems: list[str]
    day_first: bool
    named: re.Pattern[str] | None
    until: re.Pattern[str] | None
    before: re.Pattern[str] | None


_LANGUAGES = [
    _Language(
        cues.stems, cues.day_first, _pattern(cues.named), _pattern(cues.until),
        _pattern(cues.before),
    )
    for cues in _VOCABULARY.cues
]  # fmt: skip


def _in_any_case(words: Iterable[str]) -> list[str]:
    """What Polars finds in any case: it folds ASCII letters by itself, and is slower with more."""
    given = set(words)
    return sorted(given | {word.upper() for word in given if not word.isascii()})


_STEMS = _in_any_case(stem for language in _LANGUAGES for stem in language.stems)

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
_DATED = (
    r"[0-9][./-]\s?[0-9]{1,2}\s?[./-]|[0-9]/[0-9]|[0-9年]\s?[0-9]{1,2}月"
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
_range = re.compile(
    r"\s{0,2}(?:-|–|—|to|until|through|till|bis|au|al|do|tot|til|a)\s{0,2}(?:the\s|zum\s|den\s)?\Z"
)
_sentence_end = re.compile(r"[!?;]|\.\s+(?=[A-ZÀ-Þ])|\.\s*\n")
_line_or_label_end = re.compile(r"\n|(?<=[^\W\d])\s*:")
_last_break = re.compile(r"[.!?;:\n](?!\w)")
_word = re.compile(r"[^\W\d_]+")

_LONGEST_MONTH = 18
_CONTEXT = 200
_GAP = 90

EARLIEST = timedelta(days=31)
"""How long before its posting's date a day may be: boards date an advert anew that they repeat."""
LATEST = timedelta(days=548)
"""How long after it."""
LATEST_WITHOUT_YEAR = timedelta(days=200)
"""How long after it a day without a year may be: a later one has passed, and the advert is old."""


class _Written(NamedTuple):
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


class _Announced(NamedTuple):
    day: date
    words: str
    rule: str
    has_year: bool


def with_deadline(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``deadline``: the last day to apply that title and description announce or, where they
    announce none, the closing date among the source's fields.

    Of several announced ones the latest counts: who prolongs an offer leaves the old day standing.
    A day without a year is doubtful beside a field that says otherwise.
    """
    dated = pl.any_horizontal(
        pl.col(column).str.contains(_DATED)
        & pl.col(column).str.contains_any(_STEMS, ascii_case_insensitive=True)
        for column in ("title", "description")
    ).fill_null(value=False)
    given = pl.struct(
        "title",
        "description",
        "country",
        posted_on=pl.col("posted_at").dt.date(),
        closes_on=pl.when(~pl.col("source").is_in(_VOCABULARY.boards_own_expiry)).then(
            pl.col("expires_at").dt.date()
        ),
        dated=dated,
    )
    found = given.map_batches(_findings_of_all, return_dtype=EVIDENCE)
    decided = pl.col("_evidence_deadline").list.eval(
        pl.element().filter(pl.element().struct.field("decides")).struct.field("value")
    )
    return postings.with_columns(_evidence_deadline=found).with_columns(
        deadline=decided.list.first().str.to_date("%Y-%m-%d", strict=False)
    )


def _findings_of_all(given: pl.Series) -> pl.Series:
    rows = given.struct.unnest().with_row_index("row")
    rows = rows.filter(pl.col("dated") | pl.col("closes_on").is_not_null())
    found: list[list[Evidence] | None] = [None] * len(given)
    for row in rows.iter_rows(named=True):
        found[row["row"]] = _findings(row) or None
    return pl.Series(given.name, found, EVIDENCE)


def _findings(row: dict[str, Any]) -> list[Evidence]:
    posted_on: date | None = row["posted_on"]
    found: list[tuple[str, _Announced]] = []
    if row["dated"]:
        for origin, column in (("title", "title"), ("body", "description")):
            text = row[column] or ""
            found += [(origin, each) for each in announced(text, row["country"], posted_on)]
    closes_on: date | None = row["closes_on"]
    if closes_on and any(day.day != closes_on and not day.has_year for _, day in found):
        chosen: date | None = closes_on
    else:
        chosen = max((day.day for _, day in found), default=closes_on)
    findings = [_evidence(day, origin, day.day == chosen) for origin, day in found]
    if closes_on:
        field = _Announced(closes_on, closes_on.isoformat(), "source_closing_date", has_year=True)
        findings.append(_evidence(field, "field", closes_on == chosen))
    return findings


def _evidence(found: _Announced, origin: Any, decides: bool) -> Evidence:
    return {
        "field": "deadline",
        "value": found.day.isoformat(),
        "origin": origin,
        "words": found.words,
        "rule": found.rule,
        "decides": decides,
    }


def announced(text: str, country: str | None, posted_on: date | None) -> Iterator[_Announced]:
    """The last days to apply that a text announces, each once, in its order."""
    seen: set[date] = set()
    last: _Written | None = None
    last_cue: tuple[int, bool, str] | None = None
    for written in _days(text):
        between = text[last.end : written.start] if last else None
        cue = None
        if between is not None and last_cue and len(between) < 12 and _range.search(between):
            cue = last_cue
        cue = cue or _cue(text, last.end if last else 0, written)
        last, last_cue = written, cue
        if cue is None:
            continue
        start, day_first, rule = cue
        day = _meant(written, day_first, country, posted_on, text)
        if day is not None and day not in seen:
            seen.add(day)
            words = " ".join(text[start : written.end].split())[-MAX_WORDS_CHARS:]
            yield _Announced(day, words, rule, written.year is not None)


def _days(text: str) -> Iterator[_Written]:
    """The days that are written in a text, in order and apart from each other."""
    end = 0
    for number in _number.finditer(text):
        start, stop = number.span()
        if start < end or stop - start not in (1, 2, 4):
            continue
        written = _day_at(text, start, stop, end)
        if written is not None:
            end = written.end
            yield written


def _day_at(text: str, start: int, end: int, after: int) -> _Written | None:
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


def _in_one_of(forms: list[re.Pattern[str]], text: str, start: int) -> _Written | None:
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


def _written(start: int, match: re.Match[str], month: int | None) -> _Written | None:
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
    return _Written(
        start,
        match.end(),
        int(year) if year else None,
        month,
        day,
        is_ordered,
        bool(has_name or year),
    )


def _cue(text: str, after: int, written: _Written) -> tuple[int, bool, str] | None:
    """Where the words begin that announce a day, whether their language writes the day first, and
    the name of the rule; null where nothing announces it."""
    begin = max(after, written.start - _CONTEXT)
    left, right = text[begin : written.start], text[written.end : written.end + 80]
    lowered = left.lower()
    if len(lowered) != len(left):  # Some letters grow, and places would be wrong.
        lowered = left
    sentence = _sentence_end.split(right, maxsplit=1)[0]
    if _not_after.search(sentence):
        return None
    for language in _LANGUAGES:
        if language.before and (match := language.before.match(right.lower().lstrip(" ,("))):
            return written.start, language.day_first, "day_before_cue"
        if not any(stem in lowered for stem in language.stems):
            continue
        for pattern, allows, rule in (
            (language.named, _allows_named, "named_closing_date"),
            (language.until, _allows_until, "apply_until"),
        ):
            for match in reversed(list(pattern.finditer(lowered))) if pattern else ():
                gap = left[match.end() :]
                if (
                    len(gap) <= _GAP
                    and allows(gap)
                    and (written.is_plain or _ABOUT.issuperset(_words(gap)))
                    and not _is_of_work(left[: match.start()])
                ):
                    return begin + match.start(), language.day_first, rule
    return None


def _allows_named(gap: str) -> bool:
    """Whether a day after these words can belong to a named closing date before them."""
    if _sentence_end.search(gap):
        return False
    parts = _line_or_label_end.split(gap)
    tail = _words(parts[-1])
    if len(parts) == 1:
        return _OTHERS.isdisjoint(tail)
    return _ABOUT.issuperset(tail) and all(_ABOUT.issuperset(_words(part)) for part in parts[:-1])


def _allows_until(gap: str) -> bool:
    """Whether nothing but the likes of "midnight on Friday the" stands in these words, or they
    end with such words after a "by"."""
    bare = gap.strip(" \n:")
    if _sentence_end.search(gap) or _line_or_label_end.search(bare):
        return False
    for word in reversed(_words(gap)):
        if word in _BY:
            return True
        if word not in _BETWEEN:
            return False
    return True


def _is_of_work(before: str) -> bool:
    """Whether the words before a cue deny it, or make it the deadline of some work."""
    words = _words(_last_break.split(before[-60:])[-1])[-3:]
    return not _NOT_BEFORE.isdisjoint(words) or (bool(words) and words[-1] in _WORKS)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _word.findall(text)]


def _meant(
    written: _Written, day_first: bool, country: str | None, posted_on: date | None, text: str
) -> date | None:
    """The day that is meant, null where that is ambiguous or cannot be."""
    readings = [(written.month, written.day)]
    if not written.is_ordered and written.month != written.day and not day_first:
        readings.append((written.day, written.month))
    days = [_dated(written.year, month, day, posted_on) for month, day in readings]
    possible = {place: day for place, day in enumerate(days) if day is not None}
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


def _dated(year: int | None, month: int, day: int, posted_on: date | None) -> date | None:
    """The day of that year or, without one, the next such day; null where no posting of that date
    announces it."""
    if posted_on is None:
        return _date(year, month, day) if year else None
    first = posted_on - EARLIEST if posted_on > date.min + EARLIEST else posted_on
    if year is None:
        days = (_date(first.year + later, month, day) for later in range(2))
        following = next((each for each in days if each and each >= first), None)
        is_near = following is not None and following - posted_on <= LATEST_WITHOUT_YEAR
        return following if is_near else None
    meant = _date(year, month, day)
    return meant if meant and first <= meant <= posted_on + LATEST else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_PHRASES = _VOCABULARY.unread.phrases
_phrase = re.compile(any_of(map(re.escape, _PHRASES)), re.IGNORECASE)
_UNREAD = (
    f"(?i){any_of(map(re.escape, _PHRASES))}(?s:.{{0,120}}?){any_of(_VOCABULARY.unread.hints)}"
)
_PASSAGE_BEFORE, _PASSAGE_AFTER = 200, 400
_MAX_PASSAGES = 4


def announces_no_day() -> pl.Expr:
    """Of postings with their ``deadline``: whether the description seems to announce a last day
    that the rules cannot read, such as "two weeks from today"."""
    return pl.col("deadline").is_null() & (
        pl.col("description").str.contains_any(_in_any_case(_PHRASES), ascii_case_insensitive=True)
        & pl.col("description").str.contains(_UNREAD)
    ).fill_null(value=False)


def passages(text: str) -> list[str]:
    """The first passages of a text that announce a last day, apart from each other."""
    ranges: list[tuple[int, int]] = []
    for match in _phrase.finditer(text):
        start, end = max(0, match.start() - _PASSAGE_BEFORE), match.end() + _PASSAGE_AFTER
        if ranges and start <= ranges[-1][1]:
            start = ranges[-1][1]
        if len(ranges) == _MAX_PASSAGES:
            break
        ranges.append((start, end))
    return [text[start:end] for start, end in ranges]


def can_be_quoted_for(quote: str, day: date, posted_on: date | None) -> bool:
    """Whether words that are said to state a day as the last one may do so: they write that day
    and no other, or announce one in words that are read elsewhere, and a posting of that date can
    mean it. Without that date the words must have the year."""
    if posted_on is None and str(day.year) not in quote:
        return False
    if _dated(day.year, day.month, day.day, posted_on) is None:
        return False
    days = list(_days(quote))
    if not days:
        return _phrase.search(quote) is not None
    return any(
        written.year in (None, day.year)
        and (day.month, day.day)
        in {
            (written.month, written.day),
            (written.month, written.day) if written.is_ordered else (written.day, written.month),
        }
        for written in days
    )
