"""What one text says of places: every place that it names, as far as each is known.

A text names alternatives (``Berlin / Munich``), each in sections (``Lithuania - Remote``), each in
parts between commas (``Austin, TX``). What cannot be told for certain stays null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pycountry

from pipeline.transform.understanding.gazetteer import (
    OTHER_CITY_NAMES,
    VOCABULARY,
    OtherName,
    country_code,
    fold,
    gazetteer,
    other_names,
)
from pipeline.transform.understanding.postcodes import without_codes
from pipeline.transform.vocabulary import any_of


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

_DOMINANCE_OVER_AMERICA = 3
"""The same where the next country is the United States: there the state is named with a town that
is called like a larger one abroad."""

_LARGE = 100_000
"""From so many people on, a city abroad (Florianópolis, SC) outweighs an unknown American town."""


_MIN_QUARTERED = 100_000
"""From so many people on, a city is where an unknown name before it lies (Rusholme, Manchester)."""
_MAX_PARTS = 40

_STATES_NAMED_LIKE_A_COUNTRY = frozenset(VOCABULARY.words.states_named_like_a_country)
_UNCERTAIN_STATES = frozenset(VOCABULARY.words.uncertain_states)
_UNIONS = frozenset(VOCABULARY.words.unions)
_COUNTY = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.county)}$")
_NOISE = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.noise)}(?!\w)")
_PREPOSITION = re.compile(  # IN is Indiana
    r"^(?:(?:City|Town|State|Borough) of|[Ii]n|[Ff]rom|[Tt]he|and|or|at|within|of|à|en|im|bei)\s+"
    r"|\s+(?:in|from|or|and)$"
)
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
_INSTITUTION = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.institutions)}")
_AMERICAN_COUNTY = re.compile(r"\w (?:County|Parish)$")
_NO_PLACES = frozenset(VOCABULARY.words.no_places)
_DASH = re.compile(r"\s+[-–—]\s+|:\s")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_STATE_THEN_CITY = re.compile(r"^([A-Z]{2})[ -]+(\w.+)$")
_CITY_THEN_STATE = re.compile(r"^(\w.+?) ([A-Z]{2,3})$")
_COUNTRY_FIRST = re.compile(r"^(USA?)[ -]+(\w.*)$")
"""``US-NY-Rochester``, as Workday writes places, and ``USA Richardson, TX``."""
_STATE_AND_COUNTRY = re.compile(r"^([A-Z]{2}) (\w.+)$")
_MAX_CHARS = 300


def read_places(text: str, country: str | None = None) -> list[Found]:
    """Every place that a text names, without repetitions. ``country``, where known, decides what
    an ambiguous name means."""
    plain = without_codes(_AND_MORE.sub(" ", text[:_MAX_CHARS]))
    text = plain.text
    if text.count("(") != text.count(")") or _ALTERNATIVE_INSIDE.search(text):
        text = text.replace("(", " - ").replace(")", " ")  # Remote (US/CA)
    country = country or plain.country
    whole = _without_noise(text)
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
    code = _without_noise(text)
    if len(code) == 2 and code.isupper() and pycountry.countries.get(alpha_2=code):
        return [Found(country=code, rule="a code among countries")]
    return []


def _completed(place: Found, countries: set[str]) -> Found:
    """A city of several countries is the one of the country that its neighbours are in."""
    if place.country or not place.city or len(countries) != 1:
        return place
    country = next(iter(countries))
    if country in _homes(fold(place.city)):
        return replace(place, country=country, rule="a city among others of its country")
    return place


def _known(places: Iterable[Found]) -> list[Found]:
    return [place for place in places if place != NOWHERE]


def _distinct(places: Iterable[Found]) -> list[Found]:
    """Without repetitions, and without a country or a region of which a city is named; behind a
    borough, its city."""
    distinct: dict[Found, None] = {}
    for place in _known(places):
        distinct[place] = None
        borough = (place.country or "", fold(place.city or ""))
        if city := gazetteer().city_of_borough.get(borough):
            distinct[Found(city, place.region, place.country, "the city of a borough")] = None
    with_city = {place.country for place in distinct if place.city}
    return [place for place in distinct if place.city or place.country not in with_city]


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


def _without_noise(text: str) -> str:
    text = _NOISE.sub(" ", text)
    before = None
    while text != before:
        before = text
        text = _PREPOSITION.sub("", text.strip(" -–—,:.*"))
    return re.sub(r"\s+", " ", text)


def place_name(text: str | None) -> str | None:
    """A name that stands for one place, in its usual spelling; null for ``Remote``, a continent
    and other words that name none."""
    if text is None:
        return None
    as_written = fold(text.strip())
    if as_written in _city_names():
        return _city_names()[as_written]  # Bay Area
    name = _without_noise(text)
    folded = fold(name)
    if not folded or folded in _UNIONS or not any(char.isalpha() for char in folded):
        return None
    if other := _city_names().get(folded):
        return other
    if folded in gazetteer().cities:
        return name if _has_case(name) else _spelling(folded, name)
    if (other_name := _other_name(name, folded)) is not None:
        return _city_names().get(fold(other_name.city), other_name.city)
    return name if _has_case(name) else name.title()


def _has_case(name: str) -> bool:
    """Whether it is written in capitals and small letters as names are."""
    return not (name.islower() or (name.isupper() and len(name) > 3))


def _spelling(folded: str, name: str) -> str:
    return gazetteer().spellings.get(folded, name.title())


def _other_name(name: str, folded: str, country: str | None = None) -> OtherName | None:
    """What GeoNames' alternate name of a city means."""
    if folded in gazetteer().cities or not name[:1].isalpha():
        return None
    if name.isascii() and name.islower():
        return None
    other = other_names().get(folded)
    if other and (other.is_certain or other.country == country):
        return other
    return None


