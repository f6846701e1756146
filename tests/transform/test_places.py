from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.understanding.gazetteer import country_code
from pipeline.transform.understanding.places import find, find_all, locate, with_place


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
        # postcodes, departments, flags
        ("Austin, TX 78701", ("Austin", "Texas", "US")),
        ("10115 Berlin", ("Berlin", None, "DE")),
        ("D-80331 München", ("Munich", None, "DE")),
        ("75008 Paris", ("Paris", None, "FR")),
        ("London EC2A 4NE", ("London", None, "GB")),
        ("SW1A London", ("London", None, "GB")),
        ("Lyon 69", ("Lyon", None, "FR")),
        ("Nantes (44) + 1 lieu", ("Nantes", None, "FR")),
        ("Some Village (06)", ("Some Village", None, "FR")),
        ("Lyon 3e arrondissement", ("Lyon", None, "FR")),
        ("🇩🇪 Berlin", ("Berlin", None, "DE")),
        ("🇺🇸 United States", (None, None, "US")),
        # names of its own, others' and older ones
        ("Nürnberg, Germany", ("Nuremberg", None, "DE")),
        ("Muenchen", ("Munich", None, "DE")),
        ("Köln", ("Cologne", None, "DE")),
        ("Wien", ("Vienna", None, "AT")),
        ("Warszawa", ("Warsaw", None, "PL")),
        ("København", ("Copenhagen", None, "DK")),
        ("東京", ("Tokyo", None, "JP")),
        ("Genève", ("Geneva", None, "CH")),
        ("Gurgaon", ("Gurugram", None, "IN")),
        ("Lisboa", ("Lisbon", None, "PT")),
        ("Bruxelles", ("Brussels", None, "BE")),
        ("Den Haag", ("The Hague", None, "NL")),
        ("hyderabad", ("Hyderabad", None, "IN")),
        ("BERLIN", ("Berlin", None, "DE")),
        # quarters, institutions, counties
        ("Old Quarter, Manchester", ("Manchester", None, "GB")),
        ("Central London, London", ("London", None, "GB")),
        ("Somewhere, Leeds", ("Leeds", None, "GB")),
        ("A State University, Boulder, CO", ("Boulder", "Colorado", "US")),
        ("University of Somewhere Los Angeles", ("Los Angeles", None, "US")),
        ("Hackney, England, UK", ("Hackney", "England", "GB")),
        ("Vale of Glamorgan, Wales, UK", (None, "Wales", "GB")),
        ("Noida", ("Noida", None, "IN")),
        ("Austin, Travis County", ("Austin", None, "US")),
        ("Arizona - Phoenix", ("Phoenix", "Arizona", "US")),
        ("Sydney NSW", ("Sydney", "New South Wales", "AU")),
        # words that are no place
        ("Virtual - US", (None, None, "US")),
        ("Nationwide, US", (None, None, "US")),
        ("United States - Remote Opportunity", (None, None, "US")),
        ("Remote, Remote Job, Poland", (None, None, "PL")),
    ],
)
def test_free_text_is_read(text: str, place: tuple[str | None, str | None, str | None]) -> None:
    assert locate(text, None, None, None) == place


