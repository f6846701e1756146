"""What one name may mean, alone or before another: a town, a state or province, a country.

What cannot be told for certain stays null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from pipeline.transform.understanding.gazetteer import (
    OTHER_CITY_NAMES,
    VOCABULARY,
    OtherName,
    country_code,
    fold,
    gazetteer,
    other_names,
)
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
_STATES_NAMED_LIKE_A_COUNTRY = frozenset(VOCABULARY.words.states_named_like_a_country)
_UNCERTAIN_STATES = frozenset(VOCABULARY.words.uncertain_states)
UNIONS = frozenset(VOCABULARY.words.unions)
_NOISE = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.noise)}(?!\w)")
_PREPOSITION = re.compile(  # IN is Indiana
    r"^(?:(?:City|Town|State|Borough) of|[Ii]n|[Ff]rom|[Tt]he|and|or|at|within|of|à|en|im|bei)\s+"
    r"|\s+(?:in|from|or|and)$"
)
_INSTITUTION = re.compile(rf"(?i)\b{any_of(VOCABULARY.words.institutions)}")
NO_PLACES = frozenset(VOCABULARY.words.no_places)
STATE_THEN_CITY = re.compile(r"^([A-Z]{2})[ -]+(\w.+)$")
_CITY_THEN_STATE = re.compile(r"^(\w.+?) ([A-Z]{2,3})$")


def without_noise(text: str) -> str:
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
    name = without_noise(text)
    folded = fold(name)
    if not folded or folded in UNIONS or not any(char.isalpha() for char in folded):
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


def homes_of(folded: str, name: str = "", country: str | None = None) -> Mapping[str, int]:
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


def is_known(place: Found) -> bool:
    """Whether GeoNames has a city of that name there."""
    return place.city is not None and place.country in homes_of(fold(place.city), place.city)


def bare_country(part: str) -> str | None:
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


def is_abbreviation(part: str) -> bool:
    """SF, NYC, LA: a city by itself in any list."""
    return part.isupper() and len(part) <= 3 and fold(part) in _city_names()


def lies_in(name: str, region: str | None, country: str) -> bool:
    names = gazetteer()
    folded = fold(place_name(name) or name)
    if country == "US" and region in names.state_codes:
        return (folded, names.state_codes[region]) in names.us_cities
    return country in homes_of(folded, name, country)


def may_be_town(name: str) -> bool:
    """Whether an unknown name may be a town's: no institution, number or sentence."""
    return (
        not _INSTITUTION.search(name)
        and not any(char.isdigit() for char in name)
        and len(name.split()) <= 5
        and fold(name) not in NO_PLACES
    )


def is_another_city(name: str, city: str, country: str) -> bool:
    """Whether two names are those of large cities that lie apart (``Munich, Hamburg``), so that
    the second is not where the first lies, though a part of the country may be called like it."""
    names = gazetteer()
    first, second = (fold(place_name(one) or one) for one in (name, city))
    if first == second or names.cities.get(second, {}).get(country, 0) < _LARGE:
        return False
    if max(homes_of(first, name).values(), default=0) < _LARGE:
        return False
    if (first, names.state_codes.get(city.title())) in names.us_cities:
        return False  # Seattle, Washington
    there = names.sites.get((second, country), [])
    # England is a part of Great Britain as large as a country.
    return not any(
        site.is_near(other) or (site.part == other.part and country != "GB")
        for site in names.sites.get((first, country), [])
        for other in there
    )


def country_at_end(before: str, last: str) -> str | None:
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


def subdivision_owner(city: str, region: str, country: str | None) -> str | None:
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
        return None if is_another_city(city, region, country) else country
    if len(owners) > 1:
        owners &= set(homes)
    if len(owners) > 1:
        return _dominant({owner: homes[owner] for owner in owners})
    owner = next(iter(owners), None)
    if owner and is_another_city(city, region, owner):
        return None
    is_elsewhere = owner not in homes and max(homes.values(), default=0) >= _LARGE
    if owner and is_elsewhere and names.cities.get(fold(region), {}).get(owner, 0) >= _LARGE:
        return None  # Berlin, Barcelona
    return owner


def in_country(name: str, country: str) -> Found:
    """``name, country``: a city, unless only a subdivision has that name."""
    names = gazetteer()
    region = names.subdivision_names.get(f"{country}-{name}")
    if region:
        return Found(None, region, country)
    is_city = country in homes_of(fold(name), name, country)
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
    if not is_city and not may_be_town(name):
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


def parse_single(text: str, country: str | None) -> Found:
    """A name that stands alone, by the first rule that answers."""
    if country:
        if country_code(text) == country:
            return Found(country=country, rule="the known country")
        return replace(in_country(text, country), rule="in the known country")
    folded = fold(text)
    if folded in NO_PLACES:
        return NOWHERE
    name = _Name(text, folded, homes_of(folded, text))
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
    if (match := STATE_THEN_CITY.match(name.text)) and match[1] in states:
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
        return in_country(city, names.countries[fold(code)])
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
