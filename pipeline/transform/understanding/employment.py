"""The kind of employment, in one vocabulary (``employment.toml``)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Annotated

import polars as pl

from pipeline.fields import EMPLOYMENT_TYPES
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.vocabulary import PythonPattern, Shape, any_of, one_of, read


class _Employment(Shape):
    unstated: list[str]
    kinds: dict[Annotated[str, one_of(EMPLOYMENT_TYPES)], list[PythonPattern]]


_words = read("employment", _Employment)
_unstated = frozenset(_words.unstated)
_kinds = [(kind, re.compile(rf"\b{any_of(patterns)}\b")) for kind, patterns in _words.kinds.items()]
_MAX_CHARS = 200


def with_employment_type(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``employment_type`` in our words, of the same column in the source's."""
    return postings.with_columns(
        employment_type=of_distinct(pl.col("employment_type"), employment_type).cast(
            pl.Enum(EMPLOYMENT_TYPES)
        )
    ).with_columns(
        employment_types=pl.concat_list(pl.col("employment_type").cast(pl.String)).list.drop_nulls()
    )


@lru_cache(maxsize=4_096)
def employment_type(words: str) -> str | None:
    """One of ``EMPLOYMENT_TYPES`` for a source's wording, null when it states nothing. Of a list
    ("Full-time and Part-time") the first item decides."""
    if re.sub(r"[\W_]+", " ", words.lower()).strip() in _unstated:
        return None
    for item in re.split(r"[,;/|&+]|\b(?:and|or|und|et|y)\b", words[:_MAX_CHARS].lower()):
        plain = re.sub(r"[\W_]+", " ", item).strip()
        if plain in _unstated:
            continue
        return next((kind for kind, pattern in _kinds if pattern.search(plain)), "OTHER")
    return None
