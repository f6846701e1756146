"""What the API accepts and answers. The names are those of :mod:`pipeline.transform.schema`."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

# Copies of the lists in pipeline.transform.schema, which the tests hold against each other:
# importing that module would load Polars into every worker of the API.
EmploymentType = Literal[
    "FULLTIME", "PARTTIME", "CONTRACT", "INTERN", "TEMPORARY", "VOLUNTEER", "OTHER"
]
Category = Literal["backend", "devops", "sre", "cloud", "platform"]
SalaryPeriod = Literal["YEAR", "MONTH", "WEEK", "DAY", "HOUR"]

Status = Literal["open", "likely_closed", "closed"]
Facet = Literal[
    "category", "source", "country", "employment_type", "remote", "status", "city", "company",
    "skills",
]  # fmt: skip

MAX_SEARCH_CHARS = 500
MAX_CURSOR_CHARS = 5_000
"""Of a cursor with the longest id that PostgreSQL indexes, 2,700 bytes."""
MAX_OFFSET = 10_000
MAX_VALUES = 50
"""How often a filter may be repeated."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def _split(values: object) -> object:
    if not isinstance(values, list):
        return values
    parts = [part.strip() for value in values for part in str(value).split(",")]
    return [part for part in parts if part]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the first or the last year
        return moment.replace(tzinfo=UTC)


def _empty_is_absent(value: object) -> object:
    """An empty number is none: OpenAPI has no other way to write null into a URL."""
    return None if value == "" else value


_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}(?:-?[1-7])?))"
    r"(?:[T ](?P<time>[0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?)?)"
    r"(?: ?Z|(?P<sign> ?[-+]| )(?P<offset>(?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?)?"
)
_HOW_TO_WRITE = (
    "must be a date (2026-02-06) or a time (2026-02-06T10:30:00Z) that there is; a time zone is "
    "written as its offset, with + as %2B (2026-02-06T10:30:00%2B02:00)"
)


def _moment(text: object) -> datetime:
    """An ISO 8601 date or time. A blank where an offset begins was a plus sign before it was
    decoded."""
    plain = text.upper().replace("\u2212", "-") if isinstance(text, str) else ""
    written = _MOMENT.fullmatch(plain)
    if written is None:
        raise ValueError(_HOW_TO_WRITE)
    offset = (written["sign"].strip() or "+") + written["offset"] if written["offset"] else "Z"
    try:
        return datetime.fromisoformat(f"{written['day']}T{written['time'] or '00'}{offset}")
    except ValueError:
        raise ValueError(_HOW_TO_WRITE) from None


Text = Annotated[
    str,
    AfterValidator(_without_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*$"}),
]
"""Text that PostgreSQL can hold."""
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_upper=True)]
Split = BeforeValidator(_split)
"""Of a list: values may be separated by commas as well as repeated."""
Values = Field(max_length=MAX_VALUES)
Since = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_utc)]

Time = Annotated[datetime, Field(examples=["2026-02-06T10:30:00Z"])]
Salary = Annotated[
    str, Field(description="A decimal number, as text to keep it exact.", examples=["42766.78"])
]


class Parameters(BaseModel):
    """The query parameters of a route; others are refused by name."""

    model_config = ConfigDict(extra="forbid")


class Filters(Parameters):
    """Which jobs. All kinds of filters together must match; of one kind, any value."""

    search: Annotated[Text, StringConstraints(max_length=MAX_SEARCH_CHARS)] | None = Field(
        None,
        description=(
            "Words that the title, company, skills, tags or description must hold, in any order, "
            'English inflection and usual spelling. `"site reliability"` is a phrase, `or` an '
            "alternative, `-java` an exclusion, `kube*` a beginning; `C++`, `C#`, `.NET`, "
            "`Node.js` and `Go` are words. Words like `the` are not indexed: a search of them "
            "alone finds nothing."
        ),
        examples=["kubernetes"],
    )
    source: Annotated[list[Name], Split, Values] = Field(
        [], description="Jobs that this source advertises."
    )
    category: Annotated[list[Category], Split, Values] = []
    employment_type: Annotated[list[EmploymentType], Split, Values] = []
    country: Annotated[list[Country], Split, Values] = Field(
        [], description="ISO 3166-1 alpha-2.", examples=[["US"]]
    )
    city: Annotated[list[Name], Values] = Field(
        [],
        description=(
            "The name, whatever its case, accents and punctuation; it may hold commas, so repeat "
            "it for several."
        ),
    )
    company: Annotated[list[Name], Values] = Field(
        [],
        description=(
            "The name, whatever its case, accents, punctuation and legal form: `numera` finds "
            "`Numera, Inc.` too. It may hold commas, so repeat it for several."
        ),
    )
    skills: Annotated[list[Name], Split, Values] = Field(
        [], description="As answered in `skills`.", examples=[["Kubernetes"]]
    )
    remote_only: bool = Field(False, description="Only jobs that can be done from anywhere.")
    posted_since: Since | None = Field(
        None,
        description="A date or a time. A job without a date counts by when it was found.",
        examples=["2026-02-06T10:30:00Z"],
    )
    first_seen_since: Since | None = Field(
        None,
        description="Jobs found since this date or time, whenever they were posted.",
        examples=["2026-02-06T10:30:00Z"],
    )
    salary_min: Annotated[
        Annotated[float, Field(ge=0, le=10**11, allow_inf_nan=False)] | None,
        BeforeValidator(_empty_is_absent),
    ] = Field(
        None,
        description=(
            "At least this much a year at the upper end of the salary, in `salary_currency`; "
            "hours count 2080, days 260, weeks 52 and months 12 times."
        ),
    )
    salary_currency: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True)] | (
        None
    ) = Field(None, description="ISO 4217. With `salary_min`, USD if not given.", examples=["USD"])
    status: Annotated[list[Status], Split, Values] = Field(
        [], description="Without it, all that are not closed."
    )


