"""What a job asks for beside skills: experience, a visa, a clearance (``requirements.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import polars as pl
from pydantic import Field

from pipeline.fields import YES_OR_NO
from pipeline.transform.understanding.cues import Cue, cues_of
from pipeline.transform.understanding.evidence import (
    EVIDENCE,
    MAX_WORDS_CHARS,
    Evidence,
    Origin,
)
from pipeline.transform.understanding.evidence_lists import of_rows
from pipeline.transform.understanding.windows import of_plain, plain_column
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, any_of, read


class _Years(Shape):
    units: list[Pattern]
    numbers: dict[str, int] = Field(min_length=1)
    experience: list[Pattern]
    work: list[Pattern]
    least: list[Pattern]
    up_to: list[Pattern]
    label: list[Pattern]
    not_before: list[Pattern]
    not_after: list[Pattern]
    employer: list[Pattern]
    candidate: list[Pattern]
    over: list[Pattern]
    wish_before: list[Pattern]
    wish_after: list[Pattern]
    wish_heading: list[PythonPattern]
    must_heading: list[PythonPattern]
    instead: list[Pattern]


class _Visa(Shape):
    cues: list[Pattern]
    unsaid: list[Pattern]
    no: list[Pattern]
    unless: list[Pattern]
    yes: list[Pattern]


class _Clearance(Shape):
    cues: list[Pattern]
    unsaid: list[Pattern]
    wish: list[Pattern]
    must: list[Pattern]
    no: list[Pattern]
    unless: list[Pattern]
    title: list[Pattern]
    yes: list[Pattern]


class _Requirements(Shape):
    years: _Years
    visa: _Visa
    clearance: _Clearance


_words = read("requirements", _Requirements)
_years, _visa, _clearance = _words.years, _words.visa, _words.clearance


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
_of_years = re.compile(_YEARS.replace("(?-u:", "(?:"), re.IGNORECASE)


def _rust(patterns: Iterable[str], form: str = "{}") -> str:
    """For Polars, over plain texts."""
    return of_plain(form.replace("{}", any_of(patterns)))


_experience = _rust(_years.experience)
_work = _rust(_years.work, r"^\W{0,3}{}")
_least = _rust(_years.least, r"\b{}\W{0,3}$")
_label = _rust(_years.label, rf"\b{{}}\W{{0,3}}(?:{any_of(_years.least)}\W{{0,3}})?$")
_up_to = _rust(_years.up_to, r"\b{}\W{0,3}$")
_not_before = _rust(_years.not_before, r"\b{}(?: the| of| a)?\W{0,3}$")
_not_after = _rust(_years.not_after, r"^[\W_]{0,3}{}")
_employer = _rust(_years.employer, r"\b{}")
_candidate = _rust(_years.candidate, r"\b{}")
_over = _rust(_years.over, r"\b{}\W{0,3}$")
_for_so_long = _rust(["(?:^|,) *for [^,]*$"])
_wish_before = _rust(_years.wish_before, r"\b{}")
_wish_after = _rust(_years.wish_after, r"[\s(,–-]{}\W*$")
_aside = _rust([r"\([^)]*\)?"])
_instead = _rust(_years.instead, r"{}\W{0,3}$")
_item = re.compile(r"\s*[-–*•●▪◦·]\s")
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

_visa_unsaid = _rust(_visa.unsaid)
_visa_no = _rust(_visa.no)
_visa_unless = _rust(_visa.unless)
_visa_yes = _rust(_visa.yes)

_visa_title_cue = f"(?i){any_of(_visa.cues)}"
_clearance_title_cue = f"(?i){any_of(_clearance.title)}"
_clearance_unsaid = _rust(_clearance.unsaid, r"\b{}|\?")
_clearance_wish = _rust(_clearance.wish)
_clearance_must = _rust(_clearance.must)
_clearance_no = _rust(_clearance.no)
_clearance_unless = _rust(_clearance.unless)
_clearance_title = _rust(_clearance.title, r"\b{}")
_clearance_yes = _rust(_clearance.yes)

_CUES = {"years": _YEARS, "visa": any_of(_visa.cues), "clearance": any_of(_clearance.cues)}
_any_cue = "(?i)" + "|".join(_CUES.values())
"""All at once: each pass over the bodies takes its time."""
_kinds = {
    kind: re.compile(pattern.replace("(?-u:", "(?:"), re.IGNORECASE)
    for kind, pattern in _CUES.items()
}

_NUMBERS = {"row": pl.UInt32, "least": pl.Int64, "most": pl.Int64, "is_open": pl.Boolean}
_FOUND = pl.Struct(
    {
        "low": pl.Int64(), "high": pl.Int64(), "visa": pl.String(), "clearance": pl.String(),
        "evidence": EVIDENCE,
    }
)  # fmt: skip


def with_requirements(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``years_experience_min``, ``years_experience_max``, ``visa_sponsorship`` and
    ``clearance_required``, each null where neither the title nor the description says so."""
    found = pl.col("_requirements").struct
    yes_or_no = pl.Enum(YES_OR_NO)
    read = pl.struct("title", "description").map_batches(_read_all, return_dtype=_FOUND)
    return (
        postings.with_columns(_requirements=read)
        .with_columns(
            years_experience_min=found.field("low"),
            years_experience_max=found.field("high"),
            visa_sponsorship=found.field("visa").cast(yes_or_no),
            clearance_required=found.field("clearance").cast(yes_or_no),
            _evidence_requirements=found.field("evidence"),
        )
        .drop("_requirements")
    )


