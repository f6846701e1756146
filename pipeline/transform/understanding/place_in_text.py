"""The job's place in its description or title, where location and fields say none
(``places_in_text.toml``).

Only cities that GeoNames knows and countries count here: a sentence holds many words.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import polars as pl

from pipeline.transform.understanding.evidence import MAX_WORDS_CHARS
from pipeline.transform.understanding.gazetteer import fold, gazetteer
from pipeline.transform.understanding.place_names import Found, is_known
from pipeline.transform.understanding.place_text import read_places
from pipeline.transform.understanding.windows import of_plain, windows
from pipeline.transform.vocabulary import Pattern, Shape, Word, any_of, read


class _PlacesInText(Shape):
    cues: list[Word]
    line: list[Pattern]
    inline: list[Pattern]
    sentence: list[Pattern]
    not_the_job: Pattern


_words = read("places_in_text", _PlacesInText)
_LINE = of_plain(any_of(_words.line))
_INLINE = of_plain(any_of(_words.inline))
_SENTENCE = of_plain(any_of(_words.sentence))
_NOT_THE_JOB = of_plain(_words.not_the_job)
_LINE_CHARS = 90
_END_OF_SENTENCE = re.compile(
    r"[.!?](?:\s|$)|[\n;•|]|\b(?:and|where|with|to|for|but|who|which|as|on)\b"
)
_END_OF_FACT = re.compile(r"[|;\]•]|\.\s(?<!\bSt\.\s)|\.$|\s[-–—]\s|\s(?=[A-Z]\w+(?: \w+)? ?:)")
_OFFICE = re.compile(
    r"(?i)\s*(?:city centre|head|main|central|new)?\s*"
    r"\b(?:offices?|hub|studio|campus|site|hq|headquarters)\b.*$"
)


class Said(NamedTuple):
    """A place that a text names, the words that do, and the rule that read them."""

    places: tuple[Found, ...]
    words: str
    rule: str


def in_descriptions(texts: pl.Series) -> list[Said | None]:
    """The place that each description names as the job's, of its first line or sentence that
    does; a line that is nothing else comes first."""
    found = windows(texts, _words.cues, before=90, after=140)
    text = pl.col("plain")
    found = found.with_columns(
        line=text.str.extract(_LINE, 0),
        inline=text.str.extract(_INLINE, 0),
        sentence=pl.when(~text.str.contains(_NOT_THE_JOB)).then(text.str.extract(_SENTENCE, 0)),
    ).filter(pl.any_horizontal(pl.col("line", "inline", "sentence").is_not_null()))
    said: list[Said | None] = [None] * len(texts)
    by_line: set[int] = set()
    for row, window, plain_window, line, inline, sentence in found.iter_rows():
        if row in by_line or (said[row] and not line):
            continue
        words = line or inline or sentence
        start = plain_window.find(words) + len(words)
        rest = window[start : start + _LINE_CHARS].split("\n")[0]
        if not line and inline:
            rest = _END_OF_FACT.split(rest)[0]
        elif not line:
            rest = _OFFICE.sub("", _END_OF_SENTENCE.split(rest)[0])
        places = _certain(rest)
        if places:
            quoted = window[start - len(words) : start + len(rest)].strip()[:MAX_WORDS_CHARS]
            in_line = "a line of facts in the text" if inline else "a sentence of the text"
            rule = "a line of the text" if line else in_line
            said[row] = Said(places, quoted, rule)
            if line:
                by_line.add(row)
    return said


def _certain(text: str) -> tuple[Found, ...]:
    places = read_places(text)
    return tuple(
        place
        for place in places
        if place.country and (place.city is None or is_known(place)) and _is_written_as_name(text)
    )


def _is_written_as_name(text: str) -> bool:
    return any(char.isupper() for char in text[:30])


_LAST = re.compile(r"(?:[-–—|,@(]| in | à )\s*([^-–—|,@()]{3,30})\)?\s*$")
_METROPOLIS = 500_000
"""A title's last word is taken for so large a city alone: Mobile and Reading are towns as well."""


def in_title(title: str, country: str) -> Said | None:
    """The metropolis of a known country that a title ends with (``Consultant - Munich``)."""
    match = _LAST.search(title)
    if not match:
        return None
    places = read_places(match[1].strip(), country)
    if len(places) != 1 or not places[0].city or not is_known(places[0]):
        return None
    folded = fold(places[0].city)
    if gazetteer().cities.get(folded, {}).get(country, 0) < _METROPOLIS:
        return None
    return Said(tuple(places), match[0].strip(), "the end of the title")