@pytest.mark.parametrize(
    "text",
    ["Remote", "Anywhere", "Remote EMEA", "Multiple Locations", "Georgia", "CA", "IN", "Cambridge",
     "San Jose", "Remote - US/Canada", "2 Locations", "Flexible / Remote", "Telecommute",
     "Newtown, Disley", "St. James", "San Francisco and Toronto and Vienna", "-", "💥", "()"],
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


@pytest.mark.parametrize(
    ("text", "cities", "countries"),
    [
        ("US, Canada", [], ["US", "CA"]),
        ("United States, Canada, UK", [], ["US", "CA", "GB"]),
        ("Remote (US/CA)", [], ["US", "CA"]),
        ("Germany, Austria or Switzerland", [], ["DE", "AT", "CH"]),
        ("Berlin, Barcelona", ["Berlin", "Barcelona"], ["DE", "ES"]),
        ("London, NYC, Singapore", ["London", "New York"], ["GB", "US", "SG"]),
        ("London, Berlin or Remote (EU)", ["London", "Berlin"], ["GB", "DE"]),
        ("Paris, France; London, United Kingdom", ["Paris", "London"], ["FR", "GB"]),
    ],
)
def test_several_countries_are_all_kept_and_none_is_the_one(
    text: str, cities: list[str], countries: list[str]
) -> None:
    located = find_all(text, None, None, None)
    assert [found.city for found in located.every if found.city] == cities
    assert list(dict.fromkeys(found.country for found in located.every)) == countries
    assert located.place.country is None
    assert located.place.city is None


@pytest.mark.parametrize(
    ("text", "cities"),
    [
        ("Berlin / Munich", ["Berlin", "Munich"]),
        ("SF, LA, NYC", ["San Francisco", "Los Angeles", "New York"]),
        ("Seattle, WA, SF, Austin, TX", ["Seattle", "San Francisco", "Austin"]),
        ("Aurora, IL, United States; Irving, TX, United States", ["Aurora", "Irving"]),
        ("Sheffield, UK, Liverpool, UK", ["Sheffield", "Liverpool"]),
        ("Brooklyn, NY", ["Brooklyn", "New York"]),
        ("Boston, MA; Remote, US", ["Boston"]),
        ("London or Remote within the UK, Germany or Ireland", ["London"]),
    ],
)
def test_of_several_cities_in_one_country_the_first_is_the_one(
    text: str, cities: list[str]
) -> None:
    located = find_all(text, None, None, None)
    assert [found.city for found in located.every if found.city] == cities
    assert located.place.city == cities[0]


_SCHEMA: dict[str, Any] = dict.fromkeys(
    ("title", "description", "location_text", "city", "region", "country"), pl.String
)


def _read(**posting: str) -> dict[str, Any]:
    frame = pl.DataFrame([{name: posting.get(name) for name in _SCHEMA}], schema=_SCHEMA)
    return with_place(frame.lazy()).collect().to_dicts()[0]


@pytest.mark.parametrize(
    ("text", "city", "country"),
    [
        ("About us\nLocation: Berlin, Germany\nStart: now", "Berlin", "DE"),
        ("Standort: München", "Munich", "DE"),
        ("Lieu : Nantes", "Nantes", "FR"),
        ("This role is based in Lisbon.", "Lisbon", "PT"),
        ("You work two days a week in our Warsaw office.", "Warsaw", "PL"),
        ("Location: Remote (US)", None, "US"),
        # not the job's place, or none
        ("We are headquartered in Berlin and have offices in Lisbon.", None, None),
        ("Relocations: sadly no, Ama.", None, None),
        ("The role is based in our main office and on the road.", None, None),
        ("Acme is a startup based in Paris.", None, None),
        ("You will be based at customers all over the place.", None, None),
        # facts within a line
        ("We sell tea. Location: Porto, Portugal. Pay: good", "Porto", "PT"),
        ("Job type Full-time Location: Porto, Portugal Team: Platform", "Porto", "PT"),
        ("Initech | Tester | On-site | San Diego | Full-time", "San Diego", "US"),
        ("Tester [on-site Porto] for our shop", "Porto", "PT"),
        ("Initech | On-site | Full-time", None, None),
        ("Our allocation: Porto is no place here", None, None),
    ],
)
def test_the_text_is_read_where_the_location_says_nothing(
    text: str, city: str | None, country: str | None
) -> None:
    read = _read(title="Engineer", description=text, location_text="Remote")
    assert (read["city"], read["country"]) == (city, country)
    assert {each["origin"] for each in read["_evidence_place"]} == ({"body"} if country else set())


def test_the_text_never_moves_a_job_abroad() -> None:
    read = _read(location_text="Remote, India", description="Location: Berlin, Germany")
    assert (read["city"], read["countries"]) == (None, ["IN"])


def test_a_title_may_end_with_a_metropolis_of_the_known_country() -> None:
    known = _read(title="Consultant - Munich", location_text="Remote: Germany")
    assert (known["city"], known["country"]) == ("Munich", "DE")
    assert known["_evidence_place"][-1]["origin"] == "title"
    assert _read(title="Engineer - Mobile", location_text="US")["city"] is None
    assert _read(title="Consultant - Munich")["city"] is None


def test_evidence_of_a_place() -> None:
    read = _read(location_text="Paris, France", country="US")
    assert [
        (each["field"], each["value"], each["origin"], each["words"], each["decides"])
        for each in read["_evidence_place"]
    ] == [
        ("country", "US", "field", "US", True),
        ("country", "FR", "place", "Paris, France", False),
    ]


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_located(text: str) -> None:
    find_all(text, None, None, None)
    find_all(text, text, text, text)
    _read(title=text, description=text, location_text=text)


@given(
    st.lists(
        st.sampled_from(
            [
                "US",
                "CA",
                ",",
                "/",
                " or ",
                "(",
                ")",
                " - ",
                "Berlin",
                "Remote",
                "SF",
                "NY",
                ";",
                "Singapore",
                "Georgia",
                "75",
                "in",
                "UK",
            ]
        ),
        max_size=25,
    )
)
@settings(max_examples=300, deadline=None)
def test_any_list_of_names_can_be_located(parts: list[str]) -> None:
    located = find_all(" ".join(parts), None, None, None)
    assert located.place.country is None or len(located.place.country) == 2


@pytest.mark.parametrize(
    ("text", "cities", "countries"),
    [
        ("US/Canada, ET/CT/MT", [], ["US", "CA"]),
        ("PT/ET hours preferred", [], []),
        ("Remote (US, EST or PST hours)", [], ["US"]),
        ("Remote, EU time zone", [], []),
        ("Remote (EST)", [], []),
        ("US East/Central", [], ["US"]),
        ("US North Carolina", [], ["US"]),
        ("US South Bend, IN", ["South Bend"], ["US"]),
        ("Lisbon, PT", ["Lisbon"], ["PT"]),
        ("Portugal, PT/ES", [], ["PT", "ES"]),
        ("Helena, MT / Hartford, CT", ["Helena", "Hartford"], ["US"]),
        ("Jackson County, MO", [], ["US"]),
        ("London, Paris, New York", ["London", "Paris", "New York"], ["GB", "FR", "US"]),
        ("Chicago, New York", ["Chicago", "New York"], ["US"]),
        ("Albany, New York", ["Albany"], ["US"]),
        ("Tacoma, Washington", ["Tacoma"], ["US"]),
        ("Brooklyn, New York", ["Brooklyn", "New York"], ["US"]),
        ("Hamburg, Berlin", ["Hamburg", "Berlin"], ["DE"]),
        ("Köln, München, Berlin", ["Cologne", "Munich", "Berlin"], ["DE"]),
        ("Altona, Hamburg", ["Hamburg"], ["DE"]),
        ("Leeds, London", ["Leeds", "London"], ["GB"]),
        ("Wembley, London", ["London"], ["GB"]),
        ("Sevilla, Valencia, Spain", ["Seville", "Valencia"], ["ES"]),
        ("Getafe, Madrid, Spain", ["Getafe"], ["ES"]),
        ("Campinas, São Paulo", ["Campinas"], ["BR"]),
        ("Recife, São Paulo", ["Recife", "São Paulo"], ["BR"]),
    ],
)
def test_lists_of_cities_time_zones_and_counties(
    text: str, cities: list[str], countries: list[str]
) -> None:
    every = find_all(text, None, None, None).every
    assert [found.city for found in every if found.city] == cities
    assert list(dict.fromkeys(found.country for found in every)) == countries


def test_the_place_is_the_evidence_for_a_city_that_no_field_names() -> None:
    located = with_place(
        pl.LazyFrame(
            {
                "location_text": ["Porto", "Porto"],
                "city": [None, "Porto"],
                "region": [None, None],
                "country": ["PT", "PT"],
                "title": ["Tester", "Tester"],
                "description": ["", ""],
            },
            schema_overrides={"region": pl.String},
        )
    ).collect()
    words = [
        [(one["field"], one["origin"], one["words"]) for one in evidence]
        for evidence in located["_evidence_place"].to_list()
    ]
    assert words == [
        [("city", "place", "Porto"), ("country", "field", "PT")],
        [("city", "field", "Porto, PT"), ("country", "field", "Porto, PT")],
    ]
