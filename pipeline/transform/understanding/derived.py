"""Fields of a clean posting that follow from its other fields, each by the rule that its
declaration names."""

from __future__ import annotations

from pkgutil import resolve_name

import polars as pl

from pipeline.fields import rules
from pipeline.transform.understanding.evidence import with_evidence


def with_derived(postings: pl.LazyFrame) -> pl.LazyFrame:
    """The postings with the columns of all declared rules, applied in the order of the fields, and
    with ``evidence``. A row's result depends on that row alone."""
    for rule in rules():
        postings = resolve_name(rule)(postings)
    return with_evidence(postings)