class JobsQuery(Filters):
    limit: int = Field(50, ge=1, le=200, description="Jobs in the answer, at most.")
    offset: int = Field(
        0,
        ge=0,
        description="Jobs to skip, from the cursor on. To read on further, follow `next`.",
        json_schema_extra={"maximum": MAX_OFFSET},
    )
    cursor: Annotated[Text, StringConstraints(max_length=MAX_CURSOR_CHARS)] | None = Field(
        None,
        description=(
            "The `next` of the page before, of the same search, filters and sort; `limit`, "
            "`offset` and `facets` may be others."
        ),
    )
    sort: Literal["newest", "relevance"] = Field(
        "newest",
        description="`relevance`: matches in the title over company, over skills, over text.",
    )
    facets: Annotated[list[Facet], Split, Values] = Field(
        [], description="Count the matching jobs by these."
    )

    @field_validator("offset")
    @classmethod
    def _is_not_deep(cls, offset: int) -> int:
        if offset > MAX_OFFSET:
            raise ValueError(
                f"must be at most {MAX_OFFSET}: to read on further, follow 'next' of each answer"
            )
        return offset


class ChangesQuery(Parameters):
    cursor: Annotated[Text, StringConstraints(max_length=MAX_CURSOR_CHARS)] | None = Field(
        None, description="The `next` of the answer before; none for everything."
    )
    limit: int = Field(200, ge=1, le=1000, description="Changes in the answer, at most.")


class ExportQuery(Filters):
    limit: int | None = Field(None, ge=1, le=2**62, description="Rows at most; none for all.")


class CsvQuery(ExportQuery):
    bom: bool = Field(
        False, description="Begin with a byte order mark, without which Excel misreads accents."
    )


class PublishesQuery(Parameters):
    limit: int = Field(50, ge=1, le=200, description="Runs in the answer, at most.")
    before: int | None = Field(None, ge=1, le=2**62, description="Versions below this one.")


class IngestQuery(Parameters):
    wait: bool = Field(True, description="Answer when the run has ended, with its statistics.")


class NoQuery(Parameters):
    """A route without query parameters."""


class Location(BaseModel):
    city: str | None = Field(examples=["Austin"])
    country: str | None = Field(description="ISO 3166-1 alpha-2.", examples=["US"])
    remote: bool


class JobLocation(Location):
    region: str | None = Field(examples=["Texas"])


class JobFields(BaseModel):
    id: str = Field(examples=["jsearch_abc123"])
    source: str = Field(description="The source it was first seen at.", examples=["jsearch"])
    sources: list[str] = Field(
        description="Every source that advertises it.", examples=[["adzuna", "jsearch"]]
    )
    title: str = Field(examples=["Senior Backend Engineer"])
    company: str | None = Field(examples=["Initech"])
    employment_type: EmploymentType | None = Field(examples=["FULLTIME"])
    category: Category = Field(examples=["backend"])
    skills: list[str] = Field(examples=[["Kubernetes", "Python"]])
    salary_min: Salary | None = Field(examples=["120000"])
    salary_max: Salary | None = Field(examples=["150000.5"])
    salary_currency: str | None = Field(description="ISO 4217.", examples=["USD"])
    salary_period: SalaryPeriod | None = Field(examples=["YEAR"])
    salary_is_predicted: bool = Field(description="An estimate that is not the employer's.")
    apply_url: str | None = Field(examples=["https://example.com/apply/abc123"])
    source_url: str | None = Field(
        description="The posting at its source; some sources ask that it be linked.",
        examples=["https://example.com/jobs/abc123"],
    )
    posted_at: Time | None
    posted_at_is_approximate: bool = Field(
        description="A day that was given as an age (`3 days ago`), right to a day or so."
    )
    status: Status = Field(examples=["open"])


