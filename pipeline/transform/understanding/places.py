"""Where a job is: city, region and ISO 3166 country, out of a source's fields and free text.

What cannot be told for certain stays null: a wrong country hides a job from those who filter by
it, and keeps its duplicates apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
import polars as pl

from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, Evidence, Origin
from pipeline.transform.understanding.gazetteer import (
    VOCABULARY,
    country_code,
    fold,
    gazetteer,
)
from pipeline.transform.understanding.place_in_text import Said, in_descriptions, in_title
from pipeline.transform.understanding.place_names import NOWHERE, Found, place_name, region_name
from pipeline.transform.understanding.place_text import common, is_county, merged, read_places
from pipeline.transform.vocabulary import any_of


class Place(NamedTuple):
    """A place as far as it is known. ``country`` is ISO 3166-1 alpha-2; ``region`` is the name
    of a state or province where a code was recognised, else the source's own words."""

    city: str | None
    region: str | None
    country: str | None


class Located(NamedTuple):
    """The places of a posting.

    Attributes:
        place: the one that is published as its city, region and country. Where the posting names
            several countries, it is none of them.
        every: all of them, the first one first.
        contradicted: what the text says where the source's fields say another country.
    """

    place: Found
    every: tuple[Found, ...]
    contradicted: tuple[Found, ...] = ()


_COUNTY = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.county)}$")
_PLACES = pl.Struct(
    {
        "city": pl.String,
        "region": pl.String,
        "country": pl.String,
        "cities": pl.List(pl.String),
        "countries": pl.List(pl.String),
        "_evidence_place": EVIDENCE,
    }
)