def _read_all(postings: pl.Series) -> pl.Series:
    titles, texts = postings.struct.field("title"), postings.struct.field("description")
    cues = cues_of(texts, _any_cue)
    years = _experiences(_of_kind(cues, "years"))
    visa = _said(
        cues_of(titles, _visa_title_cue), _of_kind(cues, "visa"), _visa_in_title, _visa_in_text,
        "sponsorship",
    )  # fmt: skip
    clearance = _said(
        cues_of(titles, _clearance_title_cue), _of_kind(cues, "clearance"), _clearance_in_title,
        _clearance_in_text, "clearance",
    )  # fmt: skip
    answers: dict[int, dict[str, object]] = {}
    for row in {*years, *visa, *clearance}:
        low, high, of_years = _read_years(years.get(row, ()))
        sponsored, of_visa = _answer("visa_sponsorship", visa.get(row, ()))
        # One that asks for a clearance beats one that asks for none: the one to start with is
        # often none, the one to obtain is asked for.
        cleared, of_clearance = _answer(
            "clearance_required",
            sorted(
                clearance.get(row, ()), key=lambda one: (one.origin != "title", one.answer != "yes")
            ),
        )
        answers[row] = {
            "low": low, "high": high, "visa": sponsored, "clearance": cleared,
            "evidence": [*of_years, *of_visa, *of_clearance],
        }  # fmt: skip
    return of_rows(answers, len(postings), _FOUND).alias(postings.name)


def _of_kind(cues: Mapping[int, Sequence[Cue]], kind: str) -> dict[int, list[Cue]]:
    of_kind = {
        row: [cue for cue in found if _kind_of(cue.words) == kind] for row, found in cues.items()
    }
    return {row: found for row, found in of_kind.items() if found}


@lru_cache(maxsize=4_096)
def _kind_of(words: str) -> str:
    """Which of the :data:`_CUES` finds these words."""
    return next((kind for kind, pattern in _kinds.items() if pattern.fullmatch(words)), "")


class _Experience(NamedTuple):
    low: int | None
    high: int | None
    words: str
    labelled: bool


def _read_years(
    found: Sequence[_Experience],
) -> tuple[int | None, int | None, list[Evidence]]:
    """The experience that is asked for in total: what a label states, else the largest minimum
    that is required, since a total is no less than any of its parts."""
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


def _experiences(cues_there: Mapping[int, Sequence[Cue]]) -> dict[int, list[_Experience]]:
    """The experience that each text asks for, by the text's place; up to the first label."""
    cues: list[Cue] = []
    numbers: list[tuple[int, int, int | None, bool]] = []
    for row, found in cues_there.items():
        for cue in found:
            number = _number_of(cue.words)
            if number is not None and not (
                cue.text[cue.start - 1 : cue.start].isalnum() and _glued(cue)
            ):
                cues.append(cue)
                numbers.append((row, *number))
    said = (
        pl.DataFrame(numbers, _NUMBERS, orient="row")
        .with_columns(
            before=plain_column(
                pl.Series([cue.before for cue in cues], dtype=pl.String)
            ).str.strip_chars_start(" -*\t"),
            after=plain_column(pl.Series([cue.after for cue in cues], dtype=pl.String)),
        )
        .with_row_index("cue")
    )
    asked: dict[int, list[_Experience]] = {}
    for place, row, low, high, labelled in _asked_for(said).iter_rows():
        known = asked.setdefault(row, [])
        if len(known) == _MAX_CANDIDATES or (known and known[-1].labelled):
            continue
        cue = cues[place]
        if labelled or not _is_under_a_wish(cue):
            words = f"{cue.before[-_NEAR_CHARS:]}{cue.words}{cue.after[:_NEAR_CHARS]}"
            known.append(_Experience(low, high, words.strip(), labelled))
    return asked


