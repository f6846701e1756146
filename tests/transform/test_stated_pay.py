"""Amounts in texts are pay for the words around them, their period and their size."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.understanding.amounts import amounts
from pipeline.transform.understanding.stated_pay import Pay, is_predicted, stated


def pay(text: str, country: str | None = None) -> Pay | None:
    """The first amount of a text that is pay."""
    return next((one.pay for one in stated(text, country) if one.rule), None)


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        # A shared k, both ends with their own, either currency place.
        ("Salary: 120-150k", "US", (120_000, 150_000, "USD", "YEAR")),
        ("Salary: $120k–$150k", "US", (120_000, 150_000, "USD", "YEAR")),
        ("Remote | €60K - 80K | Berlin", "DE", (60_000, 80_000, "EUR", "YEAR")),
        ("We pay 90k to 110k GBP", None, (90_000, 110_000, "GBP", "YEAR")),
        ("C$60-80k", "CA", (60_000, 80_000, "CAD", "YEAR")),
        ("60-70 T€ Jahresgehalt", "DE", (60_000, 70_000, "EUR", "YEAR")),
        # European, Swiss and Indian groups.
        ("Gehalt: 55.000 – 65.000 €", "DE", (55_000, 65_000, "EUR", "YEAR")),
        ("De 35 000 € à 47 000 € par an", "FR", (35_000, 47_000, "EUR", "YEAR")),
        ("Lohn: CHF 110'000 - 130'000", "CH", (110_000, 130_000, "CHF", "YEAR")),
        ("5.416,50 € bruto per maand, salaris", "NL", (5_416.5, 5_416.5, "EUR", "MONTH")),
        ("CTC: 12,00,000 - 18,00,000", "IN", (1_200_000, 1_800_000, "INR", "YEAR")),
        ("3.5 - 6 Lacs PA", "IN", (350_000, 600_000, "INR", "YEAR")),
        ("8-12 LPA", "IN", (800_000, 1_200_000, "INR", "YEAR")),
        ("Salary: 1.2 crore", "IN", (12_000_000, 12_000_000, "INR", "YEAR")),
        # Hours, days, months, in words and by what stands before them.
        ("Rate: up to £600 p/d", "GB", (None, 600, "GBP", "DAY")),
        ("Tagessatz 800 EUR", "DE", (800, 800, "EUR", "DAY")),
        ("TJM : 450-550 €", "FR", (450, 550, "EUR", "DAY")),
        ("$80/hr to $100/hr", "US", (80, 100, "USD", "HOUR")),
        ("120-160 zł/h netto + VAT", "PL", (120, 160, "PLN", "HOUR")),
        ("Rate : 350 /day inside IR35", "GB", (350, 350, "GBP", "DAY")),
        ("R$ 8.000 - R$ 12.000 mensais", "BR", (8_000, 12_000, "BRL", "MONTH")),
        ("Wynagrodzenie: 15 000 - 20 000 PLN netto + VAT / miesiąc", "PL",
         (15_000, 20_000, "PLN", "MONTH")),
        ("Bruttomonatsgehalt: 4.500 EUR", "DE", (4_500, 4_500, "EUR", "MONTH")),
        # One end alone.
        ("Salary up to £65,000", "GB", (None, 65_000, "GBP", "YEAR")),
        ("Jusqu'à 45 000 € par an, salaire selon profil", "FR", (None, 45_000, "EUR", "YEAR")),
        ("Gehalt ab 55.000 €", "DE", (55_000, None, "EUR", "YEAR")),
        ("Minimum salary of 29.000 €/year", "AT", (29_000, None, "EUR", "YEAR")),
        ("Pay: $90k+", "US", (90_000, None, "USD", "YEAR")),
        # Two ends that are told apart.
        ("The base salary is between $61,500 (entry) and $76,000", "US",
         (61_500, 76_000, "USD", "YEAR")),
        ("Gehalt zwischen 50.000 € (Einstieg) und 65.000 €", "DE",
         (50_000, 65_000, "EUR", "YEAR")),
        ("Salary: $86,000 for graduates to $126,000 for seniors", "US",
         (86_000, 126_000, "USD", "YEAR")),
        ("Rate: 45-70 USD or 180-280 PLN per hour", "PL", (45, 70, "USD", "HOUR")),
        # One end after all.
        ("Base salary: $150k (base) and $200k OTE", "US", (150_000, 150_000, "USD", "YEAR")),
        ("Salary between meetings: $60,000. Seniors get more, and $90,000 is the most", "US",
         (60_000, 60_000, "USD", "YEAR")),
        ("The salary starts from $60,000 (junior) and goes up to $90,000", "US",
         (60_000, 90_000, "USD", "YEAR")),
        ("Base pay is $130,000/year in our lowest market up to $225,000/year", "US",
         (130_000, 225_000, "USD", "YEAR")),
        # So many salaries a year.
        ("3.000 € x 14", "AT", (42_000, 42_000, "EUR", "YEAR")),
        ("Salario: 2.500 € brutos/mes, 14 pagas", "ES", (35_000, 35_000, "EUR", "YEAR")),
        ("Salario 30.000 € en 14 pagas", "ES", (30_000, 30_000, "EUR", "YEAR")),
        # The sign of several currencies.
        ("Salary: $90k-$110k", "AU", (90_000, 110_000, "AUD", "YEAR")),
        ("Salary: $90k-$110k", "DE", (90_000, 110_000, "USD", "YEAR")),
        ("Salary: $90k-$110k", None, (90_000, 110_000, "USD", "YEAR")),
        ("Sueldo: $40,000 - $60,000 mensuales", "MX", (40_000, 60_000, "MXN", "MONTH")),
        ("Pay: $3,000 - $4,500 per month", "AR", (3_000, 4_500, "USD", "MONTH")),
        ("Lön: 45 000 - 55 000 kr/mån", "SE", (45_000, 55_000, "SEK", "MONTH")),
        ("¥6,000,000 - ¥9,000,000", "JP", (6_000_000, 9_000_000, "JPY", "YEAR")),
        # A base beside other pay.
        ("Compensation: $150,000-$180,000 + equity", "US", (150_000, 180_000, "USD", "YEAR")),
        ("$192k + bonus", None, (192_000, 192_000, "USD", "YEAR")),
        ("Healthcare Development Engineer $150k-$170k", "US", (150_000, 170_000, "USD", "YEAR")),
        ("Well-funded startup (Series B), Go, $150k-$170k", "US",
         (150_000, 170_000, "USD", "YEAR")),
        # Without a period: none where two are possible.
        ("Stawka: 6 000 - 10 000 PLN", "PL", (6_000, 10_000, "PLN", None)),
        ("Rate: £29.96", "GB", (29.96, 29.96, "GBP", "HOUR")),
        # A text that lost its markup.
        ("Rate: up to £600 p/dThe role is hybrid", "GB", (None, 600, "GBP", "DAY")),
        ("In the office one day per week. Backend Engineer - $145~170k USD", "US",
         (145_000, 170_000, "USD", "YEAR")),
    ],
)  # fmt: skip
def test_pay_is_read(text: str, country: str | None, expected: tuple[object, ...]) -> None:
    assert pay(text, country) == expected


@pytest.mark.parametrize(
    "text",
    [
        "We raised $20M in our Series A",
        "Our customers process $10B in payments a year",
        "You will manage budgets of $500,000 - $1,000,000",
        "An annual revenue of $50,000 - $100,000 per customer",
        "You raise the average order value of $100 - $150 per day",
        "We deliver €50k-€100k projects",
        "You close $80k - $120k deals",
        "$2,000 learning budget",
        "Home office stipend: $1,000",
        "$100 per month to subsidize your internet",
        "Up to $1,500 per year towards wellness",
        "$25,000 sign-on bonus",
        "Bonus of up to 15.000 €",
        "R$ 1.200,00/month on a card for food and meals",
        "Employee referral scheme: £1,000",
        "Life assurance up to £50,000",
        "401k match up to 4%, competitive pay",
        "bis zu 1.500 € Prämie",
        "Fertility benefits of up to $10,000 per year",
        "Equity of $50,000 - $100,000",
        "Salary sacrifice schemes up to £3,000",
        "a team of 10k+ engineers",
        "100k-500k users",
        "from 50k to 100k requests per second",
        "Our salary survey of 2024 - 2025",
        "A competitive salary package in a team of 160,000",
        "5 years of experience, 3-5 projects",
        "phone +1-800-555-1234, salary on request",
        "a rate of €50/workflow",
        "saves its customers $100,000 per year",
        "",
    ],
)
def test_other_amounts_are_no_pay(text: str) -> None:
    assert pay(text, "US") is None


def test_a_bare_dollar_beside_a_named_one_is_the_american() -> None:
    found = stated("US: $120,000 - $150,000\nCanada: CA$110,000 - CA$130,000", "CA")
    assert [one.pay.currency for one in found] == ["USD", "CAD"]
    assert [one.line for one in found][1] == "Canada: CA$110,000 - CA$130,000"


def test_a_total_is_told_from_a_base() -> None:
    total, base = stated("OTE $200k, base salary $150k - $170k", "US")
    assert (total.is_total, base.is_total) == (True, False)


def test_estimates_of_boards_are_told() -> None:
    (found,) = stated("$53K-$91K (Glassdoor est.)", "US")
    assert found.is_estimate
    assert is_predicted("£69,313 - estimated")
    assert not is_predicted("$80K - $120K (Employer est.)")


TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        ["$", "€", "12", "120k", "1.000", ",", "-", "–", " to ", " per hour", "salary", "\n", "k",
         "lacs", "9" * 30, "１２", "²", "٣", "/h", "x 14", "CAD", "R$", ".", "'", "\u00a0",
         "up to "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(["US", "MX", "SE", None]))
def test_any_text_is_read(text: str, country: str | None) -> None:
    for one in stated(text, country):
        assert one.words in text
        assert one.start <= len(text)


@pytest.mark.parametrize(
    "part",
    ["$1 ", "1,000", "1 ", "120k - ", "$$$$", "salary ", "1-", "€ € ", "up to ", "\n1", "(1"],
)
def test_time_grows_with_the_length_alone(part: str) -> None:
    def seconds(length: int) -> float:
        text = (part * (length // len(part) + 1))[:length]
        begun = time.process_time()
        stated(text, "US")
        return time.process_time() - begun

    seconds(1_000)
    assert seconds(100_000) < 100 * max(seconds(2_000), 0.002)


def test_numbers_are_few_however_many_there_are() -> None:
    chance = random.Random(1)
    text = " ".join(f"${chance.randrange(10**6)}" for _ in range(20_000))
    assert len(list(amounts(text))) <= 60
