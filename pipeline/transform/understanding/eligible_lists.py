"""Lists of countries and regions in a text, and the countries of a region
(``eligibility.toml``)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import pycountry

from pipeline.transform.understanding.gazetteer import VOCABULARY, fold, gazetteer
from pipeline.transform.understanding.windows import plain
from pipeline.transform.vocabulary import (
    Pattern,
    PythonPattern,
    Shape,
    Word,
    read,
)


class _Patterns(Shape):
    """See ``eligibility.toml``."""

    behind: list[Pattern]
    before: list[Pattern]
    not_about_it: PythonPattern
    worldwide: list[Pattern]
    not_of_the_job: Pattern
    zone: list[Pattern]
    zone_alone: list[Pattern]
    zone_of_the_job: Pattern


class _Lists(Shape):
    between: list[Word]
    before_it: list[Word]
    not_places: list[Word]


class _Region(Shape):
    spelled_out: bool = False
    names: list[Word]
    members: list[Word]


class _Eligibility(Shape):
    cues: list[Word]
    patterns: _Patterns
    zones: dict[Word, int]
    zones_of: dict[Word, tuple[int, int]]
    lists: _Lists
    regions: dict[Word, _Region]
    countries: dict[Word, list[Word]]


WORDS = read("eligibility", _Eligibility)
WORLDWIDE = "worldwide"
ANY = "*"
"""Among the eligible countries: any."""
_LIST_CHARS = 200
_NOT_ABOUT_IT = re.compile(rf"(?i){WORDS.patterns.not_about_it}")
_NEAR = 45
"""Characters in front of a pattern that may say that it is about something else."""
_TOKEN = re.compile(r"[^\W_]+(?:[.’'][^\W_]+)*\.?|[^\w\s]|_")
_BETWEEN = frozenset(WORDS.lists.between) | frozenset('()[]-–—•*"')
_BEFORE_IT = frozenset(WORDS.lists.before_it)
_NOT_PLACES = frozenset(WORDS.lists.not_places)
_NO_MATTER = frozenset(["-", "based", "s", "’", "'", ")"])
"""Behind a name, these say nothing of what goes on: US-based clients."""


@lru_cache(maxsize=50_000)
def _key(name: str) -> str:
    return " ".join(re.sub(r"[-.,]", " ", fold(name)).split())


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """Folded names of countries and regions, and what is published for them. Codes of two and
    three letters are no words: :data:`_CODES` knows those in use."""
    names = {
        _key(name): code
        for name, code in gazetteer().countries.items()
        if len(name) > 3 and name not in VOCABULARY.words.states_named_like_a_country
    }
    for code, others in WORDS.countries.items():
        names |= {_key(other): code for other in others if len(other) > 3 or "." in other}
    for region, known in WORDS.regions.items():
        names |= {_key(name): region for name in [region, *known.names]}
    for code in _CODES:
        names.pop(code.lower(), None)
    return names


@lru_cache(maxsize=1)
def _longest_names() -> dict[str, int]:
    """The tokens of the longest name that begins with a word: at most, as ``Asia-Pacific`` is
    three."""
    longest: dict[str, int] = {}
    for name in _names():
        words = name.split()
        longest[words[0]] = max(longest.get(words[0], 0), 2 * len(words) - 1)
    return longest


_CODES = {"US": "US", "USA": "US", "UK": "GB", "EU": "EU", "UAE": "AE", "CAN": "CA", "EEA": "EEA"}
"""Written in capitals, these mean a place wherever they stand."""
_CODES_IN_LISTS = frozenset(country.alpha_2 for country in pycountry.countries)


class _List(NamedTuple):
    """A list of countries and regions at some place in a text.

    Attributes:
        values: countries by ISO 3166 code, and regions.
        end: where its last name ends.
        goes_on: the word behind it, folded, empty at the end.
    """

    values: tuple[str, ...]
    end: int
    goes_on: str


_NO_LIST = _List((), 0, "")


def _may_begin(text: str, start: int) -> bool:
    """Whether the first word from ``start`` on that is not one of those between names begins a
    name. Most do not, and are known by less work than :func:`_list_at` does."""
    for token in _TOKEN.finditer(text, start, min(len(text), start + _LIST_CHARS)):
        word = token[0]
        if word in ".;!?":
            return False
        if (
            _key(word) in _longest_names()
            or word.replace(".", "") in _CODES
            or word in _CODES_IN_LISTS
        ):
            return True
        word = word.casefold()
        if word not in _BETWEEN and word not in _BEFORE_IT:
            return False
    return False


def _list_at(text: str, start: int) -> _List:
    """The list that begins at ``start``, or a word or two behind it. Empty where another word
    comes before its first name."""
    if not _may_begin(text, start):
        return _NO_LIST
    tokens = list(_TOKEN.finditer(text, start, min(len(text), start + _LIST_CHARS)))
    values: list[str] = []
    codes: list[str] = []
    end = start
    place = 0
    while place < len(tokens):
        if tokens[place][0] in ".;!?" or "\n" in text[end : tokens[place].start()]:
            break
        known = _name_at(text, tokens, place)
        if known:
            value, length, is_code = known
            if is_code:
                codes.append(value)
            region = WORDS.regions.get(value)
            values += region.members if region and region.spelled_out else [value]
            place += length
            end = tokens[place - 1].end()
            continue
        word = tokens[place][0].casefold()
        if word not in _BETWEEN and (values or word not in _BEFORE_IT):
            break
        place += 1
    if len(values) == 1 and codes:
        values = []  # "IT" and "IN" are words; "FR, UK, NL" are not
    rest = (token[0].casefold() for token in tokens if token.start() >= end)
    goes_on = next((word for word in rest if word not in _NO_MATTER), "")
    return _List(tuple(dict.fromkeys(values)), end, goes_on)


def _name_at(
    text: str, tokens: Sequence[re.Match[str]], place: int
) -> tuple[str, int, bool] | None:
    """What is named at a token, in how many tokens, and whether by a code of two letters alone."""
    names = _names()
    first = tokens[place][0]
    if not first[0].isalpha():
        return None
    if (code := _CODES.get(first.replace(".", ""))) and (first.isupper() or "." in first):
        return code, 1, False
    longest = _longest_names().get(_key(first), 0)
    for length in range(min(longest, len(tokens) - place), 0, -1):
        words = text[tokens[place].start() : tokens[place + length - 1].end()]
        value = names.get(_key(words)) if len(words) < 60 else None
        # A proper name begins with a capital; "global" and "worldwide" need none.
        if value and _is_city(text, tokens, place, length):
            return None  # Mexico City
        if value and (words[0].isupper() or value in (WORLDWIDE, "EU") or not words[0].islower()):
            return value, length, False
    if len(first) == 2 and first.isupper() and first in _CODES_IN_LISTS:
        return first, 1, True
    return None


def _is_city(text: str, tokens: Sequence[re.Match[str]], place: int, length: int) -> bool:
    """Whether a name together with the word behind it is the name of a city."""
    if place + length >= len(tokens):
        return False
    following = tokens[place + length]
    name = text[tokens[place].start() : following.end()]
    return following[0][0].isupper() and fold(name) in gazetteer().cities


def lists_in(
    text: str, behind: Iterable[str], before: Iterable[str], plain_text: str
) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The lists of a text that say from where one may work, the words that say so, and the word
    that follows.

    Args:
        behind: what stands in front of a list, in the order of the plain text.
        before: what stands behind one.
    """
    end = 0
    for words in behind:
        start = plain_text.find(words, end)
        end = start + len(words)
        found = _list_at(text, end)
        if not found.values or found.goes_on in _NOT_PLACES:
            continue
        if not _NOT_ABOUT_IT.search(text[max(0, start - _NEAR) : start]):
            yield found.values, text[start : found.end], found.goes_on
    end = 0
    for words in before:
        place = plain_text.find(words, end)
        end = place + len(words)
        values, start = _list_until(text, place)
        if values and not _NOT_ABOUT_IT.search(text[max(0, start - _NEAR) : start]):
            yield values, text[start:end], ""


