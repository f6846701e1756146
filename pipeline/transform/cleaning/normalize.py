"""From mapped postings to clean ones: plain texts, web addresses, times in UTC, amounts.

Every rule looks at one row alone, so that a run over what changed gives what a run over
everything gives. What is wrong in a field makes that field null; whether the posting can do without
it, :mod:`pipeline.transform.understanding.understand` decides.
"""

from __future__ import annotations

import hashlib
import re

import polars as pl

from pipeline.fields import MAX_DESCRIPTION_CHARS, MAX_TITLE_CHARS
from pipeline.transform.cleaning import text
from pipeline.transform.cleaning.distinct import of_distinct

MAX_ID_BYTES = 200
MAX_NAME_CHARS = 300
MAX_URL_CHARS = 2_000
MAX_APPLY_URLS = 20
MAX_TAGS = 50
MAX_TAG_CHARS = 60

_EARLIEST = pl.datetime(2000, 1, 1, time_zone="UTC")
_CLOCK_SKEW = pl.duration(days=3)
_LONGEST_OFFER = pl.duration(days=5 * 366)

MAX_AMOUNT = 10_000_000_000.0
"""Above any salary in any currency, and within ``numeric(14, 2)``."""

_URL = r"^(?i:(https?))://(?:[^/?#\s@\\]*@)*((?:[\pL\pN_-]+\.)*[\pL\pN_-]+\.?(?::[0-9]{1,5})?)([/?#].*)?$"


def clean(mapped: pl.LazyFrame) -> pl.LazyFrame:
    """The mapped postings (:class:`MappedPosting`) with clean columns and ``posting_id``.

    The fields that understanding reads (place, employment, pay, the flag ``remote``) are plain
    text still in the source's own words; their amounts are sound numbers. ``given_id`` is the
    source's own id, empty where it gave none. Raises nothing for what a row holds.
    """
    names = [
        "company", "location_text", "city", "region", "country", "publisher", "employment_type",
        "salary_currency", "salary_period", "salary_text",
    ]  # fmt: skip
    given_id = pl.col("source_id").fill_null("")
    return mapped.with_columns(
        given_id=given_id,
        source_id=of_distinct(given_id, safe_id),
        title=text.line(pl.col("title")).pipe(_cut, MAX_TITLE_CHARS),
        description=text.paragraphs(pl.col("description")).pipe(_cut, MAX_DESCRIPTION_CHARS),
        description_is_snippet=pl.col("description_is_snippet").fill_null(False),
        tags=_tags(pl.col("tags")),
        salary_min=_amount(pl.col("salary_min")),
        salary_max=_amount(pl.col("salary_max")),
        apply_url=web_url(pl.col("apply_url")),
        apply_urls=_web_urls(pl.col("apply_urls")),
        source_url=web_url(pl.col("source_url")),
        posted_at=_between(pl.col("posted_at"), pl.col("last_seen_at") + _CLOCK_SKEW),
        posted_at_is_approximate=pl.col("posted_at_is_approximate").fill_null(False),
        expires_at=_between(pl.col("expires_at"), pl.col("last_seen_at") + _LONGEST_OFFER),
        **{name: text.line(pl.col(name)).pipe(_cut, MAX_NAME_CHARS) for name in names},
    ).with_columns(
        posting_id=pl.concat_str("source", pl.lit("_"), "source_id"),
        expires_at=pl.when((pl.col("expires_at") >= pl.col("posted_at")).fill_null(True)).then(
            "expires_at"
        ),
    )


def _web_urls(urls: pl.Expr) -> pl.Expr:
    """The distinct usable ones among the first, in order."""
    return (
        urls.list.head(4 * MAX_APPLY_URLS)
        .list.eval(web_url(pl.element()))
        .list.drop_nulls()
        .list.unique(maintain_order=True)
        .list.head(MAX_APPLY_URLS)
        .fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )


def _cut(value: pl.Expr, length: int) -> pl.Expr:
    return value.str.head(length).str.strip_chars().replace("", None)


def safe_id(source_id: str) -> str:
    """The source's own id where it is short printable ASCII, otherwise its hash: an id is a
    key of indexes and part of URLs."""
    if re.fullmatch(rf"[\x21-\x7e]{{1,{MAX_ID_BYTES}}}", source_id):
        return source_id
    return "sha256-" + hashlib.sha256(source_id.encode()).hexdigest() if source_id else ""


def _tags(tags: pl.Expr) -> pl.Expr:
    return (
        tags.list.head(4 * MAX_TAGS)
        .map_batches(_clean_tags, return_dtype=pl.List(pl.String))
        .list.drop_nulls()
        .list.unique(maintain_order=True)
        .list.head(MAX_TAGS)
        .fill_null(pl.lit([], dtype=pl.List(pl.String)))
    )


def _clean_tags(tags: pl.Series) -> pl.Series:
    """Each distinct tag is cleaned once: a few thousand words tag a million postings."""
    given = tags.explode().drop_nulls().unique()
    clean = given.to_frame("tag").select(
        text.line(pl.col("tag")).str.to_lowercase().pipe(_cut, MAX_TAG_CHARS)
    )
    return tags.to_frame("tags").select(
        pl.col("tags").list.eval(
            pl.element().replace_strict(given, clean["tag"], default=None, return_dtype=pl.String)
        )
    )["tags"]


def _between(moment: pl.Expr, latest: pl.Expr) -> pl.Expr:
    return pl.when(moment.is_between(_EARLIEST, latest)).then(moment)


def _amount(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_finite() & value.is_between(1, MAX_AMOUNT)).then(value.round(2))


def web_url(url: pl.Expr) -> pl.Expr:
    """An http or https URL without credentials and control characters, null for anything else.

    Blanks, quotes, angle brackets and backslashes behind the host are percent-encoded.
    """
    bare = url.str.replace_all(r"[\pC\u2028\u2029]", "").str.strip_chars()
    bare = bare.str.replace_all("&amp;", "&", literal=True)
    path = bare.str.extract(_URL, 3).fill_null("")
    for char, code in {" ": "%20", '"': "%22", "<": "%3C", ">": "%3E", "\\": "%5C"}.items():
        path = path.str.replace_all(char, code, literal=True)
    path = path.str.replace_all(r"\s", "%20")
    whole = pl.concat_str(
        bare.str.extract(_URL, 1).str.to_lowercase(), pl.lit("://"), bare.str.extract(_URL, 2), path
    )
    return pl.when(whole.str.len_chars() <= MAX_URL_CHARS).then(whole)
