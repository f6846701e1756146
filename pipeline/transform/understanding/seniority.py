"""The level of a job."""

from __future__ import annotations

import polars as pl

from pipeline.fields import SENIORITIES


def with_seniority(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``seniority``."""
    return postings.with_columns(seniority=pl.lit(None, pl.Enum(SENIORITIES)))
