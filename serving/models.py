"""What the API accepts and answers. The names are those of :mod:`pipeline.transform.schema`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# Copies of the lists in pipeline.transform.schema, which the tests hold against each other:
# importing that module would load Polars into every worker of the API.
EmploymentType = Literal[
    "FULLTIME", "PARTTIME", "CONTRACT", "INTERN", "TEMPORARY", "VOLUNTEER", "OTHER"
]
Category = Literal["backend", "devops", "sre", "cloud", "platform"]
SalaryPeriod = Literal["YEAR", "MONTH", "WEEK", "DAY", "HOUR"]

MAX_SEARCH_CHARS = 500
MAX_OFFSET = 1_000_000


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


Text = Annotated[str, AfterValidator(_without_nul)]
"""Text that PostgreSQL can hold."""

Time = Annotated[datetime, Field(examples=["2026-02-06T10:30:00Z"])]
Salary = Annotated[
    str, Field(description="A decimal number, as text to keep it exact.", examples=["42766.78"])
]


class Parameters(BaseModel):
    """The query parameters of a route; others are refused by name."""

    model_config = ConfigDict(extra="forbid")


class JobsQuery(Parameters):
    limit: int = Field(50, ge=1, le=200, description="Jobs in the answer, at most.")
    offset: int = Field(0, ge=0, le=MAX_OFFSET, description="Jobs to skip.")
    search: Annotated[Text, StringConstraints(max_length=MAX_SEARCH_CHARS)] | None = Field(
        None,
        description=(
            "Words that the title, company, tags or description must hold, in any order and "
            'English inflection. `"site reliability"` is a phrase, `or` an alternative, `-java` '
            "an exclusion. Words like `the` are not indexed: a search of them alone finds nothing."
        ),
        examples=["kubernetes"],
    )
    source: list[Text] = Field(
        [], description="Jobs that this source advertises; repeat it for several."
    )
    employment_type: list[EmploymentType] = Field([], description="Repeat it for several.")
    category: list[Category] = Field([], description="Repeat it for several.")
    country: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2}$", to_upper=True)] | None = (
        Field(None, description="ISO 3166-1 alpha-2.", examples=["US"])
    )
    remote_only: bool = Field(False, description="Only jobs that can be done from anywhere.")


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


class JobSummary(JobFields):
    location: Location


Attribution = Annotated[
    dict[str, str],
    Field(
        description="What the sources ask to be shown beside their jobs, by source.",
        examples=[{"adzuna": "Jobs by Adzuna"}],
    ),
]


class Jobs(BaseModel):
    """A page of jobs, the newest first; those without a date last."""

    total: int = Field(description="Jobs that match, on all pages.", examples=[68])
    jobs: list[JobSummary]
    attribution: Attribution


class JobPosting(BaseModel):
    """One advert of the job, and why it is taken for the same opening."""

    id: str = Field(examples=["adzuna_4711"])
    source: str = Field(examples=["adzuna"])
    publisher: str | None = Field(description="The site behind the source.", examples=["LinkedIn"])
    title: str = Field(examples=["Senior Backend Engineer"])
    apply_url: str | None = Field(examples=["https://example.com/land/4711"])
    source_url: str | None = Field(examples=["https://example.com/land/4711"])
    posted_at: Time | None
    first_seen_at: Time
    last_seen_at: Time
    merge_rule: str = Field(
        description="`first` for the posting that founded the job, else the rule that joined it.",
        examples=["first"],
    )
    merge_evidence: str | None = Field(
        description="The value that the rule found equal.", examples=[None]
    )


class Job(JobFields):
    """A job with all of its postings."""

    location: JobLocation
    description: str | None = Field(examples=["We run 400 services on Kubernetes …"])
    category_reason: str = Field(examples=["title: backend engineer"])
    tags: list[str] = Field(examples=[["python", "postgresql"]])
    expires_at: Time | None
    first_seen_at: Time
    last_seen_at: Time | None = Field(description="When any of its postings was last fetched.")
    updated_at: Time = Field(description="When what is published of it last changed.")
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
