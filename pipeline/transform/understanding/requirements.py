"""What a job asks for beside skills: experience, a visa, a clearance (``requirements.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import polars as pl
from pydantic import Field

from pipeline.fields import YES_OR_NO
from pipeline.transform.understanding.cues import Cue, of_cues
from pipeline.transform.understanding.evidence import (
    EVIDENCE,
    MAX_WORDS_CHARS,
    Evidence,
    Origin,
)
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, any_of, read


class _Years(Shape):
    units: list[Pattern]
    numbers: dict[str, int] = Field(min_length=1)
    experience: list[PythonPattern]
    work: list[PythonPattern]
    least: list[PythonPattern]
    up_to: list[PythonPattern]
    label: list[PythonPattern]
    not_before: list[PythonPattern]
    not_after: list[PythonPattern]
    employer: list[PythonPattern]
    candidate: list[PythonPattern]
    over: list[PythonPattern]
    wish_before: list[PythonPattern]
    wish_after: list[PythonPattern]
    wish_heading: list[PythonPattern]
    must_heading: list[PythonPattern]
    instead: list[PythonPattern]


class _Visa(Shape):
    cues: list[Pattern]
    unsaid: list[PythonPattern]
    no: list[PythonPattern]
    unless: list[PythonPattern]
    yes: list[PythonPattern]


class _Clearance(Shape):
    cues: list[Pattern]
    unsaid: list[PythonPattern]
    wish: list[PythonPattern]
    must: list[PythonPattern]
    no: list[PythonPattern]
    unless: list[PythonPattern]
    title: list[PythonPattern]
    yes: list[PythonPattern]


class _Requirements(Shape):
    years: _Years
    visa: _Visa
    clearance: _Clearance


_words = read("requirements", _Requirements)
_years, _visa, _clearance = _words.years, _words.visa, _words.clearance


def _compiled(patterns: Iterable[str], form: str = "{}") -> re.Pattern[str]:
    """For sentences in lower case: Python is far slower where it has to disregard case."""
    return re.compile(form.replace("{}", any_of(patterns)))


_DASH = r"(?:-|–|—|−|to|or|bis|à|a|do|y|e|tot|till|until|und|and)"
_WORDS = "|".join(sorted(_years.numbers, key=len, reverse=True))
_NUMBER = rf"(?:\d{{1,2}}|(?-u:\b)(?:{_WORDS}))"
_GAP = "[ \u00a0]?"
_COUNT = rf"(?P<low>{_NUMBER})(?:{_GAP}\(\d{{1,2}}\))?{_GAP}(?P<plus>\+)?"
_SPAN = rf"(?:{_GAP}{_DASH}{_GAP}(?P<high>{_NUMBER})(?:{_GAP}\(\d{{1,2}}\))?)?"
_MORE = rf"(?P<more>{_GAP}\+|{_GAP}(?:or more|or above|and above|plus|oder mehr|o m[áa]s))?"
_YEARS = (
    rf"{_COUNT}{_SPAN}{_MORE}{_GAP}(?:full |solid |whole |pełne )?{any_of(_years.units)}(?-u:\b)"
    rf"(?P<after>{_GAP}\+|[ \u00a0](?:plus|or more|and above)(?-u:\b))?"
)
_years_cue = rf"(?i){_YEARS}"
_of_years = re.compile(_YEARS.replace("(?-u:", "(?:"), re.IGNORECASE)

_experience = _compiled(_years.experience)
_work = _compiled(_years.work, r"\W{0,3}{}")
_least = _compiled(_years.least, r"\b{}\W{0,3}$")
_label = _compiled(_years.label, rf"\b{{}}\W{{0,3}}(?:{any_of(_years.least)}\W{{0,3}})?$")
_up_to = _compiled(_years.up_to, r"\b{}\W{0,3}$")
_not_before = _compiled(_years.not_before, r"\b{}(?: the| of| a)?\W{0,3}$")
_not_after = _compiled(_years.not_after, r"[\W_]{0,3}{}")
_employer = _compiled(_years.employer, r"\b{}")
_candidate = _compiled(_years.candidate, r"\b{}")
_over = _compiled(_years.over, r"\b{}\W{0,3}$")
_wish_before = _compiled(_years.wish_before, r"\b{}")
_wish_after = _compiled(_years.wish_after, r"[\s(,–-]{}\W*$")
_item = re.compile(r"\s*[-–*•●▪◦·]\s")
_aside = re.compile(r"\([^)]*\)?")
_instead = _compiled(_years.instead, r"{}\W{0,3}$")
_heading = re.compile(
    rf"\W{{0,6}}(?:\w[\w’'-]* ){{0,4}}?(?:(?P<wish>{any_of(_years.wish_heading)})"
    rf"|{any_of(_years.must_heading)})[^.]{{0,40}}$"
)

MAX_YEARS = 20
"""More is the age of a firm, not what is asked of a person."""
_SURE_YEARS = 15
"""More is believed where it is a minimum in so many words."""
_SURE_OVER_YEARS = 12
_SECTION_CHARS = 1_500
_NEAR_CHARS = 80
_LAST_CHARS = 40
_MAX_HEADING_CHARS = 60
_MAX_LINES = 40
_MAX_CANDIDATES = 8

_visa_cue = f"(?i){any_of(_visa.cues)}"
_visa_unsaid = _compiled(_visa.unsaid)
_visa_no = _compiled(_visa.no)
_visa_unless = _compiled(_visa.unless)
_visa_yes = _compiled(_visa.yes)

_clearance_cue = f"(?i){any_of(_clearance.cues)}"
_clearance_title_cue = f"(?i){any_of(_clearance.title)}"
_clearance_unsaid = _compiled(_clearance.unsaid, r"\b{}|\?")
_clearance_wish = _compiled(_clearance.wish)
_clearance_must = _compiled(_clearance.must)
_clearance_no = _compiled(_clearance.no)
_clearance_unless = _compiled(_clearance.unless)
_clearance_title = _compiled(_clearance.title, r"\b{}")
_clearance_yes = _compiled(_clearance.yes)

_FOUND = pl.Struct(
    {
        "low": pl.Int64(), "high": pl.Int64(), "visa": pl.String(), "clearance": pl.String(),
        "evidence": EVIDENCE,
    }
)  # fmt: skip


def with_requirements(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``years_experience_min``, ``years_experience_max``, ``visa_sponsorship`` and
    ``clearance_required``, each null where neither the title nor the description says so."""
    text, title = pl.col("description"), pl.col("title")
    looked_for = {
        "years": (text, _years_cue),
        "visa": (text, _visa_cue),
        "clearance": (text, _clearance_cue),
        "visa in title": (title, _visa_cue),
        "clearance in title": (title, _clearance_title_cue),
    }
    found = pl.col("_requirements").struct
    yes_or_no = pl.Enum(YES_OR_NO)
    return (
        postings.with_columns(_requirements=of_cues(looked_for, _read, _FOUND))
        .with_columns(
            years_experience_min=found.field("low"),
            years_experience_max=found.field("high"),
            visa_sponsorship=found.field("visa").cast(yes_or_no),
            clearance_required=found.field("clearance").cast(yes_or_no),
            _evidence_requirements=found.field("evidence"),
        )
        .drop("_requirements")
    )