def _homes(folded: str, name: str = "", country: str | None = None) -> Mapping[str, int]:
    """The people of the largest city of that name in each country."""
    homes = gazetteer().cities.get(folded)
    if homes is None and name and (other := _other_name(name, folded, country)):
        return {other.country: other.people}
    return homes or {}


@lru_cache(maxsize=1)
def _city_names() -> dict[str, str]:
    return {fold(alias): name for alias, name in OTHER_CITY_NAMES.items() if fold(alias) != "ny"}


def region_name(region: str | None, country: str | None) -> str | None:
    if region is None or country is None:
        return region
    return gazetteer().subdivision_names.get(f"{country}-{fold(region).upper()}", region)


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
        parts = [name for part in section.split(",") if (name := _without_noise(part))]
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


def is_known(place: Found) -> bool:
    """Whether GeoNames has a city of that name there."""
    return place.city is not None and place.country in _homes(fold(place.city), place.city)


def _parse_parts(parts: list[str], country: str | None) -> list[Found]:
    """The parts between commas, by the first rule that fits."""
    parts = [part for part in parts if fold(part) not in _UNIONS and fold(part) not in _NO_PLACES]
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
        return [_parse_single(parts[0], country)]
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
    codes = [_bare_country(part) for part in parts]
    if None in codes:
        return []
    distinct = [code for code in dict.fromkeys(codes) if code]
    if len(distinct) == 1 and len(parts) == 2 and _homes(fold(parts[0])).get(distinct[0]):
        return [Found(place_name(parts[0]), None, distinct[0], "a city named like its country")]
    distinct = [
        c for c in distinct if not any((other, c) in _OF_ANOTHER for other in distinct)
    ] or distinct
    if len(parts) == 2 and len(distinct) == 1 and len(set(codes)) == 2:
        kept = next(code for code in codes if code and (distinct[0], code) in _OF_ANOTHER)
        return [Found(country=kept, rule="a country of another")]
    return [Found(country=code, rule="a list of countries") for code in distinct]


def _bare_country(part: str) -> str | None:
    """The country that a part of a list names: by a name, or by a code that is no US state's
    (``US, CA`` may be California)."""
    folded = fold(part)
    is_part = folded in gazetteer().subdivisions and folded not in gazetteer().countries
    if folded in _STATES_NAMED_LIKE_A_COUNTRY or (is_part and len(part) > 3):
        return None  # Scotland
    if len(part) <= 3 and not part.isupper():
        return None
    if len(part) == 2 and folded not in gazetteer().countries and part in gazetteer().us_states:
        return None
    return country_code(part)


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
        named = None if _is_town_of_state(parts, place) else _bare_country(part)
        if groups and is_whole and named and named == owner:
            continue  # Scotland, UK, United Kingdom
        if of_part and owner in (None, of_part):
            groups[-1].append(part)
            owner, is_whole = of_part, named is not None
        elif groups and owner is None and not is_whole:
            groups[-1].append(part)
            is_whole = _is_abbreviation(part)
        else:
            groups.append([part])
            owner, is_whole = named, named is not None or _is_abbreviation(part)
            if is_whole and named is None and place + 1 < len(parts):
                is_whole = not _region_behind(part, parts[place + 1], country)
    return groups


def _is_town_of_state(parts: list[str], place: int) -> bool:
    """Whether what may be a country is a town before its state: Holland, MI."""
    following = parts[place + 1] if place + 1 < len(parts) else ""
    named = country_code(parts[place])
    is_code = following in gazetteer().us_states
    return is_code and len(parts[place]) > 3 and named not in ("US", following, None)


def _is_abbreviation(part: str) -> bool:
    """SF, NYC, LA: a city by itself in any list."""
    return part.isupper() and len(part) <= 3 and fold(part) in _city_names()