def with_place(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``city``, ``region``, ``country``, ``cities`` and ``countries``, of the first three in
    the source's words and of ``location_text`` and, where these name no city, of ``title`` and
    ``description``, and their evidence."""
    fields = pl.struct("location_text", "city", "region", "country")
    return (
        postings.with_columns(_place=of_distinct(fields, _located, _PLACES))
        .with_columns(pl.col("_place").struct.field(*_PLACES.to_schema()))
        .drop("_place")
        .map_batches(_completed, validate_output_schema=False)
    )


def _completed(postings: pl.DataFrame) -> pl.DataFrame:
    """With the places that titles and descriptions name, for postings without a city in at most
    one country."""
    lacking = postings.with_row_index("_row").filter(
        (pl.col("cities").list.len() == 0) & (pl.col("countries").list.len() <= 1)
    )
    if lacking.is_empty():
        return postings
    changes: list[dict[str, Any]] = []
    said_by_text = in_descriptions(lacking["description"])
    rows = lacking.select("_row", "title", "country", "region", "countries", "_evidence_place")
    for said, (row, title, country, region, countries, evidence) in zip(
        said_by_text, rows.iter_rows(), strict=True
    ):
        of_text = _of_text(said, country)
        origin: Origin = "body"
        if of_text is None and country and title:
            of_text, origin = in_title(title, country), "title"
        if of_text is None:
            continue
        place = common(of_text.places)
        cities = list(dict.fromkeys(found.city for found in of_text.places if found.city))
        named = list(dict.fromkeys(found.country for found in of_text.places if found.country))
        if not cities and countries:
            continue
        new = [("city", city) for city in cities]
        new += [] if countries else [("country", code) for code in named]
        findings = [
            Evidence(
                field=field,
                value=value,
                origin=origin,
                words=of_text.words,
                rule=of_text.rule,
                decides=getattr(place, field) in (None, value),
            )
            for field, value in new
        ]
        changes.append(
            {
                "_row": row,
                "city": place.city,
                "region": region or place.region,
                "country": country or place.country,
                "cities": cities,
                "countries": countries or named,
                "_evidence_place": [*(evidence or []), *findings],
            }
        )
    if not changes:
        return postings
    schema = {"_row": pl.get_index_type(), **_PLACES.to_schema()}
    return (
        postings.with_row_index("_row")
        .update(pl.DataFrame(changes, schema=schema), on="_row")
        .drop("_row")
    )


def _of_text(said: Said | None, country: str | None) -> Said | None:
    """What a description says, if it is in the country that is known."""
    if said is None or country is None:
        return said
    places = tuple(found for found in said.places if found.country == country)
    return said._replace(places=places) if places else None


def _located(fields: Mapping[str, str | None]) -> dict[str, Any]:
    return _published(find_all(**fields), fields)


def _published(located: Located, fields: Mapping[str, str | None]) -> dict[str, Any]:
    place = located.place
    cities = list(dict.fromkeys(found.city for found in located.every if found.city))
    countries = list(dict.fromkeys(found.country for found in located.every if found.country))
    evidence: list[Evidence] = []
    for field, values, published in (
        ("city", cities, place.city),
        ("country", countries, place.country),
    ):
        for value in values:
            found = next(f for f in located.every if getattr(f, field) == value)
            evidence.append(_evidence(field, value, found, fields, published in (None, value)))
    evidence += [
        _evidence("country", found.country, found, fields, decides=False)
        for found in located.contradicted
        if found.country
    ]
    return {
        "city": place.city,
        "region": place.region,
        "country": place.country,
        "cities": cities,
        "countries": countries,
        "_evidence_place": evidence,
    }


def _evidence(
    field: str, value: str, found: Found, fields: Mapping[str, str | None], decides: bool
) -> Evidence:
    words = ", ".join(v for name in ("city", "region", "country") if (v := fields.get(name)))
    location = fields.get("location_text")
    of_fields = found.rule.startswith(_FIELDS)
    rule = found.rule
    if of_fields and field == "city" and location and not fields.get("city"):
        # The fields say no more than the country in which the text names it.
        of_fields = fold(value) in fold(words)
        rule = rule if of_fields else rule.removeprefix(f"{_FIELDS}, ")
    origin: Origin = "field" if of_fields else "place"
    text = words if of_fields else location or words
    return Evidence(
        field=field,
        value=value,
        origin=origin,
        words=text[:MAX_WORDS_CHARS],
        rule=rule,
        decides=decides,
    )


_FIELDS = "the source's fields"


def locate(
    location_text: str | None, city: str | None, region: str | None, country: str | None
) -> Place:
    """The place of a posting: the source's own fields first, its free text for what they lack.

    Texts are clean single lines. The result depends on these four texts alone.
    """
    found = find(location_text, city, region, country)
    return Place(found.city, found.region, found.country)


def find(
    location_text: str | None, city: str | None, region: str | None, country: str | None
) -> Found:
    """As :func:`locate`, with the rule that answered."""
    return find_all(location_text, city, region, country).place


@lru_cache(maxsize=50_000)
def find_all(
    location_text: str | None, city: str | None, region: str | None, country: str | None
) -> Located:
    """Every place of a posting, as :func:`locate` reads them."""
    stated = country_code(country)
    fields = ", ".join(part for part in (city, region, country) if part)
    # A country in the source's country field is no US state: CA is Canada there.
    town = place_name(city) if city and fold(city) not in VOCABULARY.words.no_places else None
    town = None if is_county(town, stated) else town
    known = Found(town, region_name(place_name(region), stated), stated, _FIELDS)
    if stated is None and fields:
        known = merged(common(read_places(fields)), known)
    read = read_places(location_text, known.country) if location_text else []
    if known == NOWHERE:
        return Located(common(read), tuple(read))
    if known.country and any(found.country not in (None, known.country) for found in read):
        return Located(known, (known,), tuple(read))
    if known.country is None or known.city is known.region is None:
        known = merged(known, common(read))
    if known.region and known.region == known.city and location_text is None:
        known = replace(known, region=None)
    others = [found for found in read if found.city and found.city != known.city]
    return Located(known, (known, *(others if known.city else ())))


def city_of_area_list(location: pl.Expr, country: pl.Expr) -> pl.Expr:
    """The city in a list that leads from the country down to a hamlet, a quarter or a landmark:
    ``{"area": ["UK", "London", "Central London", "Charing Cross"]}``.

    It is the largest of the names that GeoNames knows as cities of the country: the region only
    where it is itself a city. Where it knows none, it is the name below region and county, of
    a small town; null where there is none.

    Args:
        location: JSON text.
        country: ISO 3166-1 alpha-2.
    """
    both = pl.concat_str(country, location, separator=" ")
    return of_distinct(both, lambda text: _city_of_areas(text[:2], text[3:]))


def _city_of_areas(country: str, location: str) -> str | None:
    try:
        listed = orjson.loads(location).get("area")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    areas = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    names = gazetteer()
    if len(areas) > 1 and (city := VOCABULARY.city_regions.get(country, {}).get(fold(areas[1]))):
        return city
    below = areas[1:] if len(areas) > 1 and not _is_part(areas[1], country) else areas[2:]
    people = {name: names.cities.get(fold(name), {}).get(country, 0) for name in below}
    if any(people.values()):
        return place_name(max(people, key=lambda name: people[name]))
    for name in areas[3:4]:
        if not _is_part(name, country) and not _COUNTY.search(name):
            return place_name(name)
    return None


def _is_part(name: str, country: str) -> bool:
    return country in gazetteer().subdivisions.get(fold(name), set())