def _read(cues: Mapping[str, Sequence[Cue]]) -> dict[str, object]:
    low, high, years = _read_years(cues["years"])
    visa, of_visa = _answer(
        "visa_sponsorship", _visa_in_title(cues["visa in title"]), _visa_in_body(cues["visa"])
    )
    clearance, of_clearance = _answer(
        "clearance_required",
        _clearance_in_title(cues["clearance in title"]),
        _clearance_in_body(cues["clearance"]),
    )
    return {
        "low": low, "high": high, "visa": visa, "clearance": clearance,
        "evidence": [*years, *of_visa, *of_clearance],
    }  # fmt: skip


class _Experience(NamedTuple):
    low: int | None
    high: int | None
    words: str
    labelled: bool


def _read_years(cues: Sequence[Cue]) -> tuple[int | None, int | None, list[Evidence]]:
    """The experience that is asked for in total: what a label states, else the largest minimum
    that is required, since a total is no less than any of its parts."""
    found: list[_Experience] = []
    for cue in cues:
        if (experience := _experience_of(cue)) is not None:
            found.append(experience)
            if experience.labelled or len(found) == _MAX_CANDIDATES:
                break
    if not found:
        return None, None, []
    decisive = next((one for one in found if one.labelled), None) or max(
        found, key=lambda one: -1 if one.low is None else one.low
    )
    evidence: list[Evidence] = []
    for one in found:
        # A lower number beside the total is a part of it and contradicts nothing.
        if one is decisive or one.low == decisive.low:
            rule = "labelled experience" if one.labelled else "years of experience"
            for field, value in (
                ("years_experience_min", one.low), ("years_experience_max", one.high),
            ):  # fmt: skip
                if value is not None:
                    evidence.append(_finding(field, str(value), one.words, rule, one is decisive))
    return decisive.low, decisive.high, evidence


