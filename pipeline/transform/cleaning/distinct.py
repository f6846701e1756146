"""Compute once for each distinct value of a column: postings repeat most of what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl


def of_distinct(
    values: pl.Expr, read: Callable[[Any], Any], dtype: pl.DataType | None = None
) -> pl.Expr:
    """What a Python function makes of each distinct value, as text unless ``dtype`` says
    otherwise. It is not asked about null, which stays null; a struct is a dictionary to it."""
    dtype = dtype or pl.String()

    def read_all(distinct: pl.Series) -> pl.Series:
        return pl.Series([read(value) for value in distinct], dtype=dtype)

    return by_distinct(values, read_all, dtype)


def by_distinct(
    values: pl.Expr, compute: Callable[[pl.Series], pl.Series], dtype: pl.DataType
) -> pl.Expr:
    """As :func:`of_distinct`, for a function of all distinct values at once: a series without
    nulls in, one of equal length out."""

    def apply(series: pl.Series) -> pl.Series:
        distinct = series.drop_nulls().unique()
        if distinct.is_empty():
            return pl.Series(series.name, [None] * len(series), dtype)
        if len(distinct) == len(series):
            return compute(series).alias(series.name)
        computed = pl.DataFrame([distinct.alias("value"), compute(distinct).alias("computed")])
        return (
            series.to_frame("value")
            .join(computed, on="value", how="left", maintain_order="left")["computed"]
            .alias(series.name)
        )

    return values.map_batches(apply, return_dtype=dtype)
