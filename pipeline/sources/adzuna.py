"""Adzuna: an aggregator of 19 countries. Descriptions are snippets, many salaries estimates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any

import polars as pl
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pipeline.extract.client import Client
from pipeline.extract.searches import (
    COUNTRY_FIELD,
    Page,
    Position,
    pages_of_searches,
    with_country,
)
from pipeline.installation.settings import BaseUrl, CommaSeparated, SourceSettings
from pipeline.sources import IGNORED, JSON, NUMBER, TEXT, Source, posting_resource, required
from pipeline.sources._raw_values import filled, flag, moment
from pipeline.transform.understanding.pay import currency_of
from pipeline.transform.understanding.places import city_of_area_list

COUNTRIES = [
    "at", "au", "be", "br", "ca", "ch", "de", "es", "fr", "gb", "in", "it", "mx", "nl", "nz", "pl",
    "sg", "us", "za",
]  # fmt: skip
"""The countries that Adzuna covers (https://developer.adzuna.com)."""


def _known_countries(countries: list[str]) -> list[str]:
    countries = [country.lower() for country in countries]
    unknown = [country for country in countries if country not in COUNTRIES]
    if unknown or not countries:
        raise ValueError(
            f"{', '.join(unknown) or 'an empty list'} is not covered by Adzuna; choose from "
            f"{', '.join(COUNTRIES)}"
        )
    return countries


class AdzunaSettings(SourceSettings):
    """Every query is asked in every country, ``pages_per_query`` pages each, newest first.

    A search is for ``what_or`` (any of its words) and each of ``queries`` (all of its words); with
    no ``queries`` it is one search a country. The default limits are 25 requests a minute, 250
    a day, 1,000 a week and 2,500 a month. By default 72 are sent a day, 2,232 in 31 days; the
    rest is for retries.
    """

    model_config = SettingsConfigDict(env_prefix="ADZUNA_", populate_by_name=True)

    base_url: BaseUrl = "https://api.adzuna.com"
    app_id: Annotated[SecretStr | None, Field(validation_alias="ADZUNA_APP_ID")] = None
    api_key: Annotated[SecretStr | None, Field(validation_alias="ADZUNA_API_KEY")] = None
    interval_minutes: int = 120
    quota_per_minute: int | None = 25
    quota_per_day: int | None = 250
    quota_per_week: int | None = 1_000
    quota_per_month: int | None = 2_500

    countries: Annotated[
        CommaSeparated, AfterValidator(_known_countries), Field(default=["gb", "us"])
    ]
    what_or: str = "backend devops sre reliability platform cloud kubernetes infrastructure"
    queries: Annotated[CommaSeparated, Field(default_factory=list)]
    what_exclude: str | None = None
    where: str | None = None
    category: str | None = "it-jobs"
    max_days_old: Annotated[int, Field(ge=1)] = 7
    results_per_page: Annotated[int, Field(ge=1, le=50)] = 50
    pages_per_query: Annotated[int, Field(ge=1, le=50)] = 3

    @property
    def missing_keys(self) -> list[str]:
        keys = {"ADZUNA_APP_ID": self.app_id, "ADZUNA_API_KEY": self.api_key}
        return [
            variable
            for variable, key in keys.items()
            if key is None or not key.get_secret_value().strip()
        ]

    @property
    def pages_per_fetch(self) -> int:
        return len(self.countries) * max(1, len(self.queries)) * self.pages_per_query


_ENVELOPE = {
    "": "object", "results": "list", "count": "whole number", "mean": "number or absent",
    "__CLASS__": "text or absent",
}  # fmt: skip


@posting_resource("adzuna")
def adzuna(settings: AdzunaSettings, client: Client) -> Iterator[list[Any]]:
    """The pages of every query in every country; each posting with :data:`COUNTRY_FIELD`."""
    searches: dict[str, Callable[[Position], Page]] = {
        f"'{query or settings.what_or}' in {country}": partial(
            _page, settings, client, query, country
        )
        for country in settings.countries
        for query in settings.queries or [""]
    }
    yield from pages_of_searches("adzuna", searches, key="id", max_pages=settings.pages_per_query)


def _page(
    settings: AdzunaSettings, client: Client, query: str, country: str, position: Position
) -> Page:
    """One page by its number. A page may hold fewer postings than it has room for: the end is
    where ``count`` says, and only without it at a page that is not full."""
    number = position if isinstance(position, int) else 1
    wanted: dict[str, str | int | SecretStr | None] = {
        "app_id": settings.app_id,
        "app_key": settings.api_key,
        "results_per_page": settings.results_per_page,
        "what": query,
        "what_or": settings.what_or,
        "what_exclude": settings.what_exclude,
        "where": settings.where,
        "category": settings.category,
        "max_days_old": settings.max_days_old,
        "sort_by": "date",
        "content-type": "application/json",
    }
    params = {name: value for name, value in wanted.items() if value is not None and value != ""}
    path = f"/v1/api/jobs/{country}/search/{number}"
    content = client.get_json(path, params, envelope=_ENVELOPE)
    postings = content.get("results") if isinstance(content, Mapping) else None
    if not isinstance(postings, list):
        raise client.invalid_response(content, "a list of jobs in `results`")
    count = content.get("count")
    asked = number * settings.results_per_page
    if isinstance(count, int):
        is_last, announced = count <= asked, min(count, asked)
    else:
        is_last, announced = len(postings) < settings.results_per_page, None
    return Page(with_country(postings, country), None if is_last else number + 1, announced)


_COUNTRY = pl.col(COUNTRY_FIELD).str.to_uppercase()
_HAS_SALARY = (pl.col("salary_min") > 0) | (pl.col("salary_max") > 0)
_IS_PREDICTED = flag("salary_is_predicted").fill_null(False)
_POINT = pl.coalesce("salary_min", "salary_max")

# "…/land/ad/123?se=…&v=…" holds a session and the application's id: it differs with each response,
# and the id is nobody else's business. Adzuna's page of the same advert has neither.
_ADDRESS = filled("redirect_url").str.replace(
    r"^(https?://[^/?#]+(?:/[^/?#]+)*?)/(?:land/ad|details)/(\d+)(?:[/?#].*)?$", "$1/details/$2"
)

SOURCE = Source(
    name="adzuna",
    title="Adzuna",
    attribution="Jobs by Adzuna",
    settings=AdzunaSettings,
    resource=adzuna,
    key="id",
    fields={
        COUNTRY_FIELD: TEXT,
        "title": required(TEXT),
        "description": required(TEXT),
        "created": required(TEXT),
        "redirect_url": required(TEXT),
        "adref": TEXT,
        "salary_min": NUMBER,
        "salary_max": NUMBER,
        "salary_is_predicted": TEXT,
        "contract_time": TEXT,
        "contract_type": TEXT,
        "latitude": NUMBER,
        "longitude": NUMBER,
        "company": JSON,
        "location": required(JSON),
        "category": JSON,
        "__CLASS__": IGNORED,
    },
    mapping={
        "title": pl.col("title"),
        "company": pl.col("company").str.json_path_match("$.display_name"),
        "description": pl.col("description"),
        "description_is_snippet": pl.col("description")
        .str.contains(r"(…|\.\.\.|&hellip;)\s*$")
        .fill_null(False),
        "location_text": pl.col("location").str.json_path_match("$.display_name"),
        "city": city_of_area_list(pl.col("location"), _COUNTRY),
        "region": pl.col("location").str.json_path_match("$.area[1]"),
        "country": _COUNTRY,
        # A contract is one whatever its hours; "permanent" says less than "full_time".
        "employment_type": pl.coalesce(
            pl.when(pl.col("contract_type") == "contract").then(pl.col("contract_type")),
            filled("contract_time"),
            filled("contract_type"),
        ),
        # An estimate is one number, even where it is sent as one end of a range.
        "salary_min": pl.when(_IS_PREDICTED).then(_POINT).otherwise("salary_min"),
        "salary_max": pl.when(_IS_PREDICTED)
        .then(pl.coalesce("salary_max", _POINT))
        .otherwise("salary_max"),
        "salary_currency": pl.when(_HAS_SALARY).then(
            currency_of(pl.lit(None, pl.String), _COUNTRY)
        ),
        # Hourly rates are made a year of without a mark: stated_pay finds them by the text.
        "salary_period": pl.when(_HAS_SALARY).then(pl.lit("YEAR")),
        "salary_is_predicted": _IS_PREDICTED,
        "apply_url": _ADDRESS,
        "source_url": _ADDRESS,
        "posted_at": moment("created"),
    },
)
