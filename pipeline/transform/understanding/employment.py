"""The kind of employment, in one vocabulary (``employment.toml``): of the source's field, the title
and the description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, NamedTuple

import polars as pl

from pipeline.fields import EMPLOYMENT_TYPES
from pipeline.transform.understanding.cues import (
    Cue,
    cues_of,
    folded,
    folded_column,
)
from pipeline.transform.understanding.evidence import (
    EVIDENCE,
    MAX_WORDS_CHARS,
    Evidence,
    Origin,
)
from pipeline.transform.understanding.evidence_lists import structs
from pipeline.transform.understanding.windows import of_plain
from pipeline.transform.vocabulary import Pattern, PythonPattern, Shape, any_of, one_of, read

_Kind = Annotated[str, one_of(EMPLOYMENT_TYPES)]


class _Title(Shape):
    none: list[PythonPattern]


class _Body(Shape):
    labels: list[Pattern]
    words: list[Pattern]
    undoubted: list[PythonPattern]
    label_before: list[PythonPattern]
    ours: list[PythonPattern]
    on_a: list[PythonPattern]
    basis: list[PythonPattern]
    role: list[PythonPattern]
    seeking: list[PythonPattern]
    goes_on: list[PythonPattern]
    ending: list[PythonPattern]
    ir35: list[PythonPattern]
    noun: list[PythonPattern]
    another: list[PythonPattern]
    otherwise: list[PythonPattern]
    subject: list[PythonPattern]
    length: PythonPattern
    until: PythonPattern
    beside: list[PythonPattern]


class _Employment(Shape):
    unstated: list[str]
    order: list[_Kind]
    permanent: list[PythonPattern]
    employed: list[PythonPattern]
    kinds: dict[_Kind, list[PythonPattern]]
    title: _Title
    body: _Body


_words = read("employment", _Employment)
_body = _words.body
_unstated = frozenset(_words.unstated)
_PERMANENT = "PERMANENT"
"""Stands for permanent employment until it is known whether it is part-time."""
_EMPLOYED = "EMPLOYED"
"""Stands for employment of which no more is said."""
_ASSUMED = frozenset((_PERMANENT, _EMPLOYED))
_UNLIKE_PERMANENT = frozenset(("PARTTIME", "INTERN", "TEMPORARY", "VOLUNTEER"))
_patterns = [
    (_PERMANENT, _words.permanent),
    (_EMPLOYED, _words.employed),
    *((kind, _words.kinds[kind]) for kind in _words.order),
]
_kinds = re.compile(
    r"\b(?:" + "|".join(f"(?P<{kind}>{any_of(patterns)})" for kind, patterns in _patterns) + r")\b"
)
_title_cue = of_plain(rf"\b{any_of(pattern for _, patterns in _patterns for pattern in patterns)}")
_denied = re.compile(r"\b(?:not|non|no|kein\w*) (?:an? )?\w+(?: time)?")
_separators = re.compile(r"[,;/|&+\n]|\b(?:and|or|und|oder|et|ou|y|e|o)\b")
_no_word = re.compile(r"[\W_]+")
_MAX_CHARS = 200

_title_none = re.compile(rf"\b{any_of(_words.title.none)}\b")

_body_cue = (
    rf"(?i)(?:(?-u:\b){any_of(_body.labels)}\s?[:–]|(?-i:[A-Za-z]Type:)"
    rf"|(?-u:\b){any_of(_body.words)}(?-u:\b))"
)
_undoubted = re.compile(rf"\b{any_of(_body.undoubted)}\b")
_label_before = re.compile(rf"\b{any_of(_body.label_before)}$")
_ours = re.compile(rf"\b{any_of(_body.ours)}(?: [\w-]+){{0,4}}? ?$")
_noun = re.compile(rf" ?(?:[\w-]+ ){{0,4}}?{any_of(_body.noun)}\b")
_another = re.compile(rf"\b{any_of(_body.another)}\b")
_otherwise = re.compile(rf" ?{any_of(_body.otherwise)}\b")
_subject = re.compile(rf" ?{any_of(_body.subject)}\b")
_length = re.compile(_body.length)
_length_before = re.compile(rf"\b{_body.length} (?:[\w-]+ ){{0,2}}?$")
_until = re.compile(_body.until)
_beside = re.compile(rf"\b{any_of(_body.beside)}\b")
_parts = re.compile(r"[|/•·,;()\[\]:]|\s[–—-]\s")
_glued = re.compile(r"(?<=[a-zß-ÿ0-9])(?=[A-ZÀ-Þ][a-z])")
_seeking = re.compile(rf"\b{any_of(_body.seeking)}(?: [\w-]+){{0,4}}? ?$")
_on_a = re.compile(rf"\b{any_of(_body.on_a)}(?: [\w-]+){{0,3}}$")
_basis = re.compile(rf"(?:[\w-]+ ){{0,2}}?{any_of(_body.basis)}\b")
_role = re.compile(rf"{any_of(_body.role)}\b")
_goes_on = re.compile(rf"{any_of(_body.goes_on)}(?!\w)")
_ending = re.compile(any_of(_body.ending))
_ir35 = re.compile(rf"\W*{any_of(_body.ir35)}\b")
_both_hours = re.compile(
    r"\b(voll|full|part)\s?-?\s?(?:/|oder|or|und|and)\s?-?\s?(?=teilzeit|part|full)"
)
_BOTH = {"voll": "vollzeit, ", "full": "full time, ", "part": "part time, "}
_MAY_END = frozenset(("contract", "fixed term", "temporary", "internship", "freelance", "ftc"))
_MAY_END_A_PHRASE = frozenset(("contract", "internship", "intern"))
_LENGTH = "length of a contract"
_AROUND_CHARS = 60
_VALUE_CHARS = 60
_LABEL_CHARS = 25
_NEAR_CHARS = 25
_MAX_PART_WORDS = 6
_MAX_PARTS = 12

_FOUND = pl.Struct({"type": pl.String(), "types": pl.List(pl.String()), "evidence": EVIDENCE})


class _Statement(NamedTuple):
    """What some words say of the kind of employment.

    Attributes:
        kinds: kinds, and ``_PERMANENT``, the first one first.
        strength: of statements of several strengths the strongest decides.
    """

    kinds: tuple[str, ...]
    origin: Origin
    words: str
    rule: str
    strength: int


def with_employment_type(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``employment_type`` and ``employment_types`` in our words. What the title or the
    description states beats the field: boards file contracts as full-time."""
    # A blank for each dash, as the patterns are written.
    title = folded_column(pl.col("title"), _MAX_CHARS).str.replace_all(r"[^\pL\pN]+", " ")
    given = pl.struct(
        field=pl.col("employment_type").cast(pl.String),
        title=pl.when(title.str.contains(_title_cue)).then(pl.col("title")),
        text=pl.col("description"),
    )
    return (
        postings.with_columns(_employment=given.map_batches(_read_all, return_dtype=_FOUND))
        .with_columns(
            employment_type=pl.col("_employment")
            .struct.field("type")
            .cast(pl.Enum(EMPLOYMENT_TYPES)),
            employment_types=pl.col("_employment").struct.field("types"),
            _evidence_employment=pl.col("_employment").struct.field("evidence"),
        )
        .drop("_employment")
    )


