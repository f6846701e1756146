"""From where a remote job may be done."""

from __future__ import annotations

import polars as pl


def with_eligibility(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``remote_eligibility`` and ``eligible_countries``."""
    nothing = pl.lit([], dtype=pl.List(pl.String))
    return postings.with_columns(remote_eligibility=nothing, eligible_countries=nothing)
