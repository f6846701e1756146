"""JSearch: postings that Google for Jobs shows, of LinkedIn, Indeed and others; by RapidAPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import polars as pl
from pydantic import Field, SecretStr
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
from pipeline.sources import (
    BOOLEAN,
    IGNORED,
    JSON,
    NUMBER,
    TEXT,
    TEXT_OR_NUMBER,
    WHOLE_NUMBER,
    Source,
    posting_resource,
    required,
)
from pipeline.sources._raw_values import (
    day_of_age,
    epoch_time,
    filled,
    json_items,
    json_strings,
    moment,
    number,
)
from pipeline.transform.understanding.pay import currency_of

_ROLES = [
    "backend engineer", "devops engineer", "site reliability engineer",
    "cloud engineer", "platform engineer",
]  # fmt: skip


class JSearchSettings(SourceSettings):
    """Every query is asked in every country, ``pages_per_query`` pages each.

    A page of up to ten postings is one request, and one credit of the plan: the free one has 200
    a month. By default 5 are sent a day, at most 155 in 31 days; the rest is for retries.
    """

    model_config = SettingsConfigDict(env_prefix="JSEARCH_", populate_by_name=True)

    base_url: BaseUrl = "https://jsearch.p.rapidapi.com"
    path: Annotated[str, Field(pattern="^/")] = "/search-v2"
    """``/search``, which pages by number, answers no more at RapidAPI; other gateways have it."""
    rapidapi_key: Annotated[SecretStr | None, Field(validation_alias="RAPIDAPI_KEY")] = None
    rapidapi_host: str = "jsearch.p.rapidapi.com"
    interval_minutes: int = 1440
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
    def pages_per_fetch(self) -> int:
        return len(self.queries) * len(self.countries) * self.pages_per_query


_ENVELOPE = {
    "": "object", "status": "text", "request_id": "text or absent",
    "parameters": "object or absent", "data": "object", "data.jobs": "list",
    "data.cursor": "text or null or absent",
}  # fmt: skip


@posting_resource("jsearch")
def jsearch(settings: JSearchSettings, client: Client) -> Iterator[list[Any]]:
    """The pages of every query in every country; each posting with :data:`COUNTRY_FIELD`."""
    searches: dict[str, Callable[[Position], Page]] = {
        f"'{query}' in {country}": partial(_page, settings, client, query, country)
        for country in settings.countries
        for query in settings.queries
    }
    yield from pages_of_searches(
        "jsearch", searches, key="job_id", max_pages=settings.pages_per_query
    )


def _page(
    settings: JSearchSettings, client: Client, query: str, country: str, position: Position
) -> Page:
    """One page, from a cursor or, of the envelope with a list of jobs in ``data``, by number."""
    params: dict[str, str | int | SecretStr] = {
        "query": query,
        "num_pages": 1,
        "country": country,
        "date_posted": settings.date_posted,
    }
    if position is not None:
        params["page" if isinstance(position, int) else "cursor"] = position
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
    content = client.get_json(settings.path, params, headers, envelope=_ENVELOPE)
    data = content.get("data") if isinstance(content, Mapping) else None
    following: Position = None
    postings: Any = None
    if isinstance(data, list):
        postings, following = data, (position if isinstance(position, int) else 1) + 1
    elif isinstance(data, Mapping):
        postings, cursor = data.get("jobs"), data.get("cursor")
        following = cursor if isinstance(cursor, str) and cursor not in ("", position) else None
    if not isinstance(postings, list):
        raise client.invalid_response(content, "a list of jobs in `data.jobs`")
    return Page(with_country(postings, country.lower()), following)


_MOST_OPTIONS = 20
_LINKS = json_items("apply_options", ".apply_link", _MOST_OPTIONS)
_DIRECT_LINK = pl.coalesce(
    pl.when(is_direct == "true").then(link)
    for link, is_direct in zip(
        _LINKS, json_items("apply_options", ".is_direct", _MOST_OPTIONS), strict=True
    )
)
_HAS_SALARY = (number("job_min_salary") > 0) | (number("job_max_salary") > 0)
_HAS_AMOUNT = _HAS_SALARY.fill_null(False) | (number("job_salary") > 0).fill_null(False)
_COUNTRY = pl.coalesce(filled("job_country"), filled(COUNTRY_FIELD))

# "Madrid     •  a través de LinkedIn": the publisher is named behind the place.
_TAIL = r"\s*•\s*([^•]*)$"
_VIA = (
    r"(?i)^(?:via|vía|a trav[eé]s de|tramite|über|bei|par|através d[eo]|pelo|door|przez|genom"
    r"|gjennom|prin|přes|через|经由|経由)\b"
)
_LOCATION = pl.col("job_location")
_tail = _LOCATION.str.extract(_TAIL)
_PLACE = (
    pl.when(
        _tail.str.contains(_VIA)
        | _tail.str.ends_with(filled("job_publisher").str.strip_chars())
        | _LOCATION.str.contains(r"\s{2,}•\s")
    )
    .then(_LOCATION.str.replace(_TAIL, ""))
    .otherwise(_LOCATION)
)
_ARRANGEMENT = pl.col("work_arrangement").str.to_lowercase().str.replace_all(r"[^a-z]", "")
_EXACT_DATE = pl.coalesce(
    moment("job_posted_at_datetime_utc"), epoch_time("job_posted_at_timestamp")
)
_TOLD_DAY = day_of_age("job_posted_at", "last_seen_at")

_IGNORED = [
    "job_uid", "job_benefits", "job_benefits_strings", "employer_reviews", "job_onet_soc",
    "job_onet_job_zone", "relocation_required", "relocation_assistance", "methodologies",
    "has_management_responsibilities", "ai_ml_involved", "benefits_extended", "soft_skills",
    # Of responses before 2025:
    "employer_company_type", "job_apply_quality_score", "job_required_experience",
    "job_required_education", "job_experience_in_place_of_education", "job_job_title",
    "job_posting_language", "job_occupational_categories", "job_naics_code", "job_naics_name",
]  # fmt: skip

SOURCE = Source(
    name="jsearch",
    title="JSearch",
    attribution="Jobs found with JSearch; the publisher of each posting is named beside it.",
    settings=JSearchSettings,
    resource=jsearch,
    key="job_id",
    fields={
        COUNTRY_FIELD: TEXT,
        "job_title": required(TEXT),
        "employer_name": required(TEXT),
        "employer_logo": TEXT,
        "employer_website": TEXT,
        "job_publisher": required(TEXT),
        "job_employment_type": TEXT,
        "job_apply_link": required(TEXT),
        "job_apply_is_direct": BOOLEAN,
        "job_google_link": TEXT,
        "job_description": required(TEXT),
        "job_is_remote": BOOLEAN,
        "job_posted_at": TEXT,
        "job_posted_at_timestamp": WHOLE_NUMBER,
        "job_posted_at_datetime_utc": TEXT,
        "job_offer_expiration_timestamp": WHOLE_NUMBER,
        "job_offer_expiration_datetime_utc": TEXT,
        "job_location": TEXT,
        "job_city": TEXT,
        "job_state": TEXT,
        "job_country": TEXT,
        "job_latitude": NUMBER,
        "job_longitude": NUMBER,
        "job_min_salary": TEXT_OR_NUMBER,
        "job_max_salary": TEXT_OR_NUMBER,
        "job_salary": TEXT_OR_NUMBER,
        "job_salary_string": TEXT,
        "job_salary_currency": TEXT,
        "job_salary_period": TEXT,
        "work_arrangement": TEXT,
        "seniority_level": TEXT,
        "required_experience_years": NUMBER,
        "visa_sponsorship": TEXT,
        "contract_duration": TEXT,
        "start_date": TEXT,
        "industry": TEXT,
        "job_function": TEXT,
        "job_employment_types": JSON,
        "apply_options": JSON,
        "job_highlights": JSON,
        "required_technologies": JSON,
        "preferred_technologies": JSON,
        "job_required_skills": JSON,
        "education_required": JSON,
        **dict.fromkeys(_IGNORED, IGNORED),
    },
    mapping={
        "title": pl.col("job_title"),
        "company": pl.col("employer_name"),
        "description": pl.col("job_description"),
        "description_is_snippet": pl.lit(False),
        "location_text": pl.coalesce(
            pl.when(_PLACE.str.strip_chars() != "").then(_PLACE),
            pl.concat_str(
                filled("job_city"), filled("job_state"), filled("job_country"),
                separator=", ", ignore_nulls=True,
            ).replace("", None),
        ),
        "city": pl.col("job_city"),
        "region": pl.col("job_state"),
        "country": _COUNTRY,
        "remote": pl.when(_ARRANGEMENT.is_in(["remote", "fullyremote"]))
        .then(pl.lit(True))
        .when(_ARRANGEMENT.is_in(["hybrid", "onsite", "inoffice", "inperson"]))
        .then(pl.lit(False))
        .otherwise(pl.col("job_is_remote")),
        "tags": pl.concat_list(
            json_strings(name).fill_null([])
            for name in ("required_technologies", "preferred_technologies", "job_required_skills")
        ).list.concat(pl.concat_list(filled("seniority_level")).list.drop_nulls()),
        "employment_type": pl.coalesce(
            json_strings("job_employment_types").list.join(", ").replace("", None),
            filled("job_employment_type"),
        ),
        "salary_min": pl.when(_HAS_SALARY.fill_null(False))
        .then(number("job_min_salary"))
        .otherwise(number("job_salary")),
        "salary_max": pl.when(_HAS_SALARY.fill_null(False))
        .then(number("job_max_salary", last=True))
        .otherwise(number("job_salary", last=True)),
        "salary_currency": pl.when(_HAS_AMOUNT).then(
            currency_of(pl.col("job_salary_currency"), _COUNTRY)
        ),
        "salary_period": pl.when(_HAS_AMOUNT).then(pl.col("job_salary_period")),
        "salary_text": pl.col("job_salary_string"),
        "salary_is_predicted": pl.lit(False),
        "publisher": filled("job_publisher"),
        "apply_url": pl.coalesce(
            pl.when(pl.col("job_apply_is_direct")).then(filled("job_apply_link")),
            _DIRECT_LINK,
            filled("job_apply_link"),
            _LINKS[0],
        ),
        "apply_urls": pl.concat_list(filled("job_apply_link"), *_LINKS).list.drop_nulls(),
        "source_url": filled("job_google_link"),
        "posted_at": pl.coalesce(_EXACT_DATE, _TOLD_DAY),
        "posted_at_is_approximate": _EXACT_DATE.is_null() & _TOLD_DAY.is_not_null(),
        "expires_at": pl.coalesce(
            moment("job_offer_expiration_datetime_utc"),
            epoch_time("job_offer_expiration_timestamp"),
        ),
    },
)  # fmt: skip
