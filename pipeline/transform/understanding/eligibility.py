"""From where a remote job may be done (``eligibility.toml``).

A place without a city says it (``Remote, US``); a place with one says where the job is. Else what
the title or the text says in so many words. Nothing is said of a job that is not remote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple, TypedDict

import polars as pl
import pycountry

from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, Evidence, Origin
from pipeline.transform.understanding.gazetteer import VOCABULARY, fold, gazetteer
from pipeline.transform.understanding.windows import of_plain, plain, whole, windows
from pipeline.transform.vocabulary import (
    Pattern,
    PythonPattern,
    Shape,
    Word,
    any_of,
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
    lists: _Lists
    regions: dict[Word, _Region]
    countries: dict[Word, list[Word]]


_words = read("eligibility", _Eligibility)

WORLDWIDE = "worldwide"
ANY = "*"
"""Among the eligible countries: any."""

_LIST_CHARS = 200
_BEHIND = of_plain(any_of(_words.patterns.behind))
_BEFORE = of_plain(any_of(_words.patterns.before))
_NOT_ABOUT_IT = re.compile(rf"(?i){_words.patterns.not_about_it}")
_MAX_LISTS = 20
"""Of one stretch: enough for any advert, and a bound for a text that is nothing but lists."""
_NEAR = 45
"""Characters in front of a pattern that may say that it is about something else."""
_WORLDWIDE = of_plain(any_of(_words.patterns.worldwide))
_NOT_OF_THE_JOB = of_plain(_words.patterns.not_of_the_job)
_ZONE = of_plain(any_of(_words.patterns.zone))
_ZONE_OF_THE_JOB = of_plain(_words.patterns.zone_of_the_job)
_TOKEN = re.compile(r"[^\W_]+(?:[.’'][^\W_]+)*\.?|[^\w\s]|_")
_BETWEEN = frozenset(_words.lists.between) | frozenset('()[]-–—•*"')
_BEFORE_IT = frozenset(_words.lists.before_it)
_NOT_PLACES = frozenset(_words.lists.not_places)
_REMOTE_ANYWHERE = re.compile(r"(?i)\bremote\W{1,3}anywhere\b(?!\s+(?:in|within))")

_NO_MATTER = frozenset(["-", "based", "s", "’", "'", ")"])
"""Behind a name, these say nothing of what goes on: US-based clients."""
_END_OF_PLACE = frozenset(["", ";", "|", "or", "(", "only"])


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
    for code, others in _words.countries.items():
        names |= {_key(other): code for other in others if len(other) > 3 or "." in other}
    for region, known in _words.regions.items():
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


def _list_at(text: str, start: int) -> _List:
    """The list that begins at ``start``, or a word or two behind it. Empty where another word
    comes before its first name."""
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
            region = _words.regions.get(value)
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


def _lists_in(
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


_RESULT = pl.Struct(
    {
        "remote_eligibility": pl.List(pl.String),
        "eligible_countries": pl.List(pl.String),
        "_evidence_eligibility": EVIDENCE,
    }
)


def with_eligibility(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``remote_eligibility`` and ``eligible_countries``, of ``location_text``, ``title`` and
    ``description`` of remote jobs, and their evidence. Reads ``workplace``, ``cities`` and
    ``countries``."""
    read = pl.struct("workplace", "location_text", "cities", "countries", "title", "description")
    return (
        postings.with_columns(_eligibility=read.map_batches(_of_postings, return_dtype=_RESULT))
        .with_columns(pl.col("_eligibility").struct.field(*_RESULT.to_schema()))
        .drop("_eligibility")
    )


def _of_postings(postings: pl.Series) -> pl.Series:
    rows = postings.struct.unnest()
    remote = rows.with_row_index("row").filter(pl.col("workplace").cast(pl.String) == "remote")
    said: list[list[tuple[Origin, _Said]]] = [[] for _ in range(remote.height)]
    places = remote.select("location_text", "cities", "countries").iter_rows()
    for found, (text, cities, countries) in zip(said, places, strict=True):
        if text and not cities:
            found += [("place", one) for one in _of_place(text, tuple(countries or ()))]
    # With a city, a slash or a comma divides the office from the choice.
    beside_city = pl.col("location_text").str.replace_all("/", ";").str.replace_all(",", " , ")
    beside = remote.select(pl.when(pl.col("cities").list.len() > 0).then(beside_city)).to_series()
    stretches: tuple[tuple[Origin, pl.DataFrame, str], ...] = (
        ("place", whole(beside, _CUES_OF_LINES), "remote in a country of the place"),
        ("title", whole(remote["title"], _CUES_OF_LINES), "remote in the title"),
        ("body", windows(remote["description"], _words.cues), "from where in the text"),
    )
    for origin, found_there, rule in stretches:
        for row, one in _read(found_there, rule, to_the_end=origin == "place"):
            said[row].append((origin, one))
    return _together(remote["row"], said, rows.height).alias(postings.name)