class JobSummary(JobFields):
    location: Location


Attribution = Annotated[
    dict[str, str],
    Field(
        description="What the sources ask to be shown beside their jobs, by source.",
        examples=[{"adzuna": "Jobs by Adzuna"}],
    ),
]


class FacetCount(BaseModel):
    value: str | None = Field(examples=["backend"])
    jobs: int = Field(examples=[12])


class Jobs(BaseModel):
    """A page of jobs, the newest first unless the best are asked for; those without a date last."""

    total: int = Field(description="Jobs that match, on all pages.", examples=[68])
    jobs: list[JobSummary]
    attribution: Attribution
    match: Literal["exact", "similar"] = Field(
        description="`similar`: next to nothing matches the search, so jobs whose title or company "
        "is spelled like it are added. Its name was `alike` before."
    )
    next: str | None = Field(
        description="The cursor of the next page; none on the last.",
        examples=["W251bGwsIjIwMjYtMDItMDYiLCJhXzEiXQ"],
    )
    facets: dict[Facet, list[FacetCount]] | None = Field(
        None, description="Where asked for: the 100 most frequent values of each.",
        examples=[{"category": [{"value": "backend", "jobs": 12}]}],
    )  # fmt: skip


class JobPosting(BaseModel):
    """One advert of the job, and why it is taken for the same opening."""

    id: str = Field(examples=["adzuna_4711"])
    source: str = Field(examples=["adzuna"])
    publisher: str | None = Field(description="The site behind the source.", examples=["LinkedIn"])
    title: str = Field(examples=["Senior Backend Engineer"])
    apply_url: str | None = Field(examples=["https://example.com/land/4711"])
    source_url: str | None = Field(examples=["https://example.com/land/4711"])
    posted_at: Time | None
    posted_at_is_approximate: bool
    first_seen_at: Time
    last_seen_at: Time
    status: Status = Field(examples=["open"])
    status_reason: str = Field(
        description="What the status follows from.", examples=["Its source shows it."]
    )
    closed_at: Time | None
    repost_of: str | None = Field(
        description="An earlier posting that its publisher no longer showed when this appeared.",
        examples=[None],
    )
    merge_rule: str = Field(
        description="`first` for the posting that founded the job, else the rule that joined it.",
        examples=["first"],
    )
    merge_evidence: str | None = Field(
        description="The value that the rule found equal.", examples=[None]
    )
    merge_score: float | None = Field(
        description="How alike they are, from 0 to 1, where the rule measures it.", examples=[None]
    )
    merged_with: str | None = Field(
        description="The posting that it was compared with.", examples=[None]
    )
    merged_in_run: str | None = Field(
        description="The run that joined it, or that last changed why.", examples=[None]
    )
    run_id: str = Field(
        description="The run that last fetched it.",
        examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"],
    )


class JobPostings(BaseModel):
    job_id: str = Field(examples=["jsearch_abc123"])
    postings: list[JobPosting]


class Job(JobFields):
    """A job with all of its postings."""

    location: JobLocation
    description: str | None = Field(examples=["We run 400 services on Kubernetes …"])
    description_is_snippet: bool = Field(description="The source gives only its beginning.")
    category_reason: str = Field(examples=["title: backend engineer"])
    tags: list[str] = Field(examples=[["python", "postgresql"]])
    expires_at: Time | None
    first_seen_at: Time
    last_seen_at: Time | None = Field(description="When any of its postings was last fetched.")
    updated_at: Time = Field(description="When what is published of it last changed.")
    status_reason: str = Field(
        description="What the status follows from.", examples=["Its source shows it."]
    )
    closed_at: Time | None = Field(
        description="Since when no source shows it, or since when that is to be assumed."
    )
    reposted_at: Time | None = Field(description="When its newest repost appeared.")
    postings: list[JobPosting]
    attribution: Attribution


class PublishStatistics(BaseModel):
    new: int = Field(description="Jobs that were not published before.", examples=[85])
    updated: int = Field(description="Jobs of which a published field changed.", examples=[3])
    removed: int = Field(description="Jobs that are no longer published.", examples=[7])
    skipped: int = Field(
        description="Relevant postings that brought no new job: known, or duplicates.",
        examples=[42],
    )
    irrelevant: int = Field(description="Postings of other roles.", examples=[12])
    rejected: int = Field(description="Postings that could not be understood.", examples=[0])
    closed: int = Field(description="Jobs that became closed.", examples=[4])
    reopened: int = Field(description="Jobs that were closed and are not any more.", examples=[1])
    total: int = Field(description="Jobs published after the run.", examples=[1310])