def _read_all(given: pl.Series) -> pl.Series:
    fields = given.struct.field("field").to_list()
    titles = given.struct.field("title").to_list()
    cues = cues_of(given.struct.field("text"), _body_cue)
    stated = {row: _statements(found) for row, found in cues.items()}
    answers: list[dict[str, object]] = []
    places: list[int] = []
    known: dict[tuple[str | None, _Statement | None], int] = {}
    for row, (field, title) in enumerate(zip(fields, titles, strict=True)):
        in_title = None if title is None else _in_title(title)
        statements = stated.get(row, [])
        if statements:
            places.append(len(answers))
            answers.append(_decided(field, [in_title, *statements]))
        elif (place := known.get((field, in_title))) is not None:
            places.append(place)
        else:
            known[field, in_title] = len(answers)
            places.append(len(answers))
            answers.append(_decided(field, [in_title]))
    if not answers:
        return pl.Series(given.name, [], _FOUND)
    return structs(answers, _FOUND).gather(places).alias(given.name)


def _decided(field: str | None, found: Iterable[_Statement | None]) -> dict[str, object]:
    said = sorted((one for one in found if one is not None), key=lambda one: -one.strength)
    if any("INTERN" in one.kinds for one in said):
        # An internship of six months is no contractor's.
        said = [one for one in said if one.rule != _LENGTH or "INTERN" in one.kinds]
    of_field = () if field is None else kinds_of(field)
    said_kinds = _distinct(kind for one in said for kind in one.kinds)
    if not said_kinds:
        kinds = _without_permanent(of_field)
        types = kinds
    else:
        strongest = [one for one in said if one.strength == said[0].strength]
        best = _distinct(kind for one in strongest for kind in one.kinds)
        only_hours = set(said_kinds) <= {"FULLTIME"}
        only_permanent = set(said_kinds) <= {_PERMANENT}
        # "Full-time" says nothing against a contract or an internship in the field, nor
        # "permanent" against part-time.
        if (only_hours and of_field and of_field[0] in ("INTERN", "CONTRACT", "TEMPORARY")) or (
            only_permanent and of_field and of_field[0] == "PARTTIME"
        ):
            kinds = types = _without_permanent(_distinct((*of_field, *said_kinds)))
        else:
            kinds = _without_permanent(sorted(best, key=_rank))
            agreeing = [kind for kind in of_field if kind not in ("FULLTIME", "OTHER", *_ASSUMED)]
            if _PERMANENT in said_kinds:
                agreeing = [kind for kind in agreeing if kind == "PARTTIME"]
            types = _without_permanent(_distinct((*kinds, *said_kinds, *agreeing)))
    main = kinds[0] if kinds else None
    evidence: list[Evidence] = []
    for one in said:
        evidence.extend(_findings(one, main, types))
    if field is not None and of_field:
        evidence.extend(
            _findings(_Statement(of_field, "field", field, "employment field", 0), main, types)
        )
    return {"type": main, "types": list(types), "evidence": evidence}


