"""What a job asks for beside skills: experience, a visa, a clearance (``requirements.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl
from pydantic import Field

from pipeline.fields import YES_OR_NO
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding.cues import Cue, of_cues
from pipeline.transform.understanding.evidence import (
    EVIDENCE,
    MAX_WORDS_CHARS,
    Evidence,
    finding,
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
_NUMBER = rf"(?:\d{{1,2}}|{'|'.join(sorted(_years.numbers, key=len, reverse=True))})"
_COUNT = rf"(?P<low>{_NUMBER})(?:\s?\(\d{{1,2}}\))?\s?(?P<plus>\+)?"
_SPAN = rf"(?:\s?{_DASH}\s?(?P<high>{_NUMBER})(?:\s?\(\d{{1,2}}\))?)?"
_MORE = r"(?P<more>\s?\+|\s?(?:or more|or above|and above|plus|oder mehr|o m[áa]s))?"
_YEARS = (
    rf"{_COUNT}{_SPAN}{_MORE}\s?(?:full |solid |whole |pełne )?{any_of(_years.units)}(?-u:\b)"
    rf"(?P<after>\s?\+|\s(?:plus|or more|and above)(?-u:\b))?"
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
_instead = _compiled(_years.instead, r"{}\W{0,3}$")
_heading = re.compile(
    rf"\W{{0,6}}(?:\w[\w’'-]* ){{0,4}}?(?:(?P<wish>{any_of(_years.wish_heading)})"
    rf"|{any_of(_years.must_heading)})[^.]{{0,40}}$"
)
_bullet = re.compile(r"[\W_]*")

MAX_YEARS = 20
"""More is the age of a firm, not what is asked of a person."""
_SURE_YEARS = 15
"""More is believed where it is a minimum in so many words."""
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
_clearance_no = _compiled(_clearance.no)
_clearance_unless = _compiled(_clearance.unless)
_clearance_title = _compiled(_clearance.title, r"\b{}")
_clearance_yes = _compiled(_clearance.yes)

_YEARS_FOUND = pl.Struct({"low": pl.Int64(), "high": pl.Int64(), "evidence": EVIDENCE})
_ANSWER_FOUND = pl.Struct({"value": pl.String(), "evidence": EVIDENCE})


def with_requirements(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``years_experience_min``, ``years_experience_max``, ``visa_sponsorship`` and
    ``clearance_required``, each null where the description does not say so."""
    text, title = pl.col("description"), pl.col("title")
    empty = pl.lit([], dtype=EVIDENCE)
    in_title = {
        "visa_sponsorship": of_distinct(_where(title, _visa_cue), _read_visa_in_title),
        "clearance_required": of_distinct(
            _where(title, _clearance_title_cue), _read_clearance_in_title
        ),
    }
    postings = postings.with_columns(
        _years=of_cues(text, _years_cue, _read_years, _YEARS_FOUND),
        _visa_sponsorship=of_cues(text, _visa_cue, _read_visa, _ANSWER_FOUND),
        _clearance_required=of_cues(text, _clearance_cue, _read_clearance, _ANSWER_FOUND),
        **{f"_title_{field}": answer for field, answer in in_title.items()},
    ).with_columns(
        years_experience_min=pl.col("_years").struct.field("low"),
        years_experience_max=pl.col("_years").struct.field("high"),
        **{
            field: pl.coalesce(f"_title_{field}", pl.col(f"_{field}").struct.field("value")).cast(
                pl.Enum(YES_OR_NO)
            )
            for field in in_title
        },
    )
    return postings.with_columns(
        _evidence_requirements=pl.concat_list(
            pl.col("_years").struct.field("evidence").fill_null(empty),
            *(
                found.fill_null(empty)
                for field in in_title
                for found in (
                    finding(
                        field, pl.col(f"_title_{field}"), "title", title, "stated in the title"
                    ),
                    _contradicted(field),
                )
            ),
        )
    ).drop("_years", *(f"{kind}_{field}" for field in in_title for kind in ("", "_title")))


