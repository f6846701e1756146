"""What one text says of places: every place that it names, as far as each is known.

A text names alternatives (``Berlin / Munich``), each in sections (``Lithuania - Remote``), each in
parts between commas (``Austin, TX``). What cannot be told for certain stays null.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import pycountry

from pipeline.transform.understanding.gazetteer import (
    VOCABULARY,
    country_code,
    fold,
    gazetteer,
)
from pipeline.transform.understanding.place_names import (
    NO_PLACES,
    NOWHERE,
    STATE_THEN_CITY,
    UNIONS,
    Found,
    bare_country,
    country_at_end,
    homes_of,
    in_country,
    is_abbreviation,
    is_another_city,
    is_known,
    lies_in,
    may_be_town,
    parse_single,
    place_name,
    region_name,
    subdivision_owner,
    without_noise,
)
from pipeline.transform.understanding.postcodes import without_codes, without_zones

_MIN_QUARTERED = 100_000
"""From so many people on, a city is where an unknown name before it lies (Rusholme, Manchester)."""
_MAX_PARTS = 40
_ALTERNATIVES = re.compile(  # OR is Oregon
    r"\s*(?:[/;|•\n]|,?\s*\b(?:or|and|oder|und|ou|et)\b|&|\bOR\b(?=\s+Remote))\s*"
)
_ALTERNATIVE_INSIDE = re.compile(r"(?i)remote ?\([^()]*(?:/| or )[^()]*\)$")
_WHERE_ELSE = re.compile(
    r"(?i)(?:^|\bor\b|[;|/,])\s*(?:fully |100% )?remote\b\s*(?:within|in|from|anywhere|[-–(:])"
    r"[^;|]*?(?=$|[;|]|\bor\s+(?:hybrid|on-?site|in[- ]office|office))"
)
"""From where the job may be done instead: ``London or Remote within the UK or Ireland``."""
_AND_MORE = re.compile(
    r"(?i)[+,&]? ?(?:and |et )?\d{1,3} (?:lieux?|(?:other |more |weitere |autres? )?"
    r"(?:locations?|standorte?|sites|offices))\b|\+ ?\d{1,3}(?: more| others?)?$"
)
_AMERICAN_COUNTY = re.compile(r"\w (?:County|Parish)(?: Area)?$")
_DASH = re.compile(r"\s+[-–—]\s+|:\s")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_COUNTRY_FIRST = re.compile(r"^(USA?)[ -]+(\w.*)$")
"""``US-NY-Rochester``, as Workday writes places, and ``USA Richardson, TX``."""
_STATE_AND_COUNTRY = re.compile(r"^([A-Z]{2}) (\w.+)$")
_MAX_CHARS = 300


def read_places(text: str, country: str | None = None) -> list[Found]:
    """Every place that a text names, without repetitions. ``country``, where known, decides what
    an ambiguous name means."""
    plain = without_codes(without_zones(_AND_MORE.sub(" ", text[:_MAX_CHARS])))
    text = plain.text
    if text.count("(") != text.count(")") or _ALTERNATIVE_INSIDE.search(text):
        text = text.replace("(", " - ").replace(")", " ")  # Remote (US/CA)
    country = country or plain.country
    whole = without_noise(text)
    if gazetteer().is_name(fold(whole)):
        return _known(_parse_parts([whole], country))  # Bosnia and Herzegovina, Tyne and Wear
    elsewhere = _WHERE_ELSE.sub(" ; ", text)
    if elsewhere != text:
        places = _of_alternatives(elsewhere, country)
        if any(place.city for place in places):
            return places
    return _of_alternatives(text, country)


def _of_alternatives(text: str, country: str | None) -> list[Found]:
    alternatives = _ALTERNATIVES.split(text)
    groups = [_parse_alternative(alternative, country) for alternative in alternatives]
    found = [place for group in groups for place in group]
    countries = {place.country for place in found if place.country}
    if country is None and countries:
        found = [
            place
            for alternative, group in zip(alternatives, groups, strict=True)
            for place in (group or _code_among(alternative))
        ]
        found = [_completed(place, countries) for place in found]
    return _distinct(found)


def _code_among(text: str) -> list[Found]:
    """``CA`` is Canada among other countries: US/CA."""
    code = without_noise(text)
    if len(code) == 2 and code.isupper() and pycountry.countries.get(alpha_2=code):
        return [Found(country=code, rule="a code among countries")]
    return []


def _completed(place: Found, countries: set[str]) -> Found:
    """A city of several countries is the one of the country that its neighbours are in."""
    if place.country or not place.city or len(countries) != 1:
        return place
    country = next(iter(countries))
    if country in homes_of(fold(place.city)):
        return replace(place, country=country, rule="a city among others of its country")
    return place


def _known(places: Iterable[Found]) -> list[Found]:
    return [place for place in places if place != NOWHERE]


def _distinct(places: Iterable[Found]) -> list[Found]:
    """Without repetitions, and without a country or a region of which a city is named; behind a
    borough, its city."""
    distinct: dict[Found, None] = {}
    named = (
        replace(place, city=None) if is_county(place.city, place.country) else place
        for place in places
    )
    for place in _known(named):
        distinct[place] = None
        borough = (place.country or "", fold(place.city or ""))
        if city := gazetteer().city_of_borough.get(borough):
            distinct[Found(city, place.region, place.country, "the city of a borough")] = None
    with_city = {place.country for place in distinct if place.city}
    return [place for place in distinct if place.city or place.country not in with_city]


def is_county(city: str | None, country: str | None) -> bool:
    """Whether a name is that of an American county, which is no city."""
    return bool(city and country in (None, "US") and _AMERICAN_COUNTY.search(city))


def common(places: Iterable[Found]) -> Found:
    """One place for several: the first city where all lie in one country, and what they agree on;
    nothing where they lie in several."""
    distinct = list(places)
    if not distinct:
        return NOWHERE
    if len(distinct) == 1:
        return distinct[0]
    if len({place.country for place in distinct}) > 1:
        return NOWHERE
    regions = {place.region for place in distinct}
    region = distinct[0].region if len(regions) == 1 else None
    city = next((place.city for place in distinct if place.city), None)
    return Found(city, region, distinct[0].country, "common to several places")


def merged(first: Found, second: Found) -> Found:
    """The first, with what it lacks of the second."""
    both = Found(
        first.city or second.city, first.region or second.region, first.country or second.country
    )
    rules = [place.rule for place in (first, second) if place.rule and place != NOWHERE]
    used = [rules[0]] if both == first and rules else dict.fromkeys(rules)
    return replace(both, rule=", ".join(used))


def _parse_alternative(text: str, country: str | None) -> list[Found]:
    """One alternative; what stands in brackets counts only where the rest names no country."""
    outside = _BRACKETS.sub(" ", text)
    places = _parse_sections(outside, country)
    if outside == text or any(place.country for place in places):
        return places
    inside = " - ".join(first or second for first, second in _BRACKETS.findall(text))
    within = _known(_parse_sections(inside, country))
    if not places:
        return within
    if len(within) == 1 and within[0].country:
        return [merged(place, replace(within[0], city=place.city)) for place in places]
    return places


def _parse_sections(text: str, country: str | None) -> list[Found]:
    """Sections divided by dashes add to one another (``Lithuania - Remote``, ``Arizona -
    Phoenix``); two of them in different countries cancel out."""
    best: list[Found] = []
    for section in _DASH.split(text):
        parts = [name for part in section.split(",") if (name := without_noise(part))]
        places = _known(_parse_parts(parts[:_MAX_PARTS], country))
        if not places:
            continue
        ours = {place.country for place in best if place.country}
        theirs = {place.country for place in places if place.country}
        if len(best) == 1 and best[0].country and best[0].city is None and not theirs:
            # India - Hyderabad, where the name alone is no certain country's.
            again = _known(_parse_parts(parts[:_MAX_PARTS], best[0].country))
            places, theirs = again, {place.country for place in again if place.country}
        if ours and theirs and ours != theirs:
            return []
        if not best or not ours:
            best = [
                merged(place, best[0]) if place.city is None and best else place for place in places
            ]
        elif all(place.city is None for place in best) and any(is_known(p) for p in places):
            best = [replace(place, region=place.region or best[0].region) for place in places]
        elif best[0].region is None and best[0].city is None and theirs:
            best = places
    return best


def _parse_parts(parts: list[str], country: str | None) -> list[Found]:
    """The parts between commas, by the first rule that fits."""
    parts = [part for part in parts if fold(part) not in UNIONS and fold(part) not in NO_PLACES]
    if not parts:
        return []
    if (match := _COUNTRY_FIRST.match(parts[0])) and country in (None, "US"):
        place = _in_united_states([match[2], *parts[1:]])
        if place.country in (None, "US"):  # the US Virgin Islands are not
            return [merged(place, Found(country="US", rule="US first"))]
    if match := _STATE_AND_COUNTRY.match(parts[-1]):
        named = country_code(match[2]) if len(match[2]) > 2 else None
        if named and f"{named}-{match[1]}" in gazetteer().subdivision_names:
            parts = [*parts[:-1], match[1], match[2]]  # San Mateo, CA United States
    if len(parts) == 1:
        return [parse_single(parts[0], country)]
    if several := _several_countries(parts):
        return several
    if len(parts) > 1 and country_code(parts[0]) and not _ends_with_region(parts):
        parts = parts[::-1]  # US, CA, Santa Clara
    groups = _groups(parts, country)
    return [place for group in groups for place in _of_group(group, country)]


_OF_ANOTHER = {("US", code) for code in ("PR", "GU", "VI", "AS", "MP")} | {
    ("CN", code) for code in ("HK", "MO", "TW")
}
"""Countries of ISO 3166 that are written before another: San Juan, Puerto Rico, US."""


def _several_countries(parts: list[str]) -> list[Found]:
    """A list of nothing but countries. A name that is written twice is a city's as well
    (``Singapore, Singapore``)."""
    codes = [bare_country(part) for part in parts]
    if None in codes:
        return []
    distinct = [code for code in dict.fromkeys(codes) if code]
    if len(distinct) == 1 and len(parts) == 2 and homes_of(fold(parts[0])).get(distinct[0]):
        return [Found(place_name(parts[0]), None, distinct[0], "a city named like its country")]
    distinct = [
        c for c in distinct if not any((other, c) in _OF_ANOTHER for other in distinct)
    ] or distinct
    if len(parts) == 2 and len(distinct) == 1 and len(set(codes)) == 2:
        kept = next(code for code in codes if code and (distinct[0], code) in _OF_ANOTHER)
        return [Found(country=kept, rule="a country of another")]
    return [Found(country=code, rule="a list of countries") for code in distinct]


def _groups(parts: list[str], country: str | None) -> list[list[str]]:
    """The parts of one place each: towns, then the region, then the country of them
    (``Aurora, IL | New York, NY``)."""
    groups: list[list[str]] = []
    owner: str | None = None
    is_whole = True
    for place, part in enumerate(parts):
        of_part = (
            None if is_whole or not groups else _region_behind(parts[place - 1], part, country)
        )
        named = None if _is_town_of_state(parts, place) else bare_country(part)
        if groups and is_whole and named and named == owner:
            continue  # Scotland, UK, United Kingdom
        if of_part and owner in (None, of_part):
            groups[-1].append(part)
            owner, is_whole = of_part, named is not None
        elif groups and owner is None and not is_whole:
            groups[-1].append(part)
            is_whole = is_abbreviation(part)
        else:
            groups.append([part])
            owner, is_whole = named, named is not None or is_abbreviation(part)
            if is_whole and named is None and place + 1 < len(parts):
                is_whole = not _region_behind(part, parts[place + 1], country)
    return groups


def _is_town_of_state(parts: list[str], place: int) -> bool:
    """Whether what may be a country is a town before its state: Holland, MI."""
    following = parts[place + 1] if place + 1 < len(parts) else ""
    named = country_code(parts[place])
    is_code = following in gazetteer().us_states
    return is_code and len(parts[place]) > 3 and named not in ("US", following, None)


def _region_behind(before: str, part: str, country: str | None) -> str | None:
    """The country that a part names, or whose region it names, behind the town or the region
    ``before`` it."""
    if is_abbreviation(before):
        town = fold(place_name(before) or before)
        lies_there = len(part) == 2 and (town, part.upper()) in gazetteer().us_cities
        return "US" if lies_there or country_code(part) == "US" else None
    return country_at_end(before, part) or subdivision_owner(before, part, country)


def _of_group(parts: list[str], country: str | None) -> list[Found]:
    """The place or places of towns with the region and country behind them."""
    if len(parts) == 1:
        return [parse_single(parts[0], country)]
    *front, last = parts
    if named := country_at_end(front[-1], last) or country_at_end(front[0], last):
        if len(front) == 1:
            return [replace(in_country(front[0], named), rule="country behind the city")]
        return _in_region(front[:-1], front[-1], named, "country behind city and region")
    owner = subdivision_owner(front[-1], last, country) or subdivision_owner(
        front[0], last, country
    )
    if owner:
        if len(last) > 3:
            return _in_region(front, last, owner, "state behind the city")
        return _towns(front, region_name(last, owner), owner, "state behind the city")
    return _several_names(parts, country)


def _in_region(front: list[str], region: str, country: str, rule: str) -> list[Found]:
    """Towns before a name that is their region or, if it is none, a town itself."""
    names = gazetteer()
    folded = fold(region)
    if city := VOCABULARY.city_regions.get(country, {}).get(folded):
        return [Found(city, None, country, rule)]
    is_region = country in names.subdivisions.get(folded, set()) or (
        f"{country}-{region.upper()}" in names.subdivision_names
    )
    is_city = names.cities.get(folded, {}).get(country, 0) >= _MIN_QUARTERED
    # In Great Britain each large town is a part of the country as well.
    if not is_city or (
        is_region and country != "GB" and not is_another_city(front[-1], region, country)
    ):
        return _towns(front, region_name(region, country), country, rule)
    return _towns([*front, region], None, country, rule)


def _towns(front: list[str], region: str | None, country: str, rule: str) -> list[Found]:
    """Towns of one region: those that are known there, else the first that is no institution."""
    known = [name for name in front if lies_in(name, region, country)]
    if region is None and len(known) < len(front):
        known = known[-1:]  # Rusholme, Manchester, UK
    if not known:
        towns = [name for name in front if may_be_town(name)] or front[-1:]
        known = towns[:1]
    found: list[Found] = []
    for name in known:
        place = in_country(name, country)
        if place.city is None and place.region and region:
            place = replace(place, region=region if name == place.region else place.region)
        found.append(Found(place.city, region or place.region, country, rule))
    return found


def _several_names(parts: list[str], country: str | None) -> list[Found]:
    """Parts of which the last is neither a country nor a state."""
    if len(parts) == 2 and _AMERICAN_COUNTY.search(parts[1]) and country in (None, "US"):
        return [replace(in_country(parts[0], "US"), region=None, rule="an American county")]
    singles = [parse_single(part, country) for part in parts]
    last = singles[-1]
    if len(parts) == 2 and _is_quarter(parts[0], last):
        return [replace(last, rule="a quarter of a known city")]
    countries = {place.country for place in singles if place.country}
    if len(countries) == 1 and country is None:
        known = next(iter(countries))
        singles = [
            place
            if place.country
            else in_country(part, known)
            if known in homes_of(fold(part), part, known)
            else NOWHERE
            for part, place in zip(parts, singles, strict=True)
        ]
        if len(parts) == 2 and singles[0].country and singles[1] == NOWHERE:
            return [replace(singles[0], rule="known city before an unknown region")]
    if country and len(parts) == 2 and not all(is_known(place) for place in singles):
        return singles[:1]  # a town and its county
    return singles


def _is_quarter(name: str, city: Found) -> bool:
    """Whether a name before a large city is that of a quarter: it is no city itself, or a far
    smaller one elsewhere."""
    if city.city is None or city.country is None:
        return False
    folded = fold(city.city)
    people = homes_of(folded, city.city).get(city.country, 0)
    if people < _MIN_QUARTERED or is_another_city(name, city.city, city.country):
        return False
    homes = homes_of(fold(name), name)
    largest = max(homes.values(), default=0)
    if fold(city.city) in VOCABULARY.city_regions.get(city.country, {}) and largest * 5 < people:
        return True
    if country_code(name) or fold(name) in gazetteer().us_state_names:
        return False
    return city.country not in homes and largest * 5 < people


def _in_united_states(parts: list[str]) -> Found:
    names = gazetteer()
    if (match := STATE_THEN_CITY.match(parts[0])) and match[1] in names.us_states:
        # What follows the city is often a street or a building.
        is_city = (fold(match[2]), match[1]) in names.us_cities
        city = place_name(match[2]) if is_city else None
        return Found(city, names.us_states[match[1]], "US")
    places = _parse_parts(parts, None)
    return common(places) if places else NOWHERE


def _ends_with_region(parts: list[str]) -> bool:
    """Whether the last part names a state or country, so that the first cannot be the country."""
    last = parts[-1]
    return country_code(last) is not None or last.upper() in gazetteer().us_states