def _list_until(text: str, end: int) -> tuple[tuple[str, ...], int]:
    """The list that ends at ``end``, and where it begins."""
    starts = [token.start() for token in _TOKEN.finditer(text, max(0, end - 60), end)]
    head = text[:end]
    for start in starts:
        found = _list_at(head, start)
        is_first = not found.values or _key(head[start : start + 1])
        if found.values and not head[found.end : end].strip(" )(") and is_first:
            return found.values, start
    return (), end


def regions_in(text: str) -> list[str]:
    """The regions that are named anywhere in a text."""
    found: list[str] = []
    tokens = list(_TOKEN.finditer(text))
    place = 0
    while place < len(tokens):
        known = _name_at(text, tokens, place)
        if known and known[0] in WORDS.regions:
            region = WORDS.regions[known[0]]
            found += region.members if region.spelled_out else [known[0]]
        place += known[1] if known else 1
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def literal_names() -> list[str]:
    """Names of more than three letters as they may stand in a plain text."""
    found = {plain(name) for name in _names()} | {name.replace(" ", "-") for name in _names()}
    return sorted(name for name in found if len(name) > 3)


@cache
def members(region: str) -> frozenset[str]:
    """The countries of a region and of those that it consists of."""
    found: set[str] = set()
    for member in WORDS.regions[region].members:
        found |= members(member) if member in WORDS.regions else {member}
    return frozenset(found)


def countries_of(stated: Iterable[str]) -> list[str]:
    """The countries of what is stated, sorted; :data:`ANY` for all the world."""
    found: set[str] = set()
    for value in stated:
        if value == WORLDWIDE:
            found.add(ANY)
        elif value in WORDS.regions:
            found |= members(value)
        elif len(value) == 2:
            found.add(value)
    return sorted(found)
