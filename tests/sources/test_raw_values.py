"""Reading loosely typed values: what they should be, and whatever else they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources._raw_values import (
    day_of_age,
    epoch_time,
    filled,
    flag,
    json_strings,
    moment,
    number,
)


def read(expr: pl.Expr, *values: Any, dtype: Any = pl.String) -> list[Any]:
    return pl.DataFrame({"c": pl.Series(values, dtype=dtype)}).select(expr).to_series().to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-12-03T21:15:04+00:00", datetime(2024, 12, 3, 21, 15, 4, tzinfo=UTC)),
        ("2024-12-03T21:15:04-05:30", datetime(2024, 12, 4, 2, 45, 4, tzinfo=UTC)),
        ("2024-12-03T00:00:00.123Z", datetime(2024, 12, 3, 0, 0, 0, 123000, tzinfo=UTC)),
        (" 2022-06-07T04:14:28Z ", datetime(2022, 6, 7, 4, 14, 28, tzinfo=UTC)),
        ("2022-06-07T04:14:28", datetime(2022, 6, 7, 4, 14, 28, tzinfo=UTC)),
        ("2022-06-07 04:14:28", datetime(2022, 6, 7, 4, 14, 28, tzinfo=UTC)),
        ("2022-06-07", datetime(2022, 6, 7, tzinfo=UTC)),
        ("Fri, 20 Nov 2026 08:30:00 GMT", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("20 Nov 2026 08:30:00 +0200", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
        ("Fri Nov 20 08:30:00 2026", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("20 November 2026", datetime(2026, 11, 20, tzinfo=UTC)),
        ("Nov 20, 2026", datetime(2026, 11, 20, tzinfo=UTC)),
        ("1795163400", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("1795163400123", datetime(2026, 11, 20, 8, 30, 0, 123000, tzinfo=UTC)),
        ("20/11/2026", None),
        ("2022-13-07T04:14:28Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_moment(text: str | None, expected: datetime | None) -> None:
    assert read(moment("c"), text, "2000-01-01T00:00:00Z")[0] == expected


def test_epoch_time() -> None:
    second = 1733260504
    values = [second, second * 1_000, second * 1_000_000, second * 1_000_000_000]
    told = [*values, 0, -5, 2**62, 2**63 - 1, None]
    expected = [datetime(2024, 12, 3, 21, 15, 4, tzinfo=UTC)] * 4 + [None] * 5
    assert read(epoch_time("c"), *told, dtype=pl.Int64) == expected


@pytest.mark.parametrize(
    ("text", "days"),
    [
        *[(text, 0) for text in ("today", "heute", "hoy", "oggi", "aujourd'hui", "hoje", "今日",
          "just posted", "Just Posted!", "New", "15 hours ago", "hace 11 horas", "vor 2 Stunden")],
        *[(text, 1) for text in ("yesterday", "gestern", "ayer", "ieri", "hier", "ontem",
          "gisteren", "wczoraj", "a day ago", "vor einem Tag", "1 giorno fa", "hace un día")],
        *[(text, 3) for text in ("3 days ago", "Posted 3 days ago", "vor 3 Tagen", "hace 3 días",
          "il y a 3 jours", "3 dagen geleden", "há 3 dias", "3 dni temu", "3日前", "3d ago",
          "för 3 dagar sedan", "3 дня назад", "3 gün önce", "3 päivää sitten")],
        *[(text, 14) for text in ("2 weeks ago", "vor 2 Wochen", "hace 2 semanas")],
        *[(text, 30) for text in ("30+ days ago", "Posted 30+ Days Ago", "30 days ago",
          "hace más de 30 días", "vor über 30 Tagen", "il y a plus de 30 jours")],
        *[(text, None) for text in ("", "  ", "soon", "in 3 days", "3", "9" * 50 + " days ago",
          "3 apples ago", "20/11/2026", "x" * 10_000, None)],
    ],
)  # fmt: skip
def test_day_of_age(text: str | None, days: int | None) -> None:
    fetched_at = datetime(2026, 11, 25, 18, 45, tzinfo=UTC)
    rows = pl.DataFrame({"c": [text, "today"], "seen": [fetched_at] * 2}, {"c": pl.String,
                        "seen": pl.Datetime("us", "UTC")})  # fmt: skip
    found = rows.select(day_of_age("c", "seen")).to_series()[0]
    expected = None if days is None else datetime(2026, 11, 25, tzinfo=UTC) - timedelta(days=days)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("120000", 120000, 120000),
        ("120000.5", 120000.5, 120000.5),
        ("1.2e5", 120000, 120000),
        ("$120,000 – $150,000 a year", 120000, 150000),
        ("$120K–$150k", 120000, 150000),
        ("80 k", 80000, 80000),
        ("35/hour", 35, 35),
        ("competitive", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_number(text: str | None, first: float | None, last: float | None) -> None:
    assert read(number("c"), text) == [first]
    assert read(number("c", last=True), text) == [last]


def test_flag() -> None:
    values = ["1", "0", "True", "false", " 1.0", "yes", "perhaps", "", None]
    assert read(flag("c"), *values) == [True, False, True, False, True, True, None, None, None]


def test_filled() -> None:
    assert read(filled("c"), " a ", " ", "", None) == [" a ", None, None, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('["a", "b \\"q\\" \\u00e9, ]"]', ["a", 'b "q" é, ]']),
        ("[]", []),
        ('["a", 1, null, {"x": 1}]', ["a", "1", '{"x":1}']),
        ('{"a": "b"}', None),
        ('"python"', None),
        ("[broken", []),
        ('["\\ud800", "a"]', ["a"]),
        ("null", None),
        ("", None),
        (None, None),
    ],
)
def test_json_strings(text: str | None, expected: list[str] | None) -> None:
    found = read(json_strings("c"), text, '["other"]')
    assert found[1] == ["other"]
    if text and "ud800" in text:
        assert "a" in (found[0] or ["a"])
    else:
        assert found[0] == expected


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1, max_size=5))
def test_no_text_makes_any_of_them_fail(values: list[str | None]) -> None:
    for expr in (
        moment("c"), number("c"), number("c", last=True), flag("c"), filled("c"),
        json_strings("c"),
    ):  # fmt: skip
        assert len(read(expr, *values)) == len(values)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_no_json_makes_the_list_fail_and_lists_of_texts_are_read_whole(value: Any) -> None:
    found = read(json_strings("c"), json.dumps(value, ensure_ascii=False))[0]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        assert found == value