def _findings(said: _Statement, main: str | None, types: Sequence[str]) -> list[Evidence]:
    """One finding for each kind that a statement names. It decides where the kind is published."""
    return [
        {
            "field": "employment_type" if kind == main or kind not in types else "employment_types",
            "value": kind, "origin": said.origin,
            "words": said.words[:MAX_WORDS_CHARS], "rule": said.rule, "decides": kind in types,
        }
        for kind in _without_permanent(said.kinds)
    ]  # fmt: skip


def _rank(kind: str) -> int:
    """A contract or an internship says more than the hours that are worked on it."""
    return _words.order.index(kind) if kind in _words.order else len(_words.order)


def _without_permanent(kinds: Iterable[str]) -> tuple[str, ...]:
    """Permanent employment is full-time where nothing beside it says otherwise."""
    kinds = tuple(kinds)
    if _ASSUMED.isdisjoint(kinds):
        return kinds
    if _UNLIKE_PERMANENT.intersection(kinds):
        return tuple(kind for kind in kinds if kind not in _ASSUMED)
    return _distinct("FULLTIME" if kind in _ASSUMED else kind for kind in kinds)


def _distinct(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(kinds))


@lru_cache(maxsize=4_096)
def employment_type(words: str) -> str | None:
    """One of ``EMPLOYMENT_TYPES`` for a source's wording, null when it states nothing. Of a list
    ("Full-time and Part-time") the first item decides."""
    kinds = _without_permanent(kinds_of(words))
    return kinds[0] if kinds else None


@lru_cache(maxsize=4_096)
def kinds_of(words: str) -> tuple[str, ...]:
    """The kinds that a source's wording names, in order; OTHER alone for words that are unknown,
    none for such as state nothing."""
    lower = folded(words[:_MAX_CHARS])
    if _plain(lower) in _unstated:
        return ()
    found: list[str] = []
    unknown = False
    for item in _separators.split(_whole_phrases(lower)):
        plain = _denied.sub(" ", _plain(item))
        if plain in _unstated:
            continue
        kinds = _named(plain)
        unknown = unknown or not kinds
        found.extend(kinds)
    if found:
        return _distinct(found)
    return ("OTHER",) if unknown else ()


def _named(plain: str) -> tuple[str, ...]:
    """The kinds that plain words name, in the order of the vocabulary."""
    kinds = {match.lastgroup or "" for match in _kinds.finditer(plain)}
    if len(kinds) > 1 and "CONTRACT" in kinds and "TEMPORARY" in kinds:
        kinds.discard("CONTRACT")
    return tuple(sorted(kinds, key=_rank))


def _whole_phrases(lower: str) -> str:
    """With what a separator leaves out ("Voll- oder Teilzeit"), and without one in a phrase."""
    lower = lower.replace("umowa o ", "umowa_o_")
    return _both_hours.sub(lambda hours: _BOTH[hours[1]], lower)


@lru_cache(maxsize=4_096)
def _in_title(title: str) -> _Statement | None:
    plain = _title_none.sub(" ", _plain(_whole_phrases(folded(title[:_MAX_CHARS]))))
    kinds = _named(plain)
    if not kinds or kinds == (_EMPLOYED,):
        return None
    return _Statement(kinds, "title", _words_of(title, plain), "employment in the title", 3)


def _words_of(title: str, plain: str) -> str:
    """The words of a title that name the kinds, the title where they stand otherwise there."""
    named = [_no_word.sub(" ", match[0]).strip() for match in _kinds.finditer(plain)]
    lower = folded(title)
    places = [
        re.search(r"\b" + r"[\W_]+".join(map(re.escape, words.split())) + r"\b", lower)
        for words in named
    ]
    if len(lower) != len(title) or not all(places):
        return title
    return ", ".join(dict.fromkeys(title[one.start() : one.end()] for one in places if one))


