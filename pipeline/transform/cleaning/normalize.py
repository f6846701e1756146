"""From mapped postings to clean ones: one vocabulary, one spelling, one time zone.

Every rule looks at one row alone, so that a run over what changed gives what a run over
everything gives. A posting is rejected only when it cannot be understood: without an id or a
title. What is wrong in any other field makes that field null.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

import dataframely as dy
import polars as pl

from pipeline.fields import (
    EMPLOYMENT_TYPES,
    MAX_DESCRIPTION_CHARS,
    MAX_TITLE_CHARS,
    SALARY_PERIODS,
)
from pipeline.transform.cleaning import text
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.cleaning.employment import employment_type
from pipeline.transform.cleaning.pay import BOUNDED_CURRENCIES, PERIODS, currency, salary_period
from pipeline.transform.cleaning.places import locate
from pipeline.transform.cleaning.stated_pay import Pay, as_stated
from pipeline.transform.cleaning.workplace import is_remote
from pipeline.transform.schema import Posting, RejectedPosting

NO_ID = "the source gave it no id"
NO_TITLE = "title is empty"
"""The reasons for a rejection, beside those that a source's mapping gives; any other names the
rules of :class:`Posting` that are broken."""

MAX_ID_BYTES = 200
MAX_NAME_CHARS = 300
MAX_URL_CHARS = 2_000
MAX_APPLY_URLS = 20
MAX_TAGS = 50
MAX_TAG_CHARS = 60

_EARLIEST = pl.datetime(2000, 1, 1, time_zone="UTC")
_CLOCK_SKEW = pl.duration(days=3)
_LONGEST_OFFER = pl.duration(days=5 * 366)

_MAX_AMOUNT = 10_000_000_000.0
"""Above any salary in any currency, and within ``numeric(14, 2)``."""
_MAX_RANGE_RATIO = 50
"""A range wider than this mixes periods or units and says nothing."""

_URL = r"^(?i:(https?))://(?:[^/?#\s@\\]*@)*((?:[\pL\pN_-]+\.)*[\pL\pN_-]+\.?(?::[0-9]{1,5})?)([/?#].*)?$"


def normalize(
    mapped: pl.LazyFrame | pl.DataFrame,
) -> tuple[dy.DataFrame[Posting], dy.DataFrame[RejectedPosting]]:
    """Clean mapped postings (:class:`MappedPosting`, unique in source and source id).

    Returns the postings, their ``skills`` empty, and those that cannot be understood: each row
    comes out in exactly one of the two. Raises nothing for what a row holds.
    """
    cleaned = _clean(mapped.lazy()).collect()
    reason = (
        pl.when(pl.col("given_id") == "")
        .then(pl.lit(NO_ID))
        .when(pl.col("title").is_null())
        .then(pl.lit(NO_TITLE))
        .otherwise(pl.col("unusable").replace("", None))
    )
    cleaned = cleaned.with_columns(reason=reason)
    understood = cleaned.filter(pl.col("reason").is_null())
    # Whatever the rules above let through is rejected by name rather than published or raised.
    postings, failure = Posting.filter(understood, cast=True)
    broken = understood.join(failure.invalid().select("posting_id"), on="posting_id", how="semi")
    rejected = pl.concat(
        [
            cleaned.filter(pl.col("reason").is_not_null()),
            *(row.with_columns(reason=pl.lit(_broken_rules(row))) for row in broken.iter_slices(1)),
        ]
    )
    return postings, rejection(rejected)


def rejection(rows: pl.DataFrame) -> dy.DataFrame[RejectedPosting]:
    """Postings that have a ``reason``, mapped or cleaned, as they are kept."""
    return RejectedPosting.cast(
        rows.with_columns(
            of_distinct(pl.col("source_id").fill_null(""), safe_id).alias("source_id"),
            pl.col("raw").str.replace_all("\0", "", literal=True),
        ).select(RejectedPosting.column_names())
    )


def _broken_rules(posting: pl.DataFrame) -> str:
    _, failure = Posting.filter(posting, cast=True)
    return "breaks the rule " + ", ".join(sorted(failure.counts()) or ["primary_key"])


def _clean(mapped: pl.LazyFrame) -> pl.LazyFrame:
    names = ["company", "location_text", "city", "region", "country", "publisher"]
    given_id = pl.col("source_id").fill_null("")
    return (
        mapped.with_columns(
            given_id=given_id,
            source_id=of_distinct(given_id, safe_id),
            title=text.line(pl.col("title")).pipe(_cut, MAX_TITLE_CHARS),
            description=text.paragraphs(pl.col("description")).pipe(_cut, MAX_DESCRIPTION_CHARS),
            description_is_snippet=pl.col("description_is_snippet").fill_null(False),
            tags=_tags(pl.col("tags")),
            skills=pl.lit([], dtype=pl.List(pl.String)),
            employment_type=of_distinct(pl.col("employment_type"), employment_type).cast(
                pl.Enum(EMPLOYMENT_TYPES)
            ),
            salary_currency=of_distinct(pl.col("salary_currency"), currency),
            salary_period=of_distinct(pl.col("salary_period"), salary_period),
            salary_min=_amount(pl.col("salary_min")),
            salary_max=_amount(pl.col("salary_max")),
            apply_url=web_url(pl.col("apply_url")),
            apply_urls=_web_urls(pl.col("apply_urls")),
            source_url=web_url(pl.col("source_url")),
            posted_at=_between(pl.col("posted_at"), pl.col("last_seen_at") + _CLOCK_SKEW),
            posted_at_is_approximate=pl.col("posted_at_is_approximate").fill_null(False),
            expires_at=_between(pl.col("expires_at"), pl.col("last_seen_at") + _LONGEST_OFFER),
            **{name: text.line(pl.col(name)).pipe(_cut, MAX_NAME_CHARS) for name in names},
        )
        .with_columns(
            posting_id=pl.concat_str("source", pl.lit("_"), "source_id"),
            remote=is_remote(),
            place=of_distinct(
                pl.struct("location_text", "city", "region", "country"), _located, _PLACE
            ),
            expires_at=pl.when((pl.col("expires_at") >= pl.col("posted_at")).fill_null(True)).then(
                "expires_at"
            ),
        )
        .with_columns(pl.col("place").struct.field("city", "region", "country"))
        .pipe(_with_stated_pay)
        .pipe(_with_sound_salary)
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


_PLACE = pl.Struct({"city": pl.String, "region": pl.String, "country": pl.String})


def _located(fields: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return locate(**fields)._asdict()


def _between(moment: pl.Expr, latest: pl.Expr) -> pl.Expr:
    return pl.when(moment.is_between(_EARLIEST, latest)).then(moment)


def _amount(value: pl.Expr) -> pl.Expr:
    return pl.when(value.is_finite() & value.is_between(1, _MAX_AMOUNT)).then(value.round(2))


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