class _Number(NamedTuple):
    """A number of years: from the least on, up to the most, or open to more."""

    least: int
    most: int | None
    is_open: bool


@lru_cache(maxsize=4_096)
def _number_of(words: str) -> _Number | None:
    match = _of_years.match(words)
    if match is None:
        return None
    least = _number(match["low"])
    most = None if match["high"] is None else _number(match["high"])
    if most is not None and (most <= least or match["after"]):
        most = None
    is_open = any(match[name] for name in ("plus", "more", "after", "high"))
    return _Number(least, most, is_open)


def _experience_of(cue: Cue) -> _Experience | None:
    number = _number_of(cue.words)
    if number is None or (cue.text[cue.start - 1 : cue.start].isalnum() and _glued(cue)):
        return None
    least, high, is_open = number
    is_open = is_open or cue.before.endswith("+")
    low: int | None = least
    before, after = cue.before.lower().lstrip(" -*–\t"), cue.after.lower()
    if before and _up_to.search(before[-_LAST_CHARS:]):
        low, high = None, high or least
    if (low or 0) > MAX_YEARS or (high or 0) > 2 * MAX_YEARS:
        return None
    labelled = before != "" and _label.search(before[-_NEAR_CHARS:]) is not None
    if not labelled and not _is_asked_for(before, after, low or high or 0, is_open):
        return None
    if (before and _wish_before.search(before)) or _wish_after.search(
        _aside.sub("", after[:_NEAR_CHARS])
    ):
        return None
    if (before and _instead.search(before[-_LAST_CHARS:])) or (
        not labelled and _is_under_a_wish(cue)
    ):
        return None
    words = f"{cue.before[-_NEAR_CHARS:]}{cue.words}{cue.after[:_NEAR_CHARS]}"
    return _Experience(low, high, words.strip(), labelled)


def _is_asked_for(before: str, after: str, years: int, spanned: bool) -> bool:
    """Whether the number in a sentence is one of years of experience, asked of the candidate."""
    if _not_after.match(after.lstrip("’' ")):
        return False
    last = before[-_LAST_CHARS:]
    least = last != "" and _least.search(last) is not None
    if (years > _SURE_YEARS and not least) or (last and _not_before.search(last)):
        return False
    said = _experience.search(after[:_NEAR_CHARS]) or (
        last and _experience.search(before[-_NEAR_CHARS:])
    )
    if not said and not ((spanned or least) and _work.match(after)):
        return False
    if not last or _candidate.search(before):
        return True
    if _employer.search(before):
        return False
    if _over.search(last):
        # "With over 20 years of experience, Initech is ..." against "Over 5 years of experience".
        begins = before.rsplit(",", 1)[-1].lstrip()
        return (
            years <= _SURE_OVER_YEARS
            and not begins.startswith("for ")
            and ("," not in after or _candidate.search(after) is not None)
        )
    return True


def _is_under_a_wish(cue: Cue) -> bool:
    """Whether the last heading in front of it is one of wishes rather than of requirements."""
    section = cue.text[max(0, cue.start - _SECTION_CHARS) : cue.start - len(cue.before)]
    for line in section.lower().split("\n")[:-_MAX_LINES:-1]:
        if not 0 < len(line) < _MAX_HEADING_CHARS or (
            _item.match(line) is not None and not line.endswith(":")
        ):
            continue
        if (heading := _heading.match(line)) is not None:
            return heading["wish"] is not None
    return False