class _Said(TypedDict):
    """One thing that is said: the values, the words that say so, and the rule that read them."""

    value: list[str]
    words: str
    rule: str


def _said(values: Iterable[str], words: str, rule: str) -> _Said:
    return _Said(
        value=list(values), words=words.strip().removesuffix(".")[:MAX_WORDS_CHARS], rule=rule
    )


@lru_cache(maxsize=20_000)
def _of_place(text: str, countries: tuple[str, ...]) -> tuple[_Said, ...]:
    """A place without a city names the countries and regions themselves."""
    if _REMOTE_ANYWHERE.search(text):
        return ()
    values = list(dict.fromkeys([*countries, *_regions_in(text)]))
    return (_said(values, text, "a place without a city"),) if values else ()


def _regions_in(text: str) -> list[str]:
    """The regions that are named anywhere in a text."""
    found: list[str] = []
    tokens = list(_TOKEN.finditer(text))
    place = 0
    while place < len(tokens):
        known = _name_at(text, tokens, place)
        if known and known[0] in _words.regions:
            region = _words.regions[known[0]]
            found += region.members if region.spelled_out else [known[0]]
        place += known[1] if known else 1
    return list(dict.fromkeys(found))


_CUES_OF_LINES = ["remote", "remoto", "anywhere", " only"]


def _read(found: pl.DataFrame, rule: str, *, to_the_end: bool) -> Iterator[tuple[int, _Said]]:
    """What is said in stretches of texts, each with the row of its text; with ``to_the_end``, only
    by lists that nothing but another choice follows."""
    plain = pl.col("plain")
    named = plain.str.contains_any(_literal_names())
    coded = pl.col("window").str.contains(_MAY_BE_CODED)
    listed = (
        found.filter(named | coded)
        .with_columns(
            behind=plain.str.extract_all(_BEHIND).list.head(_MAX_LISTS),
            before=plain.str.extract_all(_BEFORE).list.head(_MAX_LISTS),
            of_others=plain.str.contains(_NOT_OF_THE_JOB),
        )
        .filter((pl.col("behind").list.len() > 0) | (pl.col("before").list.len() > 0))
    )
    listed = listed.select("row", "window", "plain", "behind", "before", "of_others")
    for row, text, plain_text, behind, before, of_others in listed.iter_rows():
        for values, words, goes_on in _lists_in(text, behind, before, plain_text):
            if (to_the_end and goes_on not in _END_OF_PLACE) or (of_others and WORLDWIDE in values):
                continue
            yield row, _said(values, words, rule)
    spoken = found.select(
        "row",
        "window",
        "plain",
        world=pl.when(~plain.str.contains(_NOT_OF_THE_JOB)).then(plain.str.extract(_WORLDWIDE, 0)),
        zone=pl.when(plain.str.contains(_ZONE_OF_THE_JOB)).then(plain.str.extract(_ZONE, 0)),
    ).filter(pl.col("world").is_not_null() | pl.col("zone").is_not_null())
    for row, text, plain_text, world, zone in spoken.iter_rows():
        if world:
            words = _as_written(text, plain_text, world)
            yield row, _said([WORLDWIDE], words, "from anywhere in the world")
        if zone and (span := _zones(zone)):
            yield row, _said([span], _as_written(text, plain_text, zone), "a time zone")


def _as_written(text: str, plain_text: str, words: str) -> str:
    start = plain_text.find(words)
    return text[start : start + len(words)]


_MAY_BE_CODED = r"(?-u)\b(?:USA?|U\.S|UK|EU|EEA|UAE|[A-Z][A-Z][,/] ?[A-Z][A-Z])\b"


@lru_cache(maxsize=1)
def _literal_names() -> list[str]:
    """Names of more than three letters as they may stand in a plain text."""
    found = {plain(name) for name in _names()} | {name.replace(" ", "-") for name in _names()}
    return sorted(name for name in found if len(name) > 3)


