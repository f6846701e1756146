"""What a job asks for beside skills: experience, a visa, a clearance."""

from __future__ import annotations

import polars as pl

from pipeline.fields import YES_OR_NO


def with_requirements(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``years_experience_min``, ``years_experience_max``, ``visa_sponsorship`` and
    ``clearance_required``."""
    return postings.with_columns(
        years_experience_min=pl.lit(None, pl.Int64),
        years_experience_max=pl.lit(None, pl.Int64),
        visa_sponsorship=pl.lit(None, pl.Enum(YES_OR_NO)),
        clearance_required=pl.lit(None, pl.Enum(YES_OR_NO)),
    )
