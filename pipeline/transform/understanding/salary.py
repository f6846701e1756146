"""What is paid: the amounts of a source's fields, in the currency and for the period that the
posting's own words give them."""

from __future__ import annotations

import polars as pl

from pipeline.fields import SALARY_KINDS, SALARY_PERIODS
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.understanding.pay import (
    BOUNDED_CURRENCIES,
    PERIODS,
    currency,
    salary_period,
)
from pipeline.transform.understanding.stated_pay import Pay, as_stated

_MAX_RANGE_RATIO = 50
"""A range wider than this mixes periods or units and says nothing."""


def with_salary(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``salary_min``, ``salary_max``, ``salary_currency``, ``salary_period`` and
    ``salary_is_predicted``, of these columns in the source's words and of the texts."""
    return (
        postings.with_columns(
            salary_currency=of_distinct(pl.col("salary_currency"), currency),
            salary_period=of_distinct(pl.col("salary_period"), salary_period),
        )
        .pipe(_with_stated_pay)
        .pipe(_with_sound_salary)
        .with_columns(
            salary_kind=pl.lit(None, pl.Enum(SALARY_KINDS)),
            salary_text=pl.lit(None, pl.String),
            salary_ranges=pl.lit([], dtype=pl.List(pl.String)),
            **{
                f"salary_{currency}yearly_{end}": pl.lit(None, pl.Float64)
                for currency in ("", "usd_", "eur_")
                for end in ("min", "max")
            },
        )
    )


_PAY = pl.Struct(
    {
        "salary_min": pl.Float64,
        "salary_max": pl.Float64,
        "salary_currency": pl.String,
        "salary_period": pl.String,
    }
)


def _with_stated_pay(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Pay in the currency and for the period that the posting's own words give the amounts."""
    names = [field.name for field in _PAY.fields]
    said = pl.concat_str("title", "location_text", "description", separator="\n", ignore_nulls=True)
    is_told = pl.any_horizontal(pl.col("salary_min", "salary_max").is_not_null())
    is_stated = is_told & ~pl.col("salary_is_predicted").fill_null(False)
    pay = pl.struct(*names, pl.when(is_stated).then(said).alias("said"))
    return (
        postings.with_columns(_pay=pay.map_batches(_stated, return_dtype=_PAY))
        .with_columns(pl.col("_pay").struct.field(*names))
        .drop("_pay")
    )


def _stated(rows: pl.Series) -> pl.Series:
    stated = [
        as_stated(Pay(*pay), said) if said else pay
        for *pay, said in rows.struct.unnest().iter_rows()
    ]
    return pl.DataFrame(stated, dict(_PAY.to_schema()), orient="row").to_struct(rows.name)


def _with_sound_salary(postings: pl.LazyFrame) -> pl.LazyFrame:
    """Order the ends; drop amounts impossible for their period. A single end stays single: a
    minimum is not also a maximum. Without an amount there is no currency, period or prediction.
    """
    low, high = pl.col("salary_min"), pl.col("salary_max")
    bounded = pl.col("salary_currency").is_in(BOUNDED_CURRENCIES)
    impossible = pl.any_horizontal(
        (
            bounded
            & (pl.col("salary_period") == name)
            & ~pl.all_horizontal(
                end.is_between(period.least, period.most).fill_null(True) for end in (low, high)
            )
        ).fill_null(False)
        for name, period in PERIODS.items()
    ) | (pl.max_horizontal(low, high) > _MAX_RANGE_RATIO * pl.min_horizontal(low, high)).fill_null(
        False
    )
    both = low.is_not_null() & high.is_not_null()
    some = low.is_not_null() | high.is_not_null()
    return postings.with_columns(
        salary_min=pl.when(~impossible).then(
            pl.when(both).then(pl.min_horizontal(low, high)).otherwise(low)
        ),
        salary_max=pl.when(~impossible).then(
            pl.when(both).then(pl.max_horizontal(low, high)).otherwise(high)
        ),
    ).with_columns(
        salary_currency=pl.when(some).then("salary_currency"),
        salary_period=pl.when(some).then("salary_period").cast(pl.Enum(SALARY_PERIODS)),
        salary_is_predicted=some & pl.col("salary_is_predicted").fill_null(False),
    )