def _asked_for(said: pl.DataFrame) -> pl.DataFrame:
    """Of numbers in sentences those that are years of experience, asked of the candidate."""
    before, after = pl.col("before"), pl.col("after")
    last, near, ahead = (
        before.str.tail(_LAST_CHARS),
        before.str.tail(_NEAR_CHARS),
        after.str.head(_NEAR_CHARS),
    )
    up_to = last.str.contains(_up_to)
    said = said.with_columns(
        low=pl.when(~up_to).then("least"),
        high=pl.when(up_to).then(pl.coalesce("most", "least")).otherwise("most"),
        is_open=pl.col("is_open") | before.str.ends_with("+"),
        labelled=near.str.contains(_label),
        at_least=last.str.contains(_least),
    )
    years = pl.coalesce("low", "high")
    is_experience = (
        ahead.str.contains(_experience)
        | near.str.contains(_experience)
        | ((pl.col("is_open") | pl.col("at_least")) & after.str.contains(_work))
    )
    counts_else = (
        after.str.strip_chars_start("' ").str.contains(_not_after)
        | ((years > _SURE_YEARS) & ~pl.col("at_least"))
        | last.str.contains(_not_before)
    )
    # "With over 20 years of experience, Initech is ..." against "Over 5 years of experience".
    of_candidate = (
        (years <= _SURE_OVER_YEARS)
        & ~before.str.contains(_for_so_long)
        & (~after.str.contains(",", literal=True) | after.str.contains(_candidate))
    )
    is_asked = (
        (before == "")
        | before.str.contains(_candidate)
        | (~before.str.contains(_employer) & (~last.str.contains(_over) | of_candidate))
    )
    is_wish = before.str.contains(_wish_before) | ahead.str.replace_all(_aside, "").str.contains(
        _wish_after
    )
    return said.filter(
        (pl.col("low").fill_null(0) <= MAX_YEARS)
        & (pl.col("high").fill_null(0) <= 2 * MAX_YEARS)
        & (pl.col("labelled") | (is_experience & ~counts_else & is_asked))
        & ~is_wish
        & ~last.str.contains(_instead)
    ).select("cue", "row", "low", "high", "labelled")


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


_PLAIN = pl.col("plain")
_visa_in_title = pl.when(_PLAIN.str.contains(_visa_no)).then(pl.lit("no"))
_visa_in_text = (
    pl.when(_PLAIN.str.contains(_visa_unsaid))
    .then(None)
    .when(_PLAIN.str.contains(_visa_no) & ~_PLAIN.str.contains(_visa_unless))
    .then(pl.lit("no"))
    .when(_PLAIN.str.contains(_visa_yes))
    .then(pl.lit("yes"))
)
_clearance_in_title = (
    pl.when(~_PLAIN.str.contains(_clearance_title) | _PLAIN.str.contains(_clearance_unsaid))
    .then(None)
    .when(_PLAIN.str.contains(_clearance_no))
    .then(pl.lit("no"))
    .otherwise(pl.lit("yes"))
)
_clearance_in_text = (
    pl.when(
        _PLAIN.str.contains(_clearance_unsaid)
        | (_PLAIN.str.contains(_clearance_wish) & ~_PLAIN.str.contains(_clearance_must))
    )
    .then(None)
    .when(_PLAIN.str.contains(_clearance_no) & ~_PLAIN.str.contains(_clearance_unless))
    .then(pl.lit("no"))
    .when(_PLAIN.str.contains(_clearance_unless) | _PLAIN.str.contains(_clearance_yes))
    .then(pl.lit("yes"))
)


def _said(
    in_titles: Mapping[int, Sequence[Cue]],
    in_texts: Mapping[int, Sequence[Cue]],
    of_title: pl.Expr,
    of_sentence: pl.Expr,
    rule: str,
) -> dict[int, list[_Said]]:
    """What titles, and the sentences of texts around their cues, answer, by their places."""
    of_titles = [(row, cues[0].text) for row, cues in in_titles.items()]
    sentences = [
        (row, sentence)
        for row, cues in in_texts.items()
        for sentence in dict.fromkeys(map(_with_value, cues))
    ]
    said: dict[int, list[_Said]] = {}
    given: tuple[tuple[Origin, list[tuple[int, str]], pl.Expr], ...] = (
        ("title", of_titles, of_title),
        ("body", sentences, of_sentence),
    )
    for origin, stretches, answer in given:
        if not stretches:
            continue
        read_ones = pl.DataFrame(stretches, {"row": pl.UInt32, "words": pl.String}, orient="row")
        plain = plain_column(read_ones["words"]).alias("plain")
        answered = read_ones.with_columns(plain).with_columns(answer=answer).drop_nulls("answer")
        for row, words, yes_or_no in answered.select("row", "words", "answer").iter_rows():
            name = rule if yes_or_no == "yes" else f"no {rule}"
            said.setdefault(row, []).append(_Said(yes_or_no, origin, words, name))
    return said


def _with_value(cue: Cue) -> str:
    """The sentence of a cue, with the next line where it is a label."""
    sentence = cue.sentence
    if not cue.after.rstrip().endswith(":"):
        return sentence
    begin = cue.start + len(cue.words) + len(cue.after)
    value = cue.text[begin : begin + _NEAR_CHARS].strip().split("\n", 1)[0]
    return f"{sentence.rstrip()} {value}"


def _answer(field: str, said: Sequence[_Said]) -> tuple[str | None, list[Evidence]]:
    """The first answer, and a finding for the first of each answer in title and body."""
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
