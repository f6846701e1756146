"""Where a job is: city, region and ISO 3166 country, out of a source's fields and free text.

What cannot be told for certain stays null: a wrong country hides a job from those who filter by
it, and keeps its duplicates apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import orjson
import polars as pl

from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding.gazetteer import (
    OTHER_CITY_NAMES,
    VOCABULARY,
    country_code,
    fold,
    gazetteer,
)
from pipeline.transform.vocabulary import any_of


class Place(NamedTuple):
    """A place as far as it is known. ``country`` is ISO 3166-1 alpha-2; ``region`` is the name
    of a state or province where a code was recognised, else the source's own words."""

    city: str | None
    region: str | None
    country: str | None


@dataclass(frozen=True)
class Found:
    """A :class:`Place` and the names of the rules that found it. Two that differ in ``rule`` alone
    are equal."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    rule: str = field(default="", compare=False)


NOWHERE = Found()

_DOMINANCE = 8
"""A bare city name means the country whose city of that name has this many times the people of
the next country's."""

_LARGE = 100_000
"""From so many people on, a city abroad (Florianópolis, SC) outweighs an unknown American town."""


_STATES_NAMED_LIKE_A_COUNTRY = frozenset(VOCABULARY.words.states_named_like_a_country)
_UNCERTAIN_STATES = frozenset(VOCABULARY.words.uncertain_states)
_UNIONS = frozenset(VOCABULARY.words.unions)
_COUNTY = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.county)}$")
_NOISE = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.noise)}(?!\w)")
_PREPOSITION = re.compile(
    r"^(?:[Ii]n|[Ff]rom|[Tt]he|and|or|at|within|of)\s+|\s+(?:in|from|or|and)$"  # IN is Indiana
)
_ALTERNATIVES = re.compile(r"\s*(?:[/;|•\n]|\bor\b|\band\b|&)\s*")  # OR is Oregon
_DASH = re.compile(r"\s+[-–—]\s+|:\s")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_STATE_THEN_CITY = re.compile(r"^([A-Z]{2})[ -]+(\w.+)$")
_CITY_THEN_STATE = re.compile(r"^(\w.+?) ([A-Z]{2})$")
_COUNTRY_FIRST = re.compile(r"^(USA?)[ -]+(\w.*)$")
"""``US-NY-Rochester``, as Workday writes places, and ``USA Richardson, TX``."""
_STATE_AND_COUNTRY = re.compile(r"^([A-Z]{2}) (\w.+)$")
_MAX_CHARS = 300


_PLACE = pl.Struct({"city": pl.String, "region": pl.String, "country": pl.String})


