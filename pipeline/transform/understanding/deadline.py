"""Until when a job can be applied for: the day that a text announces as the last one, or the
closing date among the fields of a source.

A day counts only near words that announce it (``vocabulary/deadline.toml``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, Evidence
from pipeline.transform.understanding.evidence_lists import evidence_of_rows
from pipeline.transform.understanding.written_days import (
    DATED,
    Written,
    days,
    in_reach,
    meant,
)
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


class _Vocabulary(Shape):
    boards_own_expiry: list[Word]
    cues: list[_Cues]
    unread: _Unread
    not_before: _Words
    works: _Words
    not_after: _Words
    others: _Words
    by: _Words
    between: _Words
    about: _Words


_VOCABULARY = read("deadline", _Vocabulary)
_BY = frozenset(_VOCABULARY.by.words)
_BETWEEN = frozenset(_VOCABULARY.between.words) | _BY
_ABOUT = _BETWEEN | frozenset(_VOCABULARY.about.words)
_OTHERS = frozenset(_VOCABULARY.others.words)
_NOT_BEFORE = frozenset(_VOCABULARY.not_before.words)
_WORKS = frozenset(_VOCABULARY.works.words)
_not_after = re.compile("|".join(_VOCABULARY.not_after.words), re.IGNORECASE)


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

_range = re.compile(
    r"\s{0,2}(?:-|–|—|to|until|through|till|bis|au|al|do|tot|til|a)\s{0,2}(?:the\s|zum\s|den\s)?\Z"
)
_sentence_end = re.compile(r"[!?;]|\.\s+(?=[A-ZÀ-Þ])|\.\s*\n")
_line_or_label_end = re.compile(r"\n|(?<=[^\W\d])\s*:")
_break = re.compile(r"[!?;\n]|[.:](?!\w)")
_word = re.compile(r"[^\W\d_]+")

_CONTEXT = 200
_GAP = 90


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
    given = pl.struct(
        "title",
        "description",
        "country",
        posted_on=pl.col("posted_at").dt.date(),
        closes_on=pl.when(~pl.col("source").is_in(_VOCABULARY.boards_own_expiry)).then(
            pl.col("expires_at").dt.date()
        ),
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
    dated = {"title": _dated(rows["title"]), "body": _dated(rows["description"])}
    may_announce = pl.Series([*dated["title"], *dated["body"]], dtype=rows["row"].dtype)
    found: list[list[Evidence] | None] = [None] * len(given)
    for row in rows.filter(
        pl.col("row").is_in(may_announce.implode()) | pl.col("closes_on").is_not_null()
    ).iter_rows(named=True):
        words = {origin: of_texts.get(row["row"]) for origin, of_texts in dated.items()}
        found[row["row"]] = _findings(row, words) or None
    return evidence_of_rows(found).alias(given.name)


def _dated(texts: pl.Series) -> dict[int, list[str]]:
    """All that may be a day in each text that has something which announces one, by its place."""
    rows = texts.str.contains(DATED).fill_null(value=False).arg_true()
    rows = rows.filter(texts.gather(rows).str.contains_any(_STEMS, ascii_case_insensitive=True))
    words = texts.gather(rows).str.extract_all(DATED)
    return dict(zip(rows.to_list(), words.to_list(), strict=True))


def _findings(row: dict[str, Any], dated: Mapping[str, list[str] | None]) -> list[Evidence]:
    posted_on: date | None = row["posted_on"]
    found: list[tuple[str, _Announced]] = []
    for origin, words in dated.items():
        if words:
            text = row["title" if origin == "title" else "description"]
            found += [(origin, each) for each in announced(text, row["country"], posted_on, words)]
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


def announced(
    text: str, country: str | None, posted_on: date | None, dated: Iterable[str] | None = None
) -> Iterator[_Announced]:
    """The last days to apply that a text announces, each once, in its order.

    Args:
        dated: all that :data:`DATED` finds in it, where that is known.
    """
    seen: set[date] = set()
    last: Written | None = None
    last_cue: tuple[int, bool, str] | None = None
    for written in days(text, dated):
        between = text[last.end : written.start] if last else None
        cue = None
        if between is not None and last_cue and len(between) < 12 and _range.search(between):
            cue = last_cue
        cue = cue or _cue(text, last.end if last else 0, written)
        last, last_cue = written, cue
        if cue is None:
            continue
        start, day_first, rule = cue
        day = meant(written, day_first, country, posted_on, text)
        if day is not None and day not in seen:
            seen.add(day)
            words = " ".join(text[start : written.end].split())[-MAX_WORDS_CHARS:]
            yield _Announced(day, words, rule, written.year is not None)


def _cue(text: str, after: int, written: Written) -> tuple[int, bool, str] | None:
    """Where the words begin that announce a day, whether their language writes the day first, and
    the name of the rule; null where nothing announces it."""
    begin = max(after, written.start - _CONTEXT)
    left, right = text[begin : written.start], text[written.end : written.end + 80]
    lowered = left.lower()
    if len(lowered) != len(left):  # Some letters grow, and places would be wrong.
        lowered = left
    sentence = _break.split(right, maxsplit=1)[0]
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
    words = _words(_break.split(before[-60:])[-1])[-3:]
    return not _NOT_BEFORE.isdisjoint(words) or (bool(words) and words[-1] in _WORKS)


def _words(text: str) -> list[str]:
    return [word.lower() for word in _word.findall(text)]


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
    if in_reach(day.year, day.month, day.day, posted_on) is None:
        return False
    stated = list(days(quote))
    if not stated:
        return _phrase.search(quote) is not None
    return any(
        written.year in (None, day.year)
        and (day.month, day.day)
        in {
            (written.month, written.day),
            (written.month, written.day) if written.is_ordered else (written.day, written.month),
        }
        for written in stated
    )
