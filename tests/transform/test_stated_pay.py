"""Pay is corrected by what the text says of the same numbers, and by nothing else."""

from __future__ import annotations

import pytest

from pipeline.transform.understanding.pay import currency_in
from pipeline.transform.understanding.stated_pay import Pay, as_stated

YEAR = Pay(166_400, 208_000, "CAD", "YEAR")
ZLOTY = Pay(15_000, 25_000, None, None)


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (YEAR, "Rate: $80 - 100/hour, inc.", Pay(80, 100, "CAD", "HOUR")),
        (YEAR, "$80/hr to $100/hr", Pay(80, 100, "CAD", "HOUR")),
        (YEAR, "80-100 CAD per hour", Pay(80, 100, "CAD", "HOUR")),
        (YEAR, "We pay between 160k and 210k", YEAR),
        (YEAR, "$166,400 - $208,000 a year", YEAR),
        (YEAR, "$40/hour for travel", YEAR),
        (YEAR, "", YEAR),
        (Pay(117_000, 117_000, "GBP", "YEAR"), "£450 per day outside IR35",
         Pay(450, 450, "GBP", "DAY")),
        (Pay(96_000, None, "EUR", "YEAR"), "8.000 € pro Monat", Pay(8_000, 8_000, "EUR", "MONTH")),
        (ZLOTY, "15 000 - 25 000 PLN / month", Pay(15_000, 25_000, "PLN", "MONTH")),
        (ZLOTY, "15.000–25.000 zł netto", Pay(15_000, 25_000, "PLN", None)),
        (Pay(60_000, 80_000, None, "YEAR"), "€60k-80k", Pay(60_000, 80_000, "EUR", "YEAR")),
        (Pay(60_000, 80_000, "USD", "YEAR"), "$60,000 to $80,000",
         Pay(60_000, 80_000, "USD", "YEAR")),
        (Pay(60, 100, "USD", "HOUR"), "60 to 100 EUR per hour", Pay(60, 100, "EUR", "HOUR")),
        (Pay(None, None, None, None), "$80/hour", Pay(None, None, None, None)),
    ],
)  # fmt: skip
def test_pay_is_read_as_stated(given: Pay, text: str, expected: Pay) -> None:
    assert as_stated(given, text) == expected


def test_a_country_pays_in_its_currency() -> None:
    countries = ["US", "gb", "Germany", "PL", "BG", "HR", "Narnia", "", None]
    assert [currency_in(country) for country in countries] == [
        "USD", "GBP", "EUR", "PLN", "EUR", "EUR", None, None, None,
    ]  # fmt: skip