def _statements(cues: Sequence[Cue]) -> list[_Statement]:
    found: list[_Statement] = []
    for cue in cues:
        said = _labelled(cue) if cue.words[-1] in ":–" else _stated(cue)
        if (
            said is not None
            and said.kinds != (_EMPLOYED,)
            and (not found or said.words != found[-1].words)
        ):
            found.append(said)
    return found


def _labelled(cue: Cue) -> _Statement | None:
    """What stands behind a label ("Contract type: ..."), or in the line below it."""
    value = cue.after
    if not value.strip():
        begin = cue.start + len(cue.words) + len(value)
        value = cue.text[begin : begin + _AROUND_CHARS].strip().split("\n", 1)[0]
    value = folded(_glued.sub(" ; ", value)[:_VALUE_CHARS]).strip()
    label = folded(cue.words)
    kinds = tuple(kind for kind in kinds_of(value) if kind != "OTHER")
    rule = "labelled terms"
    if not kinds and (
        _ir35.match(value) is not None
        if label.startswith("ir35")
        else _ending.search(label) and (_length.match(value) or _until.match(value))
    ):
        kinds, rule = ("CONTRACT",), _LENGTH
    last_word = _plain(folded(cue.before[-_LABEL_CHARS:])).rsplit(" ", 1)[-1]
    if not kinds or _another.search(last_word):
        return None
    return _Statement(kinds, "body", f"{cue.words}{cue.after[:_VALUE_CHARS]}".strip(), rule, 2)


def _stated(cue: Cue) -> _Statement | None:
    """What a sentence or a line says of this job's terms."""
    before = _plain(folded(cue.before[-_AROUND_CHARS:]))
    words = _plain(folded(cue.words))
    after = _plain(folded(_glued.sub(" ", cue.after[:_AROUND_CHARS])))
    if _alone(cue):
        kinds = tuple(kind for kind in kinds_of(_line_part(cue)) if kind != "OTHER")
        if kinds:
            return _Statement(kinds, "body", _line_part(cue), "line of terms", 2)
    if _label_before.search(before) and (kinds := _named(words)):
        quote = f"{cue.before[-_LABEL_CHARS:]}{cue.words}".strip()
        return _Statement(kinds, "body", quote, "labelled terms", 2)
    is_sure = (
        _basis.match(after) is not None and _on_a.search(before) is not None
        if before
        else _role.match(after) is not None
    )
    if (not is_sure and _another.search(before)) or _otherwise.match(after):
        return None
    if words in ("contract", "b2b") and _subject.match(after):
        return None
    quote = f"{cue.before[-_AROUND_CHARS:]}{cue.words}{cue.after[:_AROUND_CHARS]}".strip()
    near = f"{before[-_NEAR_CHARS:]} {words} {after[:_NEAR_CHARS]}"
    if (undoubted := _undoubted.search(near)) is not None:
        kinds = _named(undoubted.group()) or ("CONTRACT",)
        return _Statement(kinds, "body", quote, "terms in a sentence", 1)
    if words in _MAY_END and (length := _length_before.search(before)) is not None:
        kinds = _named(f"{length.group()}{words} {after.split(' ')[0]}")
        return _Statement(kinds, "body", quote, _LENGTH, 1)
    if is_sure:
        kinds = _named(f"{before[-_NEAR_CHARS:]} {words}" if before else words)
        return _Statement(kinds, "body", quote, "terms in a sentence", 1) if kinds else None
    ours = _ours.search(before)
    if ours is None:
        return None
    noun = _noun.match(after)
    goes_on = words in _MAY_END_A_PHRASE and _goes_on.match(after) is not None
    if noun is None and not goes_on and _seeking.search(before) is None:
        return None
    kinds = _named(f"{before[ours.start() :]} {words} {noun.group() if noun else ''}")
    return _Statement(kinds, "body", quote, "terms in a sentence", 1)


def _alone(cue: Cue) -> bool:
    """Whether the words, with other terms at most, are a line or a part of a line of facts
    ("Remote | Full-time | Berlin")."""
    line = f"{cue.before}{cue.words}{cue.after}"
    parts = [part for part in _parts.split(line) if part.strip(" \n\t-–*.")]
    if len(parts) > _MAX_PARTS or (
        "|" not in line and any(len(part.split()) > _MAX_PART_WORDS for part in parts)
    ):
        return False
    plain = _plain(folded(_line_part(cue)))
    rest = _beside.sub(" ", _length.sub(" ", _kinds.sub(" ", plain)))
    return not rest.strip()


def _line_part(cue: Cue) -> str:
    before, after = _parts.split(cue.before)[-1], _parts.split(cue.after)[0]
    return f"{before}{cue.words}{after}".strip(" \n\t-–*.")


def _plain(lower: str) -> str:
    return _no_word.sub(" ", lower).strip()