class RunStatistics(BaseModel):
    """What an ingestion run did."""

    sources: dict[str, int] = Field(
        description="Postings fetched, by source.",
        examples=[{"adzuna": 50, "jsearch": 42, "remoteok": 30}],
    )
    db: PublishStatistics
    total_jobs: int = Field(description="Postings fetched from all sources.", examples=[122])
    ran_at: datetime = Field(
        description="When it was published.", examples=["2026-02-06T10:30:00Z"]
    )
    run_id: str = Field(examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"])
    duration_seconds: float = Field(description="How long the publish took.", examples=[4.2])


class StartedRun(BaseModel):
    run_id: str = Field(examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"])


class RunState(BaseModel):
    run_id: str = Field(examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"])
    status: str = Field(description="As in Dagster.", examples=["SUCCESS"])
    failed_steps: list[str] = Field(examples=[[]])
    statistics: RunStatistics | None = Field(description="Once the run has published.")


class LastPublish(BaseModel):
    version: int = Field(description="The number of the state that is served.", examples=[17])
    run_id: str = Field(examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"])
    finished_at: Time
    age_seconds: float = Field(examples=[731.5])
    total: int = Field(description="Jobs published.", examples=[1310])


class Health(BaseModel):
    """The API is alive whenever it answers; the rest is information."""

    status: Literal["alive"]
    database: Literal["ok", "busy", "unreachable", "not migrated"]
    last_publish: LastPublish | None = Field(description="None before the first publish.")


class Ready(BaseModel):
    """The API can answer: the database is there and migrated."""

    status: Literal["ready"]
    last_publish: LastPublish | None = Field(description="None before the first publish.")


class Change(BaseModel):
    """The latest state of a job that changed. Keep `job` under `id`, or drop it if removed."""

    change: Literal["created", "updated", "closed", "removed"]
    version: int = Field(description="The publish that changed it.", examples=[17])
    id: str = Field(examples=["jsearch_abc123"])
    merged_into: str | None = Field(
        description="Of a removed job: the job that its postings belong to, if any.",
        examples=[None],
    )
    job: JobSummary | None = Field(description="None for a removed job.")
    description: str | None = Field(examples=["We run 400 services on Kubernetes …"])


class Changes(BaseModel):
    changes: list[Change]
    next: str | None = Field(
        description="Where to read on, at once if there is `more`, else later.",
        examples=["WzE3LCJqc2VhcmNoX2FiYzEyMyJd"],
    )
    more: bool


class DayCount(BaseModel):
    value: date = Field(examples=["2026-02-06"])
    jobs: int = Field(examples=[12])


class SalaryQuartiles(BaseModel):
    currency: str = Field(examples=["USD"])
    predicted: bool = Field(description="Estimates that are not the employers'.")
    jobs: int = Field(examples=[12])
    lower_quartile: float = Field(examples=[90000.0])
    median: float = Field(examples=[120000.0])
    upper_quartile: float = Field(examples=[150000.0])


class Statistics(BaseModel):
    """The jobs that are not closed, counted. A job of two sources counts for both."""

    total: int = Field(examples=[68])
    by_day: list[DayCount] = Field(description="By day of posting, the last 90 that have any.")
    by_category: list[FacetCount]
    by_source: list[FacetCount]
    by_country: list[FacetCount]
    by_skill: list[FacetCount] = Field(description="The 100 most frequent.")
    salaries: list[SalaryQuartiles] = Field(
        description="A year, at the upper end; estimates apart from what employers say."
    )


class SourceReport(BaseModel):
    source: str = Field(examples=["adzuna"])
    title: str = Field(examples=["Adzuna"])
    attribution: str = Field(
        description="To be shown beside its jobs.", examples=["Jobs by Adzuna"]
    )
    jobs: int = Field(description="Published jobs that it advertises.", examples=[50])
    staged: int = Field(description="Postings in staging.", examples=[120])
    last_fetch_at: Time | None
    last_fetch_status: str | None = Field(examples=["ok"])
    last_fetch_reason: str | None = Field(examples=[None])
    last_success_at: Time | None
    age_seconds: float | None = Field(description="Since the last success.", examples=[731.5])
    quota_left: int | None = Field(description="Requests left, if limited.", examples=[180])


class Sources(BaseModel):
    sources: list[SourceReport]


class Publish(PublishStatistics):
    version: int = Field(description="The number of the state that it made.", examples=[17])
    run_id: str = Field(examples=["5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"])
    fetched: dict[str, int] = Field(examples=[{"adzuna": 50, "jsearch": 42}])
    full_refresh: bool
    duration_seconds: float = Field(examples=[4.2])
    started_at: Time
    finished_at: Time


class Publishes(BaseModel):
    """What the ingestion runs published, the latest first."""

    runs: list[Publish]