def with_place(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``city``, ``region`` and ``country``, of the same columns in the source's words and of
    ``location_text``."""
    place = pl.struct("location_text", "city", "region", "country")
    return (
        postings.with_columns(_place=of_distinct(place, _located, _PLACE))
        .with_columns(pl.col("_place").struct.field("city", "region", "country"))
        .drop("_place")
        .with_columns(
            cities=pl.concat_list("city").list.drop_nulls(),
            countries=pl.concat_list("country").list.drop_nulls(),
        )
    )


def _located(fields: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return locate(**fields)._asdict()


def locate(
    location_text: str | None, city: str | None, region: str | None, country: str | None
) -> Place:
    """The place of a posting: the source's own fields first, its free text for what they lack.

    Texts are clean single lines. The result depends on these four texts alone.
    """
    found = find(location_text, city, region, country)
    return Place(found.city, found.region, found.country)


@lru_cache(maxsize=50_000)
def find(
    location_text: str | None, city: str | None, region: str | None, country: str | None
) -> Found:
    """As :func:`locate`, with the rule that answered."""
    stated = country_code(country)
    fields = ", ".join(part for part in (city, region, country) if part)
    # A country in the source's country field is no US state: CA is Canada there.
    known = Found(
        _place_name(city), _region_name(_place_name(region), stated), stated, "the source's fields"
    )
    if stated is None and fields:
        known = _merged(_parse(fields), known)
    if location_text and (known.country is None or known.city is known.region is None):
        read = _parse(location_text, known.country)
        if known.country is None or read.country in (None, known.country):
            known = _merged(known, read)
    if known.region and known.region == known.city and location_text is None:
        return replace(known, region=None)
    return known


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
        return _place_name(max(people, key=lambda name: people[name]))
    for name in areas[3:4]:
        if not _is_part(name, country) and not _COUNTY.search(name):
            return _place_name(name)
    return None


def _is_part(name: str, country: str) -> bool:
    return country in gazetteer().subdivisions.get(fold(name), set())


def _merged(first: Found, second: Found) -> Found:
    """The first, with what it lacks of the second."""
    merged = Found(
        first.city or second.city, first.region or second.region, first.country or second.country
    )
    rules = [place.rule for place in (first, second) if place.rule and place != NOWHERE]
    used = [rules[0]] if merged == first and rules else dict.fromkeys(rules)
    return replace(merged, rule=", ".join(used))


def _without_noise(text: str) -> str:
    text = _NOISE.sub(" ", text)
    before = None
    while text != before:
        before = text
        text = _PREPOSITION.sub("", text.strip(" -–—,:.*"))
    return re.sub(r"\s+", " ", text)


def _place_name(text: str | None) -> str | None:
    """A name that stands for one place, in its usual spelling; null for ``Remote``, a continent
    and other words that name none."""
    if text is None:
        return None
    name = _without_noise(text)
    folded = fold(name)
    if not folded or folded in _UNIONS or not any(char.isalpha() for char in folded):
        return None
    return _city_names().get(folded, name)


@lru_cache(maxsize=1)
def _city_names() -> dict[str, str]:
    return {fold(alias): name for alias, name in OTHER_CITY_NAMES.items() if fold(alias) != "ny"}


def _region_name(region: str | None, country: str | None) -> str | None:
    if region is None or country is None:
        return region
    return gazetteer().subdivision_names.get(f"{country}-{fold(region).upper()}", region)


def _parse(text: str, country: str | None = None) -> Found:
    """Read free text. ``country``, where known, decides what an ambiguous name means."""
    text = text[:_MAX_CHARS]
    whole = _without_noise(text)
    if gazetteer().is_name(fold(whole)):
        return _parse_parts([whole], country)  # Bosnia and Herzegovina, Tyne and Wear
    places = [
        place
        for alternative in _ALTERNATIVES.split(text)
        if (place := _parse_alternative(alternative, country)) != NOWHERE
    ]
    return _common(places)


def _common(places: Iterable[Found]) -> Found:
    """What all of the places agree on."""
    distinct = list(dict.fromkeys(places))
    if not distinct:
        return NOWHERE
    if len(distinct) == 1:
        return distinct[0]
    countries = {place.country for place in distinct}
    country = countries.pop() if len(countries) == 1 else None
    regions = {place.region for place in distinct}
    region = regions.pop() if country and len(regions) == 1 else None
    return Found(None, region, country, "common to several places")


def _parse_alternative(text: str, country: str | None) -> Found:
    """One place; what stands in brackets counts only where the rest names no country."""
    outside = _BRACKETS.sub(" ", text)
    place = _parse_sections(outside, country)
    if place.country or outside == text:
        return place
    inside = " - ".join(first or second for first, second in _BRACKETS.findall(text))
    return _merged(_parse_sections(inside, country), place)


def _parse_sections(text: str, country: str | None) -> Found:
    """Sections divided by dashes add to one another (``Lithuania - Remote``); two of them in
    different countries cancel out."""
    best = NOWHERE
    sections = [part for part in _DASH.split(text) if part.strip(" ,")]
    for section in sections:
        parts = [name for part in section.split(",") if (name := _without_noise(part))]
        if len(parts) > 4:
            return _common(_parse_parts([part], country) for part in parts)
        place = _parse_parts(parts, country)
        if best.country and place.country and best.country != place.country:
            return NOWHERE
        if best.country is None and (place.country or best == NOWHERE):
            best = _merged(place, best) if place.city is None else place
        elif best.region is None and best.city is None and place.country:
            best = place
    return best


def _parse_parts(parts: list[str], country: str | None) -> Found:
    """The parts between commas, by the first rule that fits."""
    parts = [part for part in parts if fold(part) not in _UNIONS]
    if not parts:
        return NOWHERE
    if (match := _COUNTRY_FIRST.match(parts[0])) and country in (None, "US"):
        place = _in_united_states([match[2], *parts[1:]])
        if place.country in (None, "US"):  # the US Virgin Islands are not
            return _merged(place, Found(country="US", rule="US first"))
    if match := _STATE_AND_COUNTRY.match(parts[-1]):
        named = country_code(match[2]) if len(match[2]) > 2 else None
        if named and f"{named}-{match[1]}" in gazetteer().subdivision_names:
            parts = [*parts[:-1], match[1], match[2]]  # San Mateo, CA United States
    if len(parts) > 1 and country_code(parts[0]) and not _ends_with_region(parts):
        parts = parts[::-1]  # US, CA, Santa Clara
    if len(parts) == 1:
        return _parse_single(parts[0], country)
    *front, last = parts
    if named := _country_at_end(front[0], last):
        if len(front) == 1:
            return replace(_in_country(front[0], named), rule="country behind the city")
        region = _region_name(front[-1], named)
        return Found(_place_name(front[0]), region, named, "country behind city and region")
    if owner := _subdivision_owner(front[0], last, country):
        region = _region_name(last, owner)
        return Found(_place_name(front[0]), region, owner, "state behind the city")
    return _several_names(parts, country)


def _several_names(parts: list[str], country: str | None) -> Found:
    """Parts of which the last is neither a country nor a state."""
    singles = [_parse_single(part, country) for part in parts]
    found = [place for place in singles if place.country]
    if len(found) == len(singles):
        return _common(found)
    known = country or (found[0].country if len({place.country for place in found}) == 1 else None)
    if len(parts) == 2 and singles[0].country and singles[-1] == NOWHERE:
        region = singles[0].region or _place_name(parts[-1])
        return replace(singles[0], region=region, rule="known city before an unknown region")
    if len(parts) == 2 and (not found or singles[0] == NOWHERE):
        return Found(_place_name(parts[0]), None, known, "unknown city")
    return Found(None, None, known, "the country of some of several names")


def _in_united_states(parts: list[str]) -> Found:
    names = gazetteer()
    if (match := _STATE_THEN_CITY.match(parts[0])) and match[1] in names.us_states:
        # What follows the city is often a street or a building.
        is_city = (fold(match[2]), match[1]) in names.us_cities
        city = _place_name(match[2]) if is_city else None
        return Found(city, names.us_states[match[1]], "US")
    return _parse_parts(parts, None)


def _ends_with_region(parts: list[str]) -> bool:
    """Whether the last part names a state or country, so that the first cannot be the country."""
    last = parts[-1]
    return country_code(last) is not None or last.upper() in gazetteer().us_states


def _country_at_end(before: str, last: str) -> str | None:
    """The country that the last of several parts names; a code of two letters that is also a
    US state's is decided by whether the city before it lies there."""
    names = gazetteer()
    folded = fold(last)
    if folded in _STATES_NAMED_LIKE_A_COUNTRY:
        cities = names.cities.get(fold(before), {})
        return "GE" if "GE" in cities and "US" not in cities else None
    code = country_code(last)
    if code is None or len(last) != 2 or folded == "uk":
        return code
    if not last.isupper():
        return None
    if last not in names.us_states:
        homes = names.cities.get(fold(before), {})
        elsewhere = (f"{home}-{last}" in names.subdivision_names for home in homes)
        return None if code not in homes and any(elsewhere) else code  # Porto Alegre, RS
    city = fold(before)
    if (city, last) in names.us_cities or code not in names.cities.get(city, {}):
        return None
    return code


def _subdivision_owner(city: str, region: str, country: str | None) -> str | None:
    """The country of a state or province, by its name or code and by the city before it."""
    names = gazetteer()
    folded = fold(city)
    homes = names.cities.get(folded, {})
    if region.upper() in names.us_states and len(region) == 2 and country in (None, "US"):
        code = region.upper()
        if (folded, code) in names.us_cities:
            return "US"
        elsewhere = [
            home
            for home, people in homes.items()
            if people >= _LARGE and f"{home}-{code}" in names.subdivision_names
        ]
        if len(elsewhere) == 1 and "US" not in homes:
            return elsewhere[0]
        if code not in _UNCERTAIN_STATES or "US" in homes:
            return "US"
        return None
    if folded == "washington" and fold(region) == "dc":
        return "US"
    owners = names.subdivisions.get(fold(region), set()) | {
        home
        for home in ("CA", "AU", *homes)
        if f"{home}-{region.upper()}" in names.subdivision_names
    }
    if country in owners:
        return country
    if len(owners) > 1:
        owners &= set(homes)
    if len(owners) > 1:
        return _dominant({owner: homes[owner] for owner in owners})
    return next(iter(owners), None)


def _in_country(name: str, country: str) -> Found:
    """``name, country``: a city, unless only a subdivision has that name."""
    names = gazetteer()
    region = names.subdivision_names.get(f"{country}-{name}")
    if region:
        return Found(None, region, country)
    is_city = country in names.cities.get(fold(name), {})
    if not is_city and country in names.subdivisions.get(fold(name), set()):
        return Found(None, name, country)
    if match := _CITY_THEN_STATE.match(name):
        state = names.subdivision_names.get(f"{country}-{match[2]}")
        if state:
            return Found(_place_name(match[1]), state, country)
    return Found(_place_name(name), None, country)


@dataclass(frozen=True)
class _Name:
    """A name that stands alone, folded, and the countries with cities of that name."""

    text: str
    folded: str
    homes: Mapping[str, int]


def _parse_single(text: str, country: str | None) -> Found:
    """A name that stands alone, by the first rule that answers."""
    if country:
        if country_code(text) == country:
            return Found(country=country, rule="the known country")
        return replace(_in_country(text, country), rule="in the known country")
    folded = fold(text)
    name = _Name(text, folded, gazetteer().cities.get(folded, {}))
    for rule, answer in _RULES_OF_ONE_NAME.items():
        if (place := answer(name)) is not None:
            return replace(place, rule=rule)
    return NOWHERE


def _two_letters(name: _Name) -> Found | None:
    """``NY`` is a city, ``TX`` a state, ``FR`` a country; ``CA``, both, is none for certain."""
    if len(name.text) != 2 or name.folded in gazetteer().countries:
        return None
    if name.text.isupper() and name.folded in _city_names():
        return Found(_city_names()[name.folded], None, "US")
    code, state = country_code(name.text), gazetteer().us_states.get(name.text)
    if (code and state) or not name.text.isupper():
        return NOWHERE
    return Found(None, state, "US") if state else Found(country=code)


def _state_or_country(name: _Name) -> Found | None:
    return NOWHERE if name.folded in _STATES_NAMED_LIKE_A_COUNTRY else None


def _country(name: _Name) -> Found | None:
    code = country_code(name.text)
    return Found(country=code) if code else None


def _state_before_city(name: _Name) -> Found | None:
    states = gazetteer().us_states
    if (match := _STATE_THEN_CITY.match(name.text)) and match[1] in states:
        return Found(_place_name(match[2]), states[match[1]], "US")
    return None


def _code_behind_city(name: _Name) -> Found | None:
    """``Austin TX``, ``Paris FR``, ``London UK``."""
    names = gazetteer()
    if not (match := _CITY_THEN_STATE.match(name.text)):
        return None
    city, code = match[1], match[2]
    if code in names.us_states and (fold(city), code) in names.us_cities:
        return Found(_place_name(city), names.us_states[code], "US")
    country = country_code(code)
    if country and country in names.cities.get(fold(city), {}):
        return Found(_place_name(city), None, country)
    if fold(code) in names.countries:
        return _in_country(city, names.countries[fold(code)])
    return None


def _washington(name: _Name) -> Found | None:
    """The state, the capital, and dozens of towns."""
    return Found(country="US") if name.folded == "washington" else None


def _us_state(name: _Name) -> Found | None:
    is_city = name.folded in VOCABULARY.country_of_city
    is_state = name.folded in gazetteer().us_state_names
    return Found(None, name.text, "US") if is_state and not is_city else None


def _city_of_vocabulary(name: _Name) -> Found | None:
    country = VOCABULARY.country_of_city.get(name.folded)
    return None if country is None else Found(_place_name(name.text), None, country or None)


def _largest_city(name: _Name) -> Found | None:
    owners = gazetteer().subdivisions.get(name.folded, set())
    dominant = _dominant(name.homes)
    if dominant and (not owners or dominant in owners):
        return Found(_place_name(name.text), None, dominant)
    return None


def _only_subdivision(name: _Name) -> Found | None:
    owners = gazetteer().subdivisions.get(name.folded, set())
    return (
        Found(None, name.text, next(iter(owners))) if len(owners) == 1 and not name.homes else None
    )


def _city_somewhere(name: _Name) -> Found | None:
    return Found(_place_name(name.text)) if name.homes else None


_RULES_OF_ONE_NAME: Mapping[str, Callable[[_Name], Found | None]] = {
    "two letters": _two_letters,
    "a state named like a country": _state_or_country,
    "a country": _country,
    "a state's code before the city": _state_before_city,
    "a code behind the city": _code_behind_city,
    "Washington": _washington,
    "an American state": _us_state,
    "a city of places.toml": _city_of_vocabulary,
    "the largest city of that name": _largest_city,
    "the only state or province of that name": _only_subdivision,
    "a city of several countries": _city_somewhere,
}
"""In the order in which they are asked."""


def _dominant(homes: Mapping[str, int]) -> str | None:
    ranked = sorted(homes.items(), key=lambda home: -home[1])
    if not ranked:
        return None
    if len(ranked) == 1 or ranked[0][1] >= _DOMINANCE * ranked[1][1]:
        return ranked[0][0]
    return None
