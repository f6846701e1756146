"""What a posting pays: its fields, its own words, and what it says where."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from pipeline.transform.understanding.converted_pay import with_converted_pay
from pipeline.transform.understanding.pay import currency_in
from pipeline.transform.understanding.rates import Rates, bundled
from pipeline.transform.understanding.salary import with_salary

SCHEMA = {
    "title": pl.String, "location_text": pl.String, "description": pl.String,
    "country": pl.String, "salary_min": pl.Float64, "salary_max": pl.Float64,
    "salary_currency": pl.String, "salary_period": pl.String, "salary_text": pl.String,
    "salary_is_predicted": pl.Boolean,
}  # fmt: skip


def salary(**given: Any) -> dict[str, Any]:
    frame = pl.DataFrame([dict.fromkeys(SCHEMA) | {"title": "Engineer"} | given], SCHEMA)
    found = with_converted_pay(with_salary(frame.lazy()), bundled())
    return found.collect().row(0, named=True)


def pay(found: dict[str, Any]) -> tuple[Any, ...]:
    names = ("salary_min", "salary_max", "salary_currency", "salary_period")
    return tuple(found[name] for name in names)


def field(low: float | None, high: float | None, code: str | None, period: str | None) -> Any:
    return {
        "salary_min": low, "salary_max": high, "salary_currency": code, "salary_period": period,
    }  # fmt: skip


YEAR = field(166_400, 208_000, "CAD", "YEAR")
ZLOTY = field(15_000, 25_000, None, None)


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (YEAR, "Rate: $80 - 100/hour, inc.", (80, 100, "CAD", "HOUR")),
        (YEAR, "$80/hr to $100/hr", (80, 100, "CAD", "HOUR")),
        (YEAR, "80-100 CAD per hour", (80, 100, "CAD", "HOUR")),
        (YEAR, "We pay between 160k and 210k", (166_400, 208_000, "CAD", "YEAR")),
        (YEAR, "$166,400 - $208,000 a year", (166_400, 208_000, "CAD", "YEAR")),
        (YEAR, "$40/hour for travel", (166_400, 208_000, "CAD", "YEAR")),
        (YEAR, "", (166_400, 208_000, "CAD", "YEAR")),
        (field(117_000, 117_000, "GBP", "YEAR"), "£450 per day outside IR35",
         (450, 450, "GBP", "DAY")),
        (field(None, 156_000, "GBP", "YEAR"), "Rate: up to £600 p/d", (None, 600, "GBP", "DAY")),
        (field(62_316, 62_316, "GBP", "YEAR"), "Rate: £29.96", (29.96, 29.96, "GBP", "HOUR")),
        (field(96_000, None, "EUR", "YEAR"), "8.000 € pro Monat", (8_000, 8_000, "EUR", "MONTH")),
        (ZLOTY, "15 000 - 25 000 PLN / month", (15_000, 25_000, "PLN", "MONTH")),
        (ZLOTY, "15.000–25.000 zł netto", (15_000, 25_000, "PLN", None)),
        (field(60_000, 80_000, None, "YEAR"), "€60k-80k", (60_000, 80_000, "EUR", "YEAR")),
        (field(60_000, 80_000, "USD", "YEAR"), "$60,000 to $80,000",
         (60_000, 80_000, "USD", "YEAR")),
        (field(60, 100, "USD", "HOUR"), "60 to 100 EUR per hour", (60, 100, "EUR", "HOUR")),
        # A year of 2,000 hours, in full thousands; a rate's year in a field without a period.
        (field(47_000, 92_000, "USD", "YEAR"), "Pay: $23.40 - $45.60 per hour",
         (23.4, 45.6, "USD", "HOUR")),
        (field(None, 130_000, None, None), "Rate: up to £500 per day", (None, 500, "GBP", "DAY")),
    ],
)  # fmt: skip
def test_fields_are_corrected_by_the_same_numbers_in_the_text(
    given: dict[str, Any], text: str, expected: tuple[Any, ...]
) -> None:
    found = salary(**given, description=text)
    assert pay(found) == expected
    assert (found["salary_kind"], found["salary_is_predicted"]) == ("stated", False)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (field(105, 170, "SGD", None), (105, 170, "SGD", None)),
        (field(25, 40, "USD", None), (25, 40, "USD", "HOUR")),
        (field(60_000, 72_000, "EUR", None), (60_000, 72_000, "EUR", "YEAR")),
        (field(5_000, 6_000, "EUR", None), (5_000, 6_000, "EUR", "MONTH")),
        (field(15_000, None, "EUR", None), (15_000, None, "EUR", None)),
        (field(60_000, 70_000, "EUR", "fortnight"), (60_000, 70_000, "EUR", None)),
        (field(150, 190, "PLN", "YEAR"), (None, None, None, None)),
        (field(450, 550, "GBP", "YEAR"), (None, None, None, None)),
        (field(8e7, 9e7, "IDR", "MONTH"), (8e7, 9e7, "IDR", "MONTH")),
        (field(110_000, 70_000, "usd", "per year"), (70_000, 110_000, "USD", "YEAR")),
    ],
)
def test_a_period_is_inferred_where_one_alone_is_possible(
    given: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert pay(salary(**given)) == expected


@pytest.mark.parametrize(
    ("sign", "country", "code"),
    [
        ("$", "AU", "AUD"),
        ("$", "US", "USD"),
        ("$", None, None),
        ("€", "US", "EUR"),
        (None, "US", None),
    ],
)
def test_the_sign_in_a_field_is_the_countrys(
    sign: str | None, country: str | None, code: str | None
) -> None:
    found = salary(**field(90_000, 99_000, sign, "YEAR"), country=country)
    assert found["salary_currency"] == code


def test_a_text_gives_pay_and_where_it_says_so() -> None:
    text = "About us.\n\nSalary range: £55,000 - £65,000 per annum\nHybrid"
    found = salary(country="GB", description=text)
    assert pay(found) == (55_000, 65_000, "GBP", "YEAR")
    assert found["salary_text"] == "£55,000 - £65,000 per annum"
    assert found["salary_ranges"] == []
    assert found["_evidence_salary"] == [
        {
            "field": "salary", "value": "55000-65000 GBP YEAR", "origin": "body",
            "words": "£55,000 - £65,000 per annum", "rule": "words of pay", "decides": True,
        }
    ]  # fmt: skip


def test_a_title_gives_pay() -> None:
    found = salary(title="Backend Engineer (€60k–80k)", country="DE")
    assert pay(found) == (60_000, 80_000, "EUR", "YEAR")
    assert found["_evidence_salary"][0]["origin"] == "title"


def test_what_is_stated_beats_an_estimate_which_is_kept_as_evidence() -> None:
    estimate = field(52_242.98, 52_242.98, "GBP", "YEAR") | {"salary_is_predicted": True}
    found = salary(**estimate, country="GB", description="Rate: up to £650/day (umbrella)")
    assert pay(found) == (None, 650, "GBP", "DAY")
    assert (found["salary_kind"], found["salary_is_predicted"]) == ("stated", False)
    assert [one["decides"] for one in found["_evidence_salary"]] == [True, False]
    assert found["_evidence_salary"][0]["value"] == "up to 650 GBP DAY"
    alone = salary(**estimate)
    assert (alone["salary_kind"], alone["salary_is_predicted"]) == ("predicted", True)


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        # Where the text states the same amounts, they are the employer's.
        ("Salary: $40,000 - $70,000", (40_000, 70_000, "USD", "YEAR"), "stated"),
        ("40-70k for this role", (40_000, 70_000, "USD", "YEAR"), "stated"),
        ("Pay: $20 - $35 an hour", (20, 35, "USD", "HOUR"), "stated"),
        # What it states otherwise decides.
        ("The pay range is $190,000 - $215,000 a year", (190_000, 215_000, "USD", "YEAR"),
         "stated"),
        ("You earn $14 an hour", (14, 14, "USD", "HOUR"), "stated"),
        # What is no pay confirms and contradicts nothing.
        ("A stipend of $40,000 or a budget of $2,000", (40_000, 70_000, "USD", "YEAR"),
         "predicted"),
        ("We raised $5,000,000", (40_000, 70_000, "USD", "YEAR"), "predicted"),
        ("Competitive salary", (40_000, 70_000, "USD", "YEAR"), "predicted"),
    ],
)  # fmt: skip
def test_a_boards_field_counts_as_far_as_the_text_confirms_it(
    text: str, expected: tuple[Any, ...], kind: str
) -> None:
    guess = field(40_000, 70_000, "USD", "YEAR") | {"salary_is_predicted": True}
    found = salary(**guess, country="US", description=text)
    assert pay(found) == expected
    assert (found["salary_kind"], found["salary_is_predicted"]) == (kind, kind == "predicted")
    of_field = [one for one in found["_evidence_salary"] if one["origin"] == "field"]
    assert [one["decides"] for one in of_field] == [pay(found)[:2] == (40_000, 70_000)]


def test_one_amount_confirms_an_estimate_only_as_pay() -> None:
    guess = field(50_000, 50_000, "GBP", "YEAR") | {"salary_is_predicted": True}
    said = {
        "We serve 50000 customers": "predicted",
        "Salary: £50,000": "stated",
        "£50,000 (Adzuna est.)": "predicted",
    }
    for text, kind in said.items():
        assert salary(**guess, country="GB", description=text)["salary_kind"] == kind, text


def test_a_field_that_the_text_contradicts_decides() -> None:
    found = salary(
        **field(50_000, 60_000, "GBP", "YEAR"),
        country="GB",
        description="Salary: £70,000 - £80,000",
    )
    assert pay(found) == (50_000, 60_000, "GBP", "YEAR")
    assert [(one["origin"], one["decides"]) for one in found["_evidence_salary"]] == [
        ("field", True), ("body", False),
    ]  # fmt: skip


def test_a_sources_words_are_read() -> None:
    found = salary(salary_text="3-6 Lacs PA", country="IN")
    assert pay(found) == (300_000, 600_000, "INR", "YEAR")
    assert (found["salary_text"], found["salary_kind"]) == ("3-6 Lacs PA", "stated")
    assert pay(salary(salary_text="Competitive, DOE")) == (None, None, None, None)
    estimate = salary(salary_text="$68K-$129K (Glassdoor est.)", country="US")
    assert (estimate["salary_kind"], estimate["salary_is_predicted"]) == ("predicted", True)


def test_a_sources_words_are_judged_where_they_stand_in_the_text() -> None:
    text = "Benefits\n- R$ 6.200,00/month on a card for food, meals and travel"
    found = salary(salary_text="R$ 6.200,00/month", country="BR", description=text)
    assert pay(found) == (None, None, None, None)
    text = "The range is $94,600 - $156,000 CAD a year."
    found = salary(salary_text="$94,600 - $156,000", description=text)
    assert pay(found) == (94_600, 156_000, "CAD", "YEAR")


def test_several_ranges_are_kept_and_the_place_chooses() -> None:
    text = "Salary ranges:\n- US: $120,000 - $150,000\n- Canada: CA$110,000 - CA$130,000"
    ranges = ["US: $120,000 - $150,000", "Canada: CA$110,000 - CA$130,000"]
    for country, expected in (
        ("CA", (110_000, 130_000, "CAD", "YEAR")),
        ("US", (120_000, 150_000, "USD", "YEAR")),
        (None, (120_000, 150_000, "USD", "YEAR")),
    ):
        found = salary(country=country, description=text)
        assert pay(found) == expected
        assert found["salary_ranges"] == ranges


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("Pay ranges: US: $120K – $150K • Canada: CA$110K – CA$130K • Offers equity",
         ["Pay ranges: US: $120K – $150K", "Canada: CA$110K – CA$130K"]),
        ("We pay $150,000 - $170,000 in Boston, $130,000 - $150,000 in Austin, TX, and "
         "$120,000 - $140,000 elsewhere",
         ["We pay $150,000 - $170,000 in Boston", "$130,000 - $150,000 in Austin, TX",
          "$120,000 - $140,000 elsewhere"]),
        ("Senior - $120k-150k, Junior - $80k-100k", ["Senior - $120k-150k", "Junior - $80k-100k"]),
        ("- Baker ($120k-150k) - Cook ($80k-100k)", ["Baker ($120k-150k)", "Cook ($80k-100k)"]),
        ("Baker (US, $120k-150k), Cook (EU, $80k-100k)",
         ["Baker (US, $120k-150k)", "Cook (EU, $80k-100k)"]),
        # An upper end in other words belongs to its range.
        ("In Ohio the salary is between $90,500 (entry) and $120,000\n"
         "In Utah the salary is between $80,500 (entry) and $110,000",
         ["In Ohio the salary is between $90,500 (entry) and $120,000",
          "In Utah the salary is between $80,500 (entry) and $110,000"]),
        # Two places may be paid the same.
        ("Salary in Ohio: $90,000 - $99,000\nSalary in Iowa: $90,000 - $99,000\n"
         "Salary in Utah: $80,000 - $89,000",
         ["Salary in Ohio: $90,000 - $99,000", "Salary in Iowa: $90,000 - $99,000",
          "Salary in Utah: $80,000 - $89,000"]),
        # The same pay, said again, is one.
        ("The salary range is $90,000 - $99,000\nAnnual pay: $90,000 - $99,000", []),
        ("Ohio: $90,000 - $99,000\nIowa: $90,000 - $99,000", []),
        ("45-70 USD or 180-280 PLN per hour", ["45-70 USD", "180-280 PLN per hour"]),
    ],
)  # fmt: skip
def test_each_range_stands_in_its_own_words(text: str, ranges: list[str]) -> None:
    assert salary(country="US", description=text)["salary_ranges"] == ranges


def test_a_base_beats_a_total() -> None:
    found = salary(country="US", description="OTE: $200k - $240k\nBase salary: $150k - $170k")
    assert pay(found) == (150_000, 170_000, "USD", "YEAR")


def test_a_year_is_computed_of_fourteen_salaries() -> None:
    found = salary(country="AT", description="Gehalt: 3.000 € brutto x 14")
    assert pay(found) == (42_000, 42_000, "EUR", "YEAR")
    assert found["salary_kind"] == "computed"


def test_amounts_are_turned_into_years_dollars_and_euros() -> None:
    found = salary(country="GB", description="Rate: £500 - £550 per day")
    assert (found["salary_yearly_min"], found["salary_yearly_max"]) == (130_000, 143_000)
    assert found["salary_usd_yearly_min"] > found["salary_eur_yearly_min"] > 130_000
    same = salary(**field(50_000, None, "EUR", "YEAR"))
    assert (same["salary_eur_yearly_min"], same["salary_eur_yearly_max"]) == (50_000, None)
    unknown = salary(**field(50_000, None, "EUR", "fortnight"))
    assert unknown["salary_yearly_min"] is None


def test_pay_is_converted_by_the_table_that_is_given() -> None:
    table = Rates(date(2026, 1, 2), {"USD": 1.25, "GBP": 0.8})
    given = {"salary_currency": ["GBP", "USD", "SEK", None], "salary_yearly_min": [8.0] * 4}
    frame = pl.LazyFrame(given).with_columns(salary_yearly_max=pl.lit(None, pl.Float64))
    found = with_converted_pay(frame, table).collect()
    assert found["salary_usd_yearly_min"].to_list() == [12.5, 8, None, None]
    assert found["salary_eur_yearly_min"].to_list() == [10, 6.4, None, None]
    assert found["salary_usd_yearly_max"].null_count() == 4


def test_a_country_pays_in_its_currency() -> None:
    countries = ["US", "gb", "Germany", "PL", "BG", "HR", "Narnia", "", None]
    assert [currency_in(country) for country in countries] == [
        "USD", "GBP", "EUR", "PLN", "EUR", "EUR", None, None, None,
    ]  # fmt: skip


AMOUNTS = st.none() | st.floats() | st.floats(0, 1e11)
WORDS = st.none() | st.text(max_size=20) | st.sampled_from(
    ["$", "USD", "YEAR", "Salary: $0 - $0", "Salary: $60k (x) and £9", "Pay: 4-5 EUR or 6 USD/h",
     "Gehalt: 3.000 € x 14", "$50k (est.)", "Rate: $20 - $30 an hour",
     "Pay: 0 COP", "salary 1 - 99999999999 lacs", "£1k"]
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given_by(
    st.lists(
        st.fixed_dictionaries(
            {name: AMOUNTS if dtype == pl.Float64 else WORDS for name, dtype in SCHEMA.items()
             if dtype != pl.Boolean}
            | {"salary_is_predicted": st.none() | st.booleans()}
        ),
        max_size=3,
    )
)  # fmt: skip
def test_any_posting_is_read_by_itself(rows: list[dict[str, Any]]) -> None:
    found = with_salary(pl.DataFrame(rows, SCHEMA).lazy()).collect()
    assert found.height == len(rows)
    for row, one in zip(rows, found.iter_rows(named=True), strict=True):
        low, high = one["salary_min"], one["salary_max"]
        assert low is None or high is None or low <= high
        is_paid = low is not None or high is not None
        assert (one["salary_kind"] is not None) == is_paid
        deciding = [each for each in one["_evidence_salary"] if each["decides"]]
        assert bool(deciding) == is_paid
        assert {each["field"] for each in deciding} <= {"salary"}
        assert one["salary_is_predicted"] == (one["salary_kind"] == "predicted")
        assert with_salary(pl.DataFrame([row], SCHEMA).lazy()).collect().row(0, named=True) == one
