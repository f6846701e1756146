"""What the API accepts and answers. What is said of a job follows from the declaration of the
fields (:mod:`pipeline.fields`): the filters, the facets, and the fields of the answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from pipeline.declaration import Shown
from pipeline.fields import facets
from serving.declared import Split, Time, Values, answered, asking, within
from serving.declared import Text as Text

if TYPE_CHECKING:
    Facet = str
else:
    Facet = Literal[*facets()]
"""What jobs can be counted by."""

MAX_SEARCH_CHARS = 500
MAX_CURSOR_CHARS = 8_000
"""Of a cursor with the longest id that PostgreSQL indexes, 2,700 bytes, and of a search of 250
terms."""
MAX_OFFSET = 10_000


class Parameters(BaseModel):
    """The query parameters of a route; others are refused by name."""

    model_config = ConfigDict(extra="forbid")


class Searched(Parameters):
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


class Filters(asking(Searched)):  # type: ignore[misc]
    """Which jobs. All kinds of filters together must match; of one kind, any value."""


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


class RejectedQuery(Parameters):
    posting_id: Text | None = Field(
        None,
        description="Only this posting: its source, and its id there.",
        examples=["adzuna_4711"],
    )
    limit: int = Field(50, ge=1, le=200, description="Postings in the answer, at most.")
    cursor: Annotated[Text, StringConstraints(max_length=MAX_CURSOR_CHARS)] | None = Field(
        None, description="The `next` of the answer before."
    )


class IngestQuery(Parameters):
    wait: bool = Field(True, description="Answer when the run has ended, with its statistics.")


class NoQuery(Parameters):
    """A route without query parameters."""


class Location(within("location", Shown.LIST)):  # type: ignore[misc]
    """Where the work is."""


class JobLocation(within("location", Shown.DETAIL)):  # type: ignore[misc]
    """Where the work is."""


class JobSummary(answered(Shown.LIST, location=Location)):  # type: ignore[misc]
    """A job in lists."""


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


class JobPosting(answered(Shown.POSTING)):  # type: ignore[misc]
    """One advert of the job, and why it is taken for the same opening."""


class JobPostings(BaseModel):
    job_id: str = Field(examples=["jsearch_abc123"])
    postings: list[JobPosting]


class Job(answered(Shown.DETAIL, location=JobLocation)):  # type: ignore[misc]
    """A job with all of its postings."""

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


class RejectedPosting(BaseModel):
    """A posting that is not published."""

    posting_id: str = Field(examples=["adzuna_4711"])
    kind: Literal["rejected", "irrelevant"] = Field(
        description="It cannot be understood, or it is no job in technology."
    )
    title: str | None = Field(examples=["Account Executive"])
    reason: str = Field(
        description="Why it is not published.",
        examples=["title: account executive (sales and recruiting people)"],
    )


class RejectedPostings(BaseModel):
    postings: list[RejectedPosting]
    next: str | None = Field(description="Where to read on; null at the end.", examples=[None])


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
