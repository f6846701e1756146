"""Remote OK: one list of about 100 remote jobs, without a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import dlt
import polars as pl
from pydantic_settings import SettingsConfigDict

from pipeline.extract.client import Client
from pipeline.settings import BaseUrl, SourceSettings
from pipeline.sources import Source
from pipeline.transform.raw_values import epoch_time, filled, iso_time, json_strings


class RemoteOkSettings(SourceSettings):
    """The API answers from a cache that is renewed every hour."""

    model_config = SettingsConfigDict(env_prefix="REMOTEOK_")

    base_url: BaseUrl = "https://remoteok.com"
    interval_minutes: int = 60


@dlt.resource(name="remoteok", max_table_nesting=0)
def remoteok(settings: RemoteOkSettings, client: Client) -> Iterator[list[Any]]:
    """The one page there is: parameters are ignored. Its first element, the terms, is no job."""
    answer = client.get_json("/api", {})
    if not isinstance(answer, list):
        raise client.unusable(answer, "a list of jobs")
    yield [element for element in answer if not _is_terms(element)]


def _is_terms(element: Any) -> bool:
    return isinstance(element, Mapping) and "legal" in element and "id" not in element


# Where a description is cut, dots come before the note that is put under every advert.
_CUT = r"(\.\.\.|…)\s*(<br\s*/?>\s*)*(Please mention the word|$)"
# The recorded answer holds the newest 98, back to twelve days before; others hold about 100.
_FEED_WINDOW = 90

_HAS_SALARY = (pl.col("salary_min") > 0) | (pl.col("salary_max") > 0)

SOURCE = Source(
    name="remoteok",
    title="Remote OK",
    attribution="Jobs from Remote OK (https://remoteok.com). Link back to each posting there, "
    "with a followed link.",
    settings=RemoteOkSettings,
    resource=remoteok,
    key="id",
    columns={
        "slug": pl.String(),
        "epoch": pl.Int64(),
        "date": pl.String(),
        "company": pl.String(),
        "company_logo": pl.String(),
        "logo": pl.String(),
        "position": pl.String(),
        "description": pl.String(),
        "location": pl.String(),
        "salary_min": pl.Float64(),
        "salary_max": pl.Float64(),
        "apply_url": pl.String(),
        "url": pl.String(),
        "original": pl.Boolean(),
        "verified": pl.Boolean(),
    },
    json_columns=frozenset({"tags"}),
    mapping={
        "title": pl.col("position"),
        "company": pl.col("company"),
        "description": pl.col("description"),
        "description_is_snippet": pl.col("description").str.contains(_CUT).fill_null(False),
        "tags": json_strings("tags"),
        "location_text": pl.col("location"),
        "remote": pl.lit(True),
        "salary_min": pl.col("salary_min"),
        "salary_max": pl.col("salary_max"),
        "salary_currency": pl.when(_HAS_SALARY).then(pl.lit("USD")),
        "salary_period": pl.when(_HAS_SALARY).then(pl.lit("YEAR")),
        "salary_is_predicted": pl.lit(False),
        "apply_url": pl.coalesce(filled("apply_url"), filled("url")),
        "source_url": filled("url"),
        "posted_at": pl.coalesce(iso_time("date"), epoch_time("epoch")),
    },
    feed_window=_FEED_WINDOW,
)
