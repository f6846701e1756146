"""Until when a job can be applied for."""

from __future__ import annotations

import polars as pl


def with_deadline(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``deadline``."""
    return postings.with_columns(deadline=pl.lit(None, pl.Date))