def _region_behind(before: str, part: str, country: str | None) -> str | None:
    """The country that a part names, or whose region it names, behind the town or the region
    ``before`` it."""
    if _is_abbreviation(before):
        town = fold(place_name(before) or before)
        lies_there = len(part) == 2 and (town, part.upper()) in gazetteer().us_cities
        return "US" if lies_there or country_code(part) == "US" else None
    return _country_at_end(before, part) or _subdivision_owner(before, part, country)


def _of_group(parts: list[str], country: str | None) -> list[Found]:
    """The place or places of towns with the region and country behind them."""
    if len(parts) == 1:
        return [_parse_single(parts[0], country)]
    *front, last = parts
    if named := _country_at_end(front[-1], last) or _country_at_end(front[0], last):
        if len(front) == 1:
            return [replace(_in_country(front[0], named), rule="country behind the city")]
        return _in_region(front[:-1], front[-1], named, "country behind city and region")
    owner = _subdivision_owner(front[-1], last, country) or _subdivision_owner(
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
    if not is_city or (is_region and country != "GB"):
        return _towns(front, region_name(region, country), country, rule)
    return _towns([*front, region], None, country, rule)


def _towns(front: list[str], region: str | None, country: str, rule: str) -> list[Found]:
    """Towns of one region: those that are known there, else the first that is no institution."""
    known = [name for name in front if _lies_in(name, region, country)]
    if region is None and len(known) < len(front):
        known = known[-1:]  # Rusholme, Manchester, UK
    if not known:
        towns = [name for name in front if _may_be_town(name)] or front[-1:]
        known = towns[:1]
    found: list[Found] = []
    for name in known:
        place = _in_country(name, country)
        if place.city is None and place.region and region:
            place = replace(place, region=region if name == place.region else place.region)
        found.append(Found(place.city, region or place.region, country, rule))
    return found


def _lies_in(name: str, region: str | None, country: str) -> bool:
    names = gazetteer()
    folded = fold(place_name(name) or name)
    if country == "US" and region in names.state_codes:
        return (folded, names.state_codes[region]) in names.us_cities
    return country in _homes(folded, name, country)


def _may_be_town(name: str) -> bool:
    """Whether an unknown name may be a town's: no institution, number or sentence."""
    return (
        not _INSTITUTION.search(name)
        and not any(char.isdigit() for char in name)
        and len(name.split()) <= 5
        and fold(name) not in _NO_PLACES
    )


def _several_names(parts: list[str], country: str | None) -> list[Found]:
    """Parts of which the last is neither a country nor a state."""
    if len(parts) == 2 and _AMERICAN_COUNTY.search(parts[1]) and country in (None, "US"):
        return [replace(_in_country(parts[0], "US"), region=None, rule="an American county")]
    singles = [_parse_single(part, country) for part in parts]
    last = singles[-1]
    if len(parts) == 2 and _is_quarter(parts[0], last):
        return [replace(last, rule="a quarter of a known city")]
    countries = {place.country for place in singles if place.country}
    if len(countries) == 1 and country is None:
        known = next(iter(countries))
        singles = [
            place
            if place.country
            else _in_country(part, known)
            if known in _homes(fold(part), part, known)
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
    people = _homes(folded, city.city).get(city.country, 0)
    if people < _MIN_QUARTERED:
        return False
    homes = _homes(fold(name), name)
    largest = max(homes.values(), default=0)
    if fold(city.city) in VOCABULARY.city_regions.get(city.country, {}) and largest * 5 < people:
        return True
    if country_code(name) or fold(name) in gazetteer().us_state_names:
        return False
    return city.country not in homes and largest * 5 < people


def _in_united_states(parts: list[str]) -> Found:
    names = gazetteer()
    if (match := _STATE_THEN_CITY.match(parts[0])) and match[1] in names.us_states:
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


def _country_at_end(before: str, last: str) -> str | None:
    """The country that the last of several parts names; a code of two letters that is also a
    US state's is decided by whether the city before it lies there."""
    names = gazetteer()
    folded = fold(last)
    if folded in _STATES_NAMED_LIKE_A_COUNTRY:
        cities = names.cities.get(fold(before), {})
        return "GE" if "GE" in cities and "US" not in cities else None
    code = country_code(last)
    if code is None:
        return None
    if len(last) != 2 or folded == "uk":
        elsewhere = names.cities.get(fold(before), {})
        is_region = code in names.subdivisions.get(fold(before), set())
        if code not in elsewhere and not is_region and max(elsewhere.values(), default=0) >= _LARGE:
            return None  # London, Singapore
        return code
    if not last.isupper():
        return None
    if last not in names.us_states:
        homes = names.cities.get(fold(before), {})
        is_state = any(f"{home}-{last}" in names.subdivision_names for home in homes)
        return None if code not in homes and is_state else code  # Porto Alegre, RS
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
    owner = next(iter(owners), None)
    is_elsewhere = owner not in homes and max(homes.values(), default=0) >= _LARGE
    if owner and is_elsewhere and names.cities.get(fold(region), {}).get(owner, 0) >= _LARGE:
        return None  # Berlin, Barcelona
    return owner


def _in_country(name: str, country: str) -> Found:
    """``name, country``: a city, unless only a subdivision has that name."""
    names = gazetteer()
    region = names.subdivision_names.get(f"{country}-{name}")
    if region:
        return Found(None, region, country)
    is_city = country in _homes(fold(name), name, country)
    if (
        not is_city
        and country in names.subdivisions.get(fold(name), set())
        and (country != "GB" or fold(name) not in names.boroughs)
    ):
        return Found(None, name, country)
    if match := _CITY_THEN_STATE.match(name):
        state = names.subdivision_names.get(f"{country}-{match[2]}")
        if state:
            return Found(place_name(match[1]), state, country)
    if not is_city and not _may_be_town(name):
        return Found(country=country)
    if not is_city and fold(name) in names.countries:
        return Found(country=country)  # another country is no city of it
    other = None if fold(name) in _city_names() else _other_name(name, fold(name), country)
    city = other.city if other else name
    return Found(place_name(city), None, country)


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
    if folded in _NO_PLACES:
        return NOWHERE
    name = _Name(text, folded, _homes(folded, text))
    for rule, answer in _RULES_OF_ONE_NAME.items():
        if (place := answer(name)) is not None:
            return replace(place, rule=rule)
    return NOWHERE


def _two_letters(name: _Name) -> Found | None:
    """``NY`` is a city, ``TX`` a state, ``FR`` a country; ``CA``, both, is none for certain."""
    if len(name.text) != 2 or not name.text.isascii() or name.folded in gazetteer().countries:
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
        return Found(place_name(match[2]), states[match[1]], "US")
    return None


def _code_behind_city(name: _Name) -> Found | None:
    """``Austin TX``, ``Paris FR``, ``London UK``."""
    names = gazetteer()
    if not (match := _CITY_THEN_STATE.match(name.text)):
        return None
    city, code = match[1], match[2]
    if code in names.us_states and (fold(city), code) in names.us_cities:
        return Found(place_name(city), names.us_states[code], "US")
    homes = names.cities.get(fold(city), {})
    for home, people in homes.items():
        region = names.subdivision_names.get(f"{home}-{code}")
        if region and home != "US" and (people >= _LARGE or len(homes) == 1):
            return Found(place_name(city), region, home)  # Sydney NSW
    country = country_code(code) if len(code) == 2 else None
    if country and country in names.cities.get(fold(city), {}):
        return Found(place_name(city), None, country)
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
    return None if country is None else Found(place_name(name.text), None, country or None)


def _largest_city(name: _Name) -> Found | None:
    owners = gazetteer().subdivisions.get(name.folded, set())
    dominant = _dominant(name.homes)
    if dominant and (not owners or dominant in owners):
        return Found(place_name(name.text), None, dominant)
    return None


def _only_subdivision(name: _Name) -> Found | None:
    owners = gazetteer().subdivisions.get(name.folded, set())
    return (
        Found(None, name.text, next(iter(owners))) if len(owners) == 1 and not name.homes else None
    )


def _city_somewhere(name: _Name) -> Found | None:
    return Found(place_name(name.text)) if name.homes else None


def _behind_institution(name: _Name) -> Found | None:
    """``University of California Los Angeles``: the name's last words."""
    if name.homes or not _INSTITUTION.search(name.text):
        return None
    words = name.text.split()
    for length in (3, 2, 1):
        if length < len(words):
            last = " ".join(words[-length:])
            homes = gazetteer().cities.get(fold(last), {})
            dominant = _dominant(homes)
            if dominant and homes[dominant] >= _LARGE and not _INSTITUTION.search(last):
                return Found(place_name(last), None, dominant)
    return NOWHERE


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
    "a city behind an institution": _behind_institution,
    "the only state or province of that name": _only_subdivision,
    "a city of several countries": _city_somewhere,
}
"""In the order in which they are asked."""


def _dominant(homes: Mapping[str, int]) -> str | None:
    ranked = sorted(homes.items(), key=lambda home: -home[1])
    if not ranked:
        return None
    if len(ranked) == 1:
        return ranked[0][0]
    (country, people), (second, people_there) = ranked[:2]
    times = _DOMINANCE_OVER_AMERICA if second == "US" else _DOMINANCE
    if people >= times * people_there and all(
        people >= _DOMINANCE * others for other, others in ranked[2:]
    ):
        return country
    return None