def _glued(cue: Cue) -> bool:
    """Whether a number goes on in front of the cue. A letter may stand there: plain text that was
    made of markup lacks blanks between blocks."""
    return cue.text[cue.start - 1].isdigit() or not cue.words[0].isdigit()


def _number(words: str) -> int:
    return int(words) if words.isdecimal() else _years.numbers[words.lower()]


class _Said(NamedTuple):
    answer: str
    origin: Origin
    words: str
    rule: str


def _visa_in_title(cues: Sequence[Cue]) -> list[_Said]:
    if not cues or not _visa_no.search(cues[0].text.lower()):
        return []
    return [_Said("no", "title", cues[0].text, "no sponsorship")]


def _clearance_in_title(cues: Sequence[Cue]) -> list[_Said]:
    if not cues:
        return []
    title = cues[0].text.lower()
    if not _clearance_title.search(title) or _clearance_unsaid.search(title):
        return []
    if _clearance_no.search(title):
        return [_Said("no", "title", cues[0].text, "no clearance")]
    return [_Said("yes", "title", cues[0].text, "clearance")]


def _visa_in_body(cues: Sequence[Cue]) -> list[_Said]:
    """The first sentence that answers decides; one that says otherwise is kept beside it."""
    said = []
    for sentence in _sentences(cues):
        lower = sentence.lower()
        if _visa_unsaid.search(lower):
            continue
        if _visa_no.search(lower) and not _visa_unless.search(lower):
            said.append(_Said("no", "body", sentence, "no sponsorship"))
        elif _visa_yes.search(lower):
            said.append(_Said("yes", "body", sentence, "sponsorship"))
    return said


def _clearance_in_body(cues: Sequence[Cue]) -> list[_Said]:
    """A sentence that asks for a clearance beats one that asks for none: the one to start with is
    often none, the one to obtain is asked for."""
    said = []
    for sentence in _sentences(cues):
        lower = sentence.lower()
        if _clearance_unsaid.search(lower):
            continue
        if _clearance_wish.search(lower) and not _clearance_must.search(lower):
            continue
        if _clearance_no.search(lower) and not _clearance_unless.search(lower):
            said.append(_Said("no", "body", sentence, "no clearance"))
        elif _clearance_unless.search(lower) or _clearance_yes.search(lower):
            said.append(_Said("yes", "body", sentence, "clearance"))
    return sorted(said, key=lambda one: one.answer != "yes")


def _sentences(cues: Sequence[Cue]) -> list[str]:
    return list(dict.fromkeys(_with_value(cue) for cue in cues))


def _with_value(cue: Cue) -> str:
    """The sentence of a cue, with the next line where it is a label."""
    sentence = cue.sentence
    if not cue.after.rstrip().endswith(":"):
        return sentence
    begin = cue.start + len(cue.words) + len(cue.after)
    value = cue.text[begin : begin + _NEAR_CHARS].strip().split("\n", 1)[0]
    return f"{sentence.rstrip()} {value}"


def _answer(
    field: str, in_title: Sequence[_Said], in_body: Sequence[_Said]
) -> tuple[str | None, list[Evidence]]:
    """The first answer, and a finding for the first of each answer in title and body."""
    said = [*in_title, *in_body]
    if not said:
        return None, []
    first_of_each = {(one.answer, one.origin): one for one in reversed(said)}
    return said[0].answer, [
        _finding(
            field, one.answer, one.words.strip(), one.rule, one.answer == said[0].answer, one.origin
        )
        for one in said
        if first_of_each[one.answer, one.origin] is one
    ]


def _finding(
    field: str, value: str, words: str, rule: str, decides: bool, origin: Origin = "body"
) -> Evidence:
    return {
        "field": field, "value": value, "origin": origin, "words": words[:MAX_WORDS_CHARS],
        "rule": rule, "decides": decides,
    }  # fmt: skip
