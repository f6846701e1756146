"""A year's pay in US dollars and euros, at the reference rates of one day."""

from __future__ import annotations

import polars as pl

from pipeline.transform.understanding.rates import Rates

CURRENCIES = ("USD", "EUR")


def with_converted_pay(postings: pl.LazyFrame, table: Rates) -> pl.LazyFrame:
    """With ``salary_usd_yearly_min`` and so on, of ``salary_yearly_min`` and ``_max`` in
    ``salary_currency``; null where the table lacks the currency."""
    converted = {}
    for code in CURRENCIES:
        known = {given: table.factor(given, code) for given in table.currencies()}
        rate = pl.col("salary_currency").replace_strict(
            known, default=None, return_dtype=pl.Float64
        )
        for end in ("min", "max"):
            name = f"salary_{code.lower()}_yearly_{end}"
            converted[name] = (pl.col(f"salary_yearly_{end}") * rate).round(2)
    return postings.with_columns(**converted)
