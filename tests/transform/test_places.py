from __future__ import annotations

import pytest

from pipeline.transform.understanding.gazetteer import country_code
from pipeline.transform.understanding.places import find, locate


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Gothenburg, Västra Götaland, Sweden", ("Gothenburg", "Västra Götaland", "SE")),
        ("Austin, TX", ("Austin", "Texas", "US")),
        ("Philadelphia, Pa", ("Philadelphia", "Pennsylvania", "US")),
        ("Portland, OR", ("Portland", "Oregon", "US")),
        ("Campinas, SP", ("Campinas", "São Paulo", "BR")),
        ("Florianópolis, SC", ("Florianópolis", "Santa Catarina", "BR")),
        ("Charleston, SC", ("Charleston", "South Carolina", "US")),
        ("Ontario, CA", ("Ontario", "California", "US")),
        ("Toronto, CA", ("Toronto", None, "CA")),
        ("Berlin, DE", ("Berlin", None, "DE")),
        ("Wilmington, DE", ("Wilmington", "Delaware", "US")),
        ("Annapolis Junction, MD", ("Annapolis Junction", "Maryland", "US")),
        ("Vancouver, BC", ("Vancouver", "British Columbia", "CA")),
        ("Toronto, ON, Canada", ("Toronto", "Ontario", "CA")),
        ("US, CA, Santa Clara", ("Santa Clara", "California", "US")),
        ("US-NY-Rochester", ("Rochester", "New York", "US")),
        ("USA VA Manassas", ("Manassas", "Virginia", "US")),
        ("US-CA-EL SEGUNDO-BLDG E1", (None, "California", "US")),
        ("USA Richardson, TX", ("Richardson", "Texas", "US")),
        ("San Mateo, CA United States", ("San Mateo", "California", "US")),
        ("Munich, BY Germany", ("Munich", "Bayern", "DE")),
        ("Charlotte,North Carolina", ("Charlotte", "North Carolina", "US")),
        ("Quezon City, Metro Manila", ("Quezon City", "Metro Manila", "PH")),
        ("Buenos Aires, Buenos Aires", ("Buenos Aires", "Buenos Aires", "AR")),
        ("Madrid HQ, ES", ("Madrid", None, "ES")),
        ("MD Chevy Chase (Office) - JPS", ("Chevy Chase", "Maryland", "US")),
        (
            "Bala Cynwyd (Philadelphia Area), Pennsylvania",
            ("Bala Cynwyd", "Pennsylvania", "US"),
        ),
        ("Maryland, United States", (None, "Maryland", "US")),
        ("Scotland, UK", (None, "Scotland", "GB")),
        ("York, UK", ("York", None, "GB")),
        ("Tbilisi, Georgia", ("Tbilisi", None, "GE")),
        ("Atlanta, Georgia", ("Atlanta", "Georgia", "US")),
        ("Remote - New Zealand", (None, None, "NZ")),
        ("Lithuania - Remote", (None, None, "LT")),
        ("United States (Remote)", (None, None, "US")),
        ("Remote in Canada", (None, None, "CA")),
        ("REMOTE - Utah and Colorado based Only", (None, None, "US")),
        ("New York City / San Francisco / Los Angeles / Remote", ("New York", None, "US")),
        ("NYC", ("New York", None, "US")),
        ("Bengaluru", ("Bengaluru", None, "IN")),
        ("London", ("London", None, "GB")),
        ("Trinidad and Tobago", (None, None, "TT")),
    ],
)
def test_free_text_is_read(text: str, place: tuple[str | None, str | None, str | None]) -> None:
    assert locate(text, None, None, None) == place


@pytest.mark.parametrize(
    "text",
    ["Remote", "Anywhere", "Remote EMEA", "Multiple Locations", "Georgia", "CA", "IN", "Cambridge",
     "San Jose", "Remote - US/Canada", "San Francisco and Toronto and Vienna", "-", "💥", "()"],
)  # fmt: skip
def test_an_ambiguous_country_stays_null(text: str) -> None:
    assert locate(text, None, None, None).country is None


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ((None, "Irving", "TX", "US"), ("Irving", "Texas", "US")),
        ((None, "Toronto", "ON", "CA"), ("Toronto", "Ontario", "CA")),
        (
            ("Coventry, West Midlands", "Coventry", "West Midlands", "UK"),
            ("Coventry", "West Midlands", "GB"),
        ),
        (("UK", None, None, "UK"), (None, None, "GB")),
        (("Remote", "Remote", None, "us"), (None, None, "US")),
        (("Paris, France", None, None, "US"), (None, None, "US")),
    ],
)
def test_the_sources_own_fields_come_first(
    fields: tuple[str | None, str | None, str | None, str | None],
    place: tuple[str | None, str | None, str | None],
) -> None:
    assert locate(*fields) == place


@pytest.mark.parametrize(
    ("name", "code"),
    [("UK", "GB"), ("England", "GB"), ("usa", "US"), ("Deutschland", "DE"), ("DEU", "DE"),
     ("Viet Nam", "VN"), ("South Korea", "KR"), ("us", "US"), ("ZZ", None), ("", None)],
)  # fmt: skip
def test_countries_by_name_and_code(name: str | None, code: str | None) -> None:
    assert country_code(name) == code


def test_the_district_of_columbia_is_not_the_state_of_washington() -> None:
    district = locate("Washington, D.C., US", "Washington", "Washington, D.C.", "US")
    state = locate("International, King County", None, "Washington", "US")
    assert district.region != state.region == "Washington"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Berlin, Germany", "country behind the city"),
        ("Austin, TX", "state behind the city"),
        ("TX", "two letters"),
        ("Georgia", ""),
        ("Lithuania - Remote", "a country"),
        ("London UK", "a code behind the city"),
        ("Utah", "an American state"),
        ("Barcelona", "a city of places.toml"),
        ("Hamburg", "the largest city of that name"),
        ("Berlin / Munich", "common to several places"),
        ("Xyzzy", ""),
    ],
)
def test_a_place_says_which_rule_found_it(text: str, rule: str) -> None:
    assert find(text, None, None, None).rule == rule


def test_the_rule_of_the_sources_fields_comes_first() -> None:
    assert find("Leipzig", "Berlin", None, "DE").rule == "the source's fields"
    both = find("Berlin, Germany", None, None, "Germany")
    assert both.rule == "the source's fields, country behind the city"