def _where(title: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(title.str.contains(pattern)).then(title)


def _contradicted(field: str) -> pl.Expr:
    """The findings in the description; those that the title contradicts decide nothing."""
    found = pl.col(f"_{field}").struct.field("evidence")
    named = pl.element().struct
    weaker = found.list.eval(named.with_fields(decides=pl.lit(value=False)))
    contradicts = pl.col(f"_title_{field}") != pl.col(f"_{field}").struct.field("value")
    return pl.when(contradicts.fill_null(value=False)).then(weaker).otherwise(found)


class _Experience(NamedTuple):
    low: int | None
    high: int | None
    words: str
    labelled: bool


def _read_years(cues: Sequence[Cue]) -> dict[str, object] | None:
    """The experience that is asked for in total: what a label states, else the largest minimum
    that is required, since a total is no less than any of its parts."""
    found: list[_Experience] = []
    for cue in cues:
        if (experience := _experience_of(cue)) is not None:
            found.append(experience)
            if experience.labelled or len(found) == _MAX_CANDIDATES:
                break
    if not found:
        return None
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
    return {"low": decisive.low, "high": decisive.high, "evidence": evidence}


def _experience_of(cue: Cue) -> _Experience | None:
    match = _of_years.match(cue.words)
    if match is None or (cue.text[cue.start - 1 : cue.start].isalnum() and _glued(cue)):
        return None
    least = _number(match["low"])
    most = None if match["high"] is None else _number(match["high"])
    open_ended = any(
        match[name] for name in ("plus", "more", "after", "high")
    ) or cue.before.endswith("+")
    low: int | None = least
    high = most if most is not None and most > least else None
    if _up_to.search(cue.before[-_LAST_CHARS:].lower()):
        low, high = None, high or least
    if (low or 0) > MAX_YEARS or (high or 0) > 2 * MAX_YEARS:
        return None
    before, after = cue.before.lower(), cue.after.lower()
    labelled = _label.search(before[-_NEAR_CHARS:]) is not None
    if not labelled and not _is_asked_for(before, after, low or high or 0, open_ended):
        return None
    if _wish_before.search(before) or _wish_after.search(after[:_NEAR_CHARS]):
        return None
    if _instead.search(before[-_LAST_CHARS:]) or (not labelled and _is_under_a_wish(cue)):
        return None
    words = f"{cue.before[-_NEAR_CHARS:]}{cue.words}{cue.after[:_NEAR_CHARS]}"
    return _Experience(low, None if match["after"] else high, words.strip(), labelled)


def _is_asked_for(before: str, after: str, years: int, spanned: bool) -> bool:
    """Whether the number in a sentence is one of years of experience, asked of the candidate."""
    least = _least.search(before[-_LAST_CHARS:]) is not None
    if (years > _SURE_YEARS and not least) or _not_before.search(before[-_LAST_CHARS:]):
        return False
    near = after[:_NEAR_CHARS]
    if _not_after.match(after.lstrip("’' ")):
        return False
    said = _experience.search(near) or _experience.search(before[-_NEAR_CHARS:])
    if not said and not ((spanned or least) and _work.match(after)):
        return False
    candidate = _candidate.search(before) is not None
    if _employer.search(before) and not candidate:
        return False
    if _over.search(before[-_LAST_CHARS:]) and not candidate:
        # "With over 20 years of experience, Initech is ..." against "Over 5 years of experience".
        start = _bullet.sub("", before.split(",")[-1], count=1)
        if years > 12 or ("," in after and not _candidate.search(after)):
            return False
        return not start.startswith("for ")
    return True


def _is_under_a_wish(cue: Cue) -> bool:
    """Whether the last heading in front of it is one of wishes rather than of requirements."""
    section = cue.text[max(0, cue.start - _SECTION_CHARS) : cue.start - len(cue.before)]
    for line in section.lower().split("\n")[:-_MAX_LINES:-1]:
        if 0 < len(line) < _MAX_HEADING_CHARS and (heading := _heading.match(line)) is not None:
            return heading["wish"] is not None
    return False


def _glued(cue: Cue) -> bool:
    """Whether a number goes on in front of the cue. A letter may stand there: plain text that was
    made of markup lacks blanks between blocks."""
    return cue.text[cue.start - 1].isdigit() or not cue.words[0].isdigit()


def _number(words: str) -> int:
    return int(words) if words.isdecimal() else _years.numbers[words.lower()]


def _read_visa(cues: Sequence[Cue]) -> dict[str, object] | None:
    """The first sentence that answers decides; one that says otherwise is kept beside it."""
    answers: list[tuple[str, str, str]] = []
    for sentence in _sentences(cues):
        lower = sentence.lower()
        if _visa_unsaid.search(lower):
            continue
        if _visa_no.search(lower) and not _visa_unless.search(lower):
            answers.append(("no", sentence, "no sponsorship"))
        elif _visa_yes.search(lower):
            answers.append(("yes", sentence, "sponsorship"))
    return _answer("visa_sponsorship", answers)


def _read_clearance(cues: Sequence[Cue]) -> dict[str, object] | None:
    """A sentence that asks for a clearance beats one that asks for none: the one to start with is
    often none, the one to obtain is asked for."""
    answers: list[tuple[str, str, str]] = []
    for sentence in _sentences(cues):
        lower = sentence.lower()
        if _clearance_unsaid.search(lower) or _clearance_wish.search(lower):
            continue
        if _clearance_no.search(lower) and not _clearance_unless.search(lower):
            answers.append(("no", sentence, "no clearance"))
        elif _clearance_unless.search(lower) or _clearance_yes.search(lower):
            answers.append(("yes", sentence, "clearance"))
    return _answer("clearance_required", sorted(answers, key=lambda one: one[0] != "yes"))


def _read_clearance_in_title(title: str) -> str | None:
    title = title.lower()
    if not _clearance_title.search(title) or _clearance_unsaid.search(title):
        return None
    return "no" if _clearance_no.search(title) else "yes"


def _read_visa_in_title(title: str) -> str | None:
    return "no" if _visa_no.search(title.lower()) else None


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


def _answer(field: str, answers: Sequence[tuple[str, str, str]]) -> dict[str, object] | None:
    if not answers:
        return None
    value = answers[0][0]
    first_of_each = {answer: (words, rule) for answer, words, rule in reversed(answers)}
    return {
        "value": value,
        "evidence": [
            _finding(field, answer, words.strip(), rule, answer == value)
            for answer, (words, rule) in sorted(
                first_of_each.items(), key=lambda item: item[0] != value
            )
        ],
    }


def _finding(field: str, value: str, words: str, rule: str, decides: bool) -> Evidence:
    return {
        "field": field, "value": value, "origin": "body", "words": words[:MAX_WORDS_CHARS],
        "rule": rule, "decides": decides,
    }  # fmt: skip
