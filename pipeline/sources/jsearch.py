"""JSearch: postings that Google for Jobs shows, of LinkedIn, Indeed and others; by RapidAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import dlt
import polars as pl
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pipeline.extract.client import Client
from pipeline.extract.searches import pages_of_searches
from pipeline.settings import BaseUrl, CommaSeparated, SourceSettings
from pipeline.sources import Source
from pipeline.transform.raw_values import (
    epoch_time,
    filled,
    iso_time,
    json_strings,
    number,
)

_ROLES = [
    "backend engineer", "devops engineer", "site reliability engineer",
    "cloud engineer", "platform engineer",
]  # fmt: skip


class JSearchSettings(SourceSettings):
    """Every query is asked in every country, ``pages_per_query`` pages each.

    The free plan has 200 requests a month. By default 5 are sent a day, at most 155 in 31 days;
    the rest is for retries.
    """

    model_config = SettingsConfigDict(env_prefix="JSEARCH_", populate_by_name=True)

    base_url: BaseUrl = "https://jsearch.p.rapidapi.com"
    rapidapi_key: Annotated[SecretStr | None, Field(validation_alias="RAPIDAPI_KEY")] = None
    rapidapi_host: str = "jsearch.p.rapidapi.com"
    interval_minutes: int = 1440
    max_pages: int = 50
    quota_per_month: int | None = 200

    queries: Annotated[CommaSeparated, Field(default=_ROLES)]
    countries: Annotated[CommaSeparated, Field(default=["us"])]
    pages_per_query: Annotated[int, Field(ge=1, le=50)] = 1
    date_posted: Literal["all", "today", "3days", "week", "month"] = "3days"
    language: str | None = None
    remote_only: bool = False
    employment_types: Annotated[CommaSeparated, Field(default_factory=list)]

    @property
    def missing_keys(self) -> list[str]:
        key = self.rapidapi_key
        return [] if key and key.get_secret_value().strip() else ["RAPIDAPI_KEY"]

    @property
    def requests_per_fetch(self) -> int:
        """How many requests one fetch sends at most where none has to be repeated."""
        return len(self.queries) * len(self.countries) * self.pages_per_query


@dlt.resource(name="jsearch", max_table_nesting=0)
def jsearch(settings: JSearchSettings, client: Client) -> Iterator[list[Any]]:
    """The pages of every query in every country."""
    searches: dict[str, Callable[[int], list[Any]]] = {
        f"'{query}' in {country}": partial(_page, settings, client, query, country)
        for country in settings.countries
        for query in settings.queries
    }
    yield from pages_of_searches(
        "jsearch", searches, key="job_id", max_pages=settings.pages_per_query
    )


def _page(
    settings: JSearchSettings, client: Client, query: str, country: str, page: int
) -> list[Any]:
    params: dict[str, str | int | SecretStr] = {
        "query": query,
        "page": page,
        "num_pages": 1,
        "country": country,
        "date_posted": settings.date_posted,
    }
    if settings.language:
        params["language"] = settings.language
    if settings.remote_only:
        params["work_from_home"] = "true"
    if settings.employment_types:
        params["employment_types"] = ",".join(settings.employment_types)
    headers: dict[str, str | int | SecretStr] = {
        "X-RapidAPI-Key": settings.rapidapi_key or "",
        "X-RapidAPI-Host": settings.rapidapi_host,
    }
    answer = client.get_json("/search", params, headers)
    postings = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(postings, list):
        raise client.unusable(answer, "a list of jobs in `data`")
    return postings


_FIRST_OPTION = pl.col("apply_options").str.json_path_match("$[0].apply_link")
_HAS_SALARY = (number("job_min_salary") > 0) | (number("job_max_salary") > 0)

SOURCE = Source(
    name="jsearch",
    title="JSearch",
    attribution="Jobs found with JSearch; the publisher of each posting is named beside it.",
    settings=JSearchSettings,
    resource=jsearch,
    key="job_id",
    columns={
        "job_title": pl.String(),
        "employer_name": pl.String(),
        "employer_logo": pl.String(),
        "employer_website": pl.String(),
        "job_publisher": pl.String(),
        "job_employment_type": pl.String(),
        "job_apply_link": pl.String(),
        "job_apply_is_direct": pl.Boolean(),
        "job_google_link": pl.String(),
        "job_description": pl.String(),
        "job_is_remote": pl.Boolean(),
        "job_posted_at_timestamp": pl.Int64(),
        "job_posted_at_datetime_utc": pl.String(),
        "job_offer_expiration_timestamp": pl.Int64(),
        "job_offer_expiration_datetime_utc": pl.String(),
        "job_location": pl.String(),
        "job_city": pl.String(),
        "job_state": pl.String(),
        "job_country": pl.String(),
        "job_latitude": pl.Float64(),
        "job_longitude": pl.Float64(),
        "job_min_salary": pl.String(),
        "job_max_salary": pl.String(),
        "job_salary_currency": pl.String(),
        "job_salary_period": pl.String(),
    },
    json_columns=frozenset({"job_employment_types", "apply_options", "job_highlights"}),
    mapping={
        "title": pl.col("job_title"),
        "company": pl.col("employer_name"),
        "description": pl.col("job_description"),
        "description_is_snippet": pl.lit(False),
        "location_text": pl.coalesce(
            filled("job_location"),
            pl.concat_str(
                filled("job_city"), filled("job_state"), filled("job_country"),
                separator=", ", ignore_nulls=True,
            ).replace("", None),
        ),
        "city": pl.col("job_city"),
        "region": pl.col("job_state"),
        "country": pl.col("job_country"),
        "remote": pl.col("job_is_remote"),
        "employment_type": pl.coalesce(
            json_strings("job_employment_types").list.join(", ").replace("", None),
            filled("job_employment_type"),
        ),
        "salary_min": number("job_min_salary"),
        "salary_max": number("job_max_salary", last=True),
        "salary_currency": pl.when(_HAS_SALARY).then(pl.col("job_salary_currency")),
        "salary_period": pl.when(_HAS_SALARY).then(pl.col("job_salary_period")),
        "salary_is_predicted": pl.lit(False),
        "publisher": filled("job_publisher"),
        "apply_url": pl.coalesce(filled("job_apply_link"), _FIRST_OPTION),
        "source_url": filled("job_google_link"),
        "posted_at": pl.coalesce(
            iso_time("job_posted_at_datetime_utc"), epoch_time("job_posted_at_timestamp")
        ),
        "expires_at": pl.coalesce(
            iso_time("job_offer_expiration_datetime_utc"),
            epoch_time("job_offer_expiration_timestamp"),
        ),
    },
)  # fmt: skip
