"""From where a remote job may be done (``eligibility.toml``).

A place without a city says it (``Remote, US``); a place with one says where the job is. Else what
the title or the text says in so many words. Nothing is said of a job that is not remote.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TypedDict

import polars as pl

from pipeline.transform.understanding.eligible_lists import (
    ANY,
    WORDS,
    WORLDWIDE,
    countries_of,
    lists_in,
    literal_names,
    regions_in,
)
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, Origin
from pipeline.transform.understanding.evidence_lists import FINDINGS, evidence_lists
from pipeline.transform.understanding.postcodes import without_zones
from pipeline.transform.understanding.windows import of_plain, whole, windows
from pipeline.transform.vocabulary import any_of

_BEHIND = of_plain(any_of(WORDS.patterns.behind))
_BEFORE = of_plain(any_of(WORDS.patterns.before))
_MAX_LISTS = 20
"""Of one stretch: enough for any advert, and a bound for a text that is nothing but lists."""
_WORLDWIDE = of_plain(any_of(WORDS.patterns.worldwide))
_NOT_OF_THE_JOB = of_plain(WORDS.patterns.not_of_the_job)
_ZONE = of_plain(any_of(WORDS.patterns.zone))
_ZONE_ALONE = of_plain(any_of(WORDS.patterns.zone_alone))
_ZONE_NAME = re.compile(r"(?i)\b(" + "|".join(WORDS.zones) + r")\b")
_ZONES_NAME = re.compile(r"(?i)\b(" + "|".join(map(re.escape, WORDS.zones_of)) + r")(?!\w)")
_ZONE_OF_THE_JOB = of_plain(WORDS.patterns.zone_of_the_job)
_REMOTE_ANYWHERE = re.compile(r"(?i)\bremote\W{1,3}anywhere\b(?!\s+(?:in|within))")
_END_OF_PLACE = frozenset(["", ";", "|", "or", "(", "only"])
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
        ("body", windows(remote["description"], WORDS.cues), "from where in the text"),
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
    values = list(dict.fromkeys([*countries, *regions_in(without_zones(text))]))
    return (_said(values, text, "a place without a city"),) if values else ()


_CUES_OF_LINES = ["remote", "remoto", "anywhere", " only"]


def _read(found: pl.DataFrame, rule: str, *, to_the_end: bool) -> Iterator[tuple[int, _Said]]:
    """What is said in stretches of texts, each with the row of its text; with ``to_the_end``, only
    by lists that nothing but another choice follows."""
    plain = pl.col("plain")
    named = plain.str.contains_any(literal_names())
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
        for values, words, goes_on in lists_in(text, behind, before, plain_text):
            if (to_the_end and goes_on not in _END_OF_PLACE) or (of_others and WORLDWIDE in values):
                continue
            yield row, _said(values, words, rule)
    spoken = found.select(
        "row",
        "window",
        "plain",
        world=pl.when(~plain.str.contains(_NOT_OF_THE_JOB)).then(plain.str.extract(_WORLDWIDE, 0)),
        zone=pl.when(plain.str.contains(_ZONE_OF_THE_JOB)).then(
            pl.coalesce(plain.str.extract(_ZONE, 0), plain.str.extract(_ZONE_ALONE, 0))
        ),
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
_OFFSET = re.compile(r"([-+]?) ?(\d{1,2})")


def _zones(words: str) -> str | None:
    """``UTC-5..UTC+1`` of an interval of offsets, of hours around a zone, or of zones alone."""
    zone = _ZONE_NAME.search(words)
    numbers = _OFFSET.findall(words)
    if not numbers:
        ends = [WORDS.zones[name.upper()] for name in _ZONE_NAME.findall(words)]
        for name in _ZONES_NAME.findall(words):
            ends += WORDS.zones_of[name.lower()]
        if not ends:
            return None
        low, high = min(ends), max(ends)
    elif zone is None:
        return None
    elif len(numbers) >= 2 and zone[1].upper() in ("UTC", "GMT"):
        ends = [int(number) * (-1 if sign == "-" else 1) for sign, number in numbers[:2]]
        low, high = min(ends), max(ends)
    else:
        middle, around = WORDS.zones[zone[1].upper()], int(numbers[-1][1])
        low, high = middle - around, middle + around
    if not -12 <= low <= high <= 14:
        return None
    return f"UTC{low:+d}..UTC{high:+d}"


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
    findings = evidence_lists(pl.DataFrame(evidence, FINDINGS, orient="row"), height)
    empty = pl.lit([], dtype=pl.List(pl.String))
    return (
        pl.DataFrame({"row": pl.Series(range(height), dtype=pl.UInt32)})
        .join(key, on="row", how="left", maintain_order="left")
        .join(results, on="key", how="left", maintain_order="left")
        .select(
            pl.struct(
                pl.col("remote_eligibility").fill_null(empty),
                pl.col("eligible_countries").fill_null(empty),
                findings.alias("_evidence_eligibility"),
            )
        )
        .to_series()
    )


_SEPARATOR = "|"


def _stated(said: Iterable[_Said]) -> list[str]:
    return list(dict.fromkeys(value for one in said for value in one["value"]))