_OFFSET = re.compile(r"([-+]?) ?(\d{1,2})")


def _zones(words: str) -> str | None:
    """``UTC-5..UTC+1`` of an interval of offsets or of hours around a zone."""
    zone = re.search(r"(?i)\b(" + "|".join(_words.zones) + r")\b", words)
    numbers = _OFFSET.findall(words)
    if zone is None or not numbers:
        return None
    if len(numbers) >= 2 and zone[1].upper() in ("UTC", "GMT"):
        ends = [int(number) * (-1 if sign == "-" else 1) for sign, number in numbers[:2]]
        low, high = min(ends), max(ends)
    else:
        middle, around = _words.zones[zone[1].upper()], int(numbers[-1][1])
        low, high = middle - around, middle + around
    if not -12 <= low <= high <= 14:
        return None
    return f"UTC{low:+d}..UTC{high:+d}"


@cache
def members(region: str) -> frozenset[str]:
    """The countries of a region and of those that it consists of."""
    found: set[str] = set()
    for member in _words.regions[region].members:
        found |= members(member) if member in _words.regions else {member}
    return frozenset(found)


def countries_of(stated: Iterable[str]) -> list[str]:
    """The countries of what is stated, sorted; :data:`ANY` for all the world."""
    found: set[str] = set()
    for value in stated:
        if value == WORLDWIDE:
            found.add(ANY)
        elif value in _words.regions:
            found |= members(value)
        elif len(value) == 2:
            found.add(value)
    return sorted(found)


def _together(
    rows: pl.Series, said: Sequence[Sequence[tuple[Origin, _Said]]], height: int
) -> pl.Series:
    """The results of ``height`` postings, of what is said of those in ``rows``. Where the text
    names countries and none of the place's is among them, the text decides."""
    keys: list[tuple[int, str]] = []
    evidence: list[tuple[int, str, str, str, str, str, bool]] = []
    for row, every in zip(rows, said, strict=True):
        found = [one for place, one in enumerate(every) if one not in every[:place]]
        of_place = _stated(one for origin, one in found if origin == "place")
        of_text = countries_of(_stated(one for origin, one in found if origin == "body"))
        believed = (
            not of_text or ANY in of_text or not {*countries_of(of_place)}.isdisjoint(of_text)
        )
        kept = [one for origin, one in found if believed or origin != "place"]
        if stated := _stated(kept):
            keys.append((row, _SEPARATOR.join(stated)))
        for origin, one in found:
            value, decides = ", ".join(one["value"]), believed or origin != "place"
            field = "remote_eligibility"
            evidence.append((row, field, value, origin, one["words"], one["rule"], decides))
    key = pl.DataFrame(keys, schema={"row": pl.UInt32, "key": pl.String}, orient="row")
    distinct = key["key"].unique().to_list()
    stated_lists = [text.split(_SEPARATOR) for text in distinct]
    results = pl.DataFrame(
        {
            "key": pl.Series(distinct, dtype=pl.String),
            "remote_eligibility": pl.Series(stated_lists, dtype=pl.List(pl.String)),
            "eligible_countries": pl.Series(
                [countries_of(stated) for stated in stated_lists], dtype=pl.List(pl.String)
            ),
        }
    )
    fields = dict.fromkeys(Evidence.__annotations__, pl.String) | {"decides": pl.Boolean}
    findings = (
        pl.DataFrame(evidence, schema={"row": pl.UInt32, **fields}, orient="row")
        .select("row", _evidence_eligibility=pl.struct(*fields))
        .group_by("row", maintain_order=True)
        .agg("_evidence_eligibility")
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    return (
        pl.DataFrame({"row": pl.Series(range(height), dtype=pl.UInt32)})
        .join(key, on="row", how="left", maintain_order="left")
        .join(results, on="key", how="left", maintain_order="left")
        .join(findings, on="row", how="left", maintain_order="left")
        .select(
            pl.struct(
                pl.col("remote_eligibility").fill_null(empty),
                pl.col("eligible_countries").fill_null(empty),
                "_evidence_eligibility",
            )
        )
        .to_series()
    )


_SEPARATOR = "|"


def _stated(said: Iterable[_Said]) -> list[str]:
    return list(dict.fromkeys(value for one in said for value in one["value"]))
