"""Every published field, declared once.

A *posting* is one advert as one source shows it. A *job* is an opening: the cluster of all
postings that advertise it. From this table follow the schemas of the frames, how a job is made of
its postings, what a publish writes and compares, what the API selects, answers, filters, counts
and exports, the columns of the search index, the comments in PostgreSQL and ``docs/fields.md``.
``docs/adding-a-field.md`` is the way to add one. Imports nothing heavy: the API reads it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.declaration import (
    Asks,
    Code,
    Compared,
    Count,
    Day,
    Field,
    Filter,
    Findings,
    Kind,
    Mapped,
    Moment,
    Money,
    Number,
    OfJob,
    OneOf,
    Shown,
    Stage,
    Text,
    Texts,
    YesNo,
)

EMPLOYMENT_TYPES = (
    "FULLTIME", "PARTTIME", "CONTRACT", "INTERN", "TEMPORARY", "VOLUNTEER", "OTHER",
)  # fmt: skip
SALARY_PERIODS = ("YEAR", "MONTH", "WEEK", "DAY", "HOUR")
CATEGORIES = (
    "backend", "devops", "sre", "cloud", "platform", "frontend", "fullstack", "mobile",
    "data_engineering", "data_science", "ml_ai", "security", "qa", "embedded", "management",
    "support_it", "other_tech",
)  # fmt: skip
SHOWN_CATEGORIES = ("backend", "devops", "sre", "cloud", "platform")
"""Those of a query that names none, unless ``DEFAULT_CATEGORIES`` says otherwise."""
WORKPLACES = ("remote", "hybrid", "onsite")
SENIORITIES = (
    "intern", "junior", "mid", "senior", "staff", "principal", "lead", "manager", "director",
)  # fmt: skip
YES_OR_NO = ("yes", "no")
SALARY_KINDS = ("stated", "computed", "predicted")
STATUSES = ("open", "likely_closed", "closed")
ADVERTISED = ("open", "likely_closed")
"""The statuses of a query that names none."""

MAX_TITLE_CHARS = 500
MAX_DESCRIPTION_CHARS = 100_000
"""PostgreSQL refuses a tsvector over 1 MB; a text of this length stays below it whatever its
words are. The whole text remains in staging."""

_WEB = r"^https?://"
_TIME = "2026-02-06T10:30:00Z"
_JOB = Shown.LIST | Shown.DETAIL
_EXPORTED = _JOB | Shown.EXPORT
_EVERYWHERE = _EXPORTED | Shown.POSTING
_BY_DETAIL = Shown.DETAIL | Shown.EXPORT


@dataclass(frozen=True)
class Column:
    """A column of a published table: its type as PostgreSQL names it."""

    name: str
    type: str
    nullable: bool
    description: str


FIELDS = (
    Field(
        "job_id", Text(),
        "The id of the job: that of the posting that was seen first, so that it stays the same "
        "while further postings join.",
        "jsearch_abc123", posting=Stage.CLUSTERED, job=OfJob.COMPUTED,
        shown=_EXPORTED, label="id",
    ),
    Field(
        "posting_id", Text(), "The id of the posting: its source, and its id there.",
        "adzuna_4711", posting=Stage.CLEANED, shown=Shown.POSTING, label="id",
    ),
    Field(
        "source", Text(), "The source that shows it; of a job, the one it was first seen at.",
        "jsearch", mapped=Mapped.ALWAYS, posting=Stage.CLEANED, job=OfJob.FOUNDING,
        shown=_EVERYWHERE,
    ),
    Field(
        "source_id", Text(min_chars=1), "Its id at the source.", "4711",
        mapped=Mapped.ALWAYS, posting=Stage.CLEANED,
    ),
    Field(
        "sources", Texts(), "Every source that advertises it, sorted.", ["adzuna", "jsearch"],
        job=OfJob.COMPUTED, shown=_EXPORTED, facet="source",
        filter=Filter(Asks.ANY_OF, "source", "Jobs that this source advertises."),
    ),
    Field(
        "publisher", Text(), "The site behind the source.", "LinkedIn", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, shown=Shown.POSTING,
    ),
    Field(
        "title", Text(min_chars=1, max_chars=MAX_TITLE_CHARS), "What the opening is called.",
        "Senior Backend Engineer", mapped=Mapped.OPTIONAL, posting=Stage.CLEANED,
        job=OfJob.BEST_TEXT, shown=_EVERYWHERE,
    ),
    Field(
        "company", Text(min_chars=1), "Who advertises it.", "Initech", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.BEST_TEXT_THAT_HAS_IT,
        shown=_EXPORTED, facet="company",
        filter=Filter(
            Asks.ANY_OF, compared=Compared.COMPANY, splits=False,
            description="The name, whatever its case, accents, punctuation and legal form: "
            "`numera` finds `Numera, Inc.` too. It may hold commas, so repeat it for several.",
        ),
    ),
    Field(
        "location_text", Text(), "The place in the source's own words.", "Austin, TX",
        nullable=True, mapped=Mapped.OPTIONAL, posting=Stage.CLEANED,
        job=OfJob.BEST_PLACE, shown=_BY_DETAIL, within="location", label="text",
    ),
    Field(
        "city", Text(min_chars=1), "The city; of several, the first.", "Austin", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_PLACE,
        shown=_EXPORTED, within="location", every="cities", facet="city",
        filter=Filter(
            Asks.ANY_OF, compared=Compared.NAME, splits=False,
            description="The name, whatever its case, accents and punctuation; it may hold "
            "commas, so repeat it for several.",
        ),
        rule="pipeline.transform.understanding.places:with_place",
    ),
    Field(
        "region", Text(min_chars=1), "The state, province or region.", "Texas", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_PLACE,
        shown=_BY_DETAIL, within="location",
        rule="pipeline.transform.understanding.places:with_place",
    ),
    Field(
        "country", Code(2), "ISO 3166-1 alpha-2; null where it names several.", "US", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_PLACE,
        shown=_EXPORTED, within="location", every="countries",
        filter=Filter(Asks.ANY_OF), facet="country",
        rule="pipeline.transform.understanding.places:with_place",
    ),
    Field(
        "cities", Texts(), "Every city that it names.", ["Austin", "Berlin"],
        posting=Stage.UNDERSTOOD, job=OfJob.UNION, shown=_BY_DETAIL, within="location",
        rule="pipeline.transform.understanding.places:with_place",
    ),
    Field(
        "countries", Texts(), "Every country that it is in, as ISO 3166-1 alpha-2.", ["US", "DE"],
        posting=Stage.UNDERSTOOD, job=OfJob.UNION, shown=_BY_DETAIL, within="location",
        rule="pipeline.transform.understanding.places:with_place",
    ),
    Field(
        "remote", YesNo(), "It can be done from anywhere.", False,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.ANY,
        shown=_EXPORTED, within="location", facet="remote",
        filter=Filter(Asks.TRUE, "remote_only", "Only jobs that can be done from anywhere."),
        rule="pipeline.transform.understanding.workplace:with_workplace",
    ),
    Field(
        "workplace", OneOf(WORKPLACES),
        "Where the work is done: from anywhere, partly at an office, or there.", "hybrid",
        nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT_THAT_HAS_IT, shown=_EXPORTED,
        within="location", filter=Filter(Asks.ANY_OF), facet="workplace",
        rule="pipeline.transform.understanding.workplace:with_workplace",
    ),
    Field(
        "remote_eligibility", Texts(),
        "From where a remote job may be done, as it is stated: countries as ISO 3166-1 alpha-2, "
        "regions (`EU`, `Europe`, `EMEA`, `LATAM`, `APAC`, …), time zones (`UTC-5..UTC+1`), "
        "`worldwide`. Empty where nothing is stated.", ["US", "CA"],
        posting=Stage.UNDERSTOOD, job=OfJob.UNION, shown=_EXPORTED, within="location",
        rule="pipeline.transform.understanding.eligibility:with_eligibility",
    ),
    Field(
        "eligible_countries", Texts(),
        "The countries of `remote_eligibility`, those of its regions included; `*` for any.",
        ["CA", "US"], posting=Stage.UNDERSTOOD, job=OfJob.UNION, shown=Shown.DETAIL,
        within="location", rule="pipeline.transform.understanding.eligibility:with_eligibility",
        filter=Filter(
            Asks.ANY_OF, "eligible_in", compared=Compared.COUNTRY_OR_ANY,
            description="ISO 3166-1 alpha-2: jobs that say that they may be done from there.",
            example="DE",
        ),
    ),
    Field(
        "employment_type", OneOf(EMPLOYMENT_TYPES), "The kind of contract.", "FULLTIME",
        nullable=True, mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD,
        job=OfJob.BEST_TEXT_THAT_HAS_IT,
        shown=_EXPORTED, filter=Filter(Asks.ANY_OF), facet="employment_type",
        rule="pipeline.transform.understanding.employment:with_employment_type",
    ),
    Field(
        "employment_types", Texts(), "Every kind of contract that it offers.",
        ["FULLTIME", "CONTRACT"],
        posting=Stage.UNDERSTOOD, job=OfJob.UNION, shown=_BY_DETAIL,
        rule="pipeline.transform.understanding.employment:with_employment_type",
    ),
    Field(
        "tags", Texts(), "The keywords that its sources give it.", ["python", "postgresql"],
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.UNION, shown=Shown.DETAIL,
    ),
    Field(
        "skills", Texts(), "The technologies that its texts name.", ["Kubernetes", "Python"],
        posting=Stage.UNDERSTOOD, job=OfJob.UNION,
        shown=_EXPORTED, facet="skills",
        filter=Filter(
            Asks.ANY_OF, description="As answered in `skills`.", example="Kubernetes"
        ),
        rule="pipeline.transform.understanding.skills:with_skills",
    ),
    Field(
        "category", OneOf(CATEGORIES), "The role, by its duties.", "backend",
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT,
        shown=_EXPORTED, filter=Filter(
            Asks.ANY_OF, default=SHOWN_CATEGORIES,
            description="`all` for every role. Without it, those that the installation shows: "
            "backend, devops, sre, cloud and platform unless it is configured otherwise.",
        ), facet="category",
        rule="pipeline.transform.understanding.role:with_category",
    ),
    Field(
        "category_reason", Text(min_chars=1), "The words that the role follows from.",
        "title: backend engineer", posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT,
        shown=Shown.DETAIL,
        rule="pipeline.transform.understanding.role:with_category",
    ),
    Field(
        "seniority", OneOf(SENIORITIES), "The level that it names; null where it names none.",
        "senior", nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT_THAT_HAS_IT,
        shown=_EXPORTED, filter=Filter(Asks.ANY_OF), facet="seniority",
        rule="pipeline.transform.understanding.seniority:with_seniority",
    ),
    Field(
        "years_experience_min", Count(), "The experience that it asks for, at least.", 3,
        unit="years", nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT,
        shown=_BY_DETAIL,
        rule="pipeline.transform.understanding.requirements:with_requirements",
    ),
    Field(
        "years_experience_max", Count(), "The experience that it asks for, at most.", 5,
        unit="years", nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT,
        shown=_BY_DETAIL,
        rule="pipeline.transform.understanding.requirements:with_requirements",
    ),
    Field(
        "visa_sponsorship", OneOf(YES_OR_NO),
        "Whether the employer sponsors a visa; null where nothing says so.", "no",
        nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT_THAT_HAS_IT, shown=_BY_DETAIL,
        filter=Filter(Asks.ANY_OF), facet="visa_sponsorship",
        rule="pipeline.transform.understanding.requirements:with_requirements",
    ),
    Field(
        "clearance_required", OneOf(YES_OR_NO),
        "Whether a security clearance is asked for; null where nothing says so.", "no",
        nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT_THAT_HAS_IT, shown=_BY_DETAIL,
        filter=Filter(Asks.ANY_OF), facet="clearance_required",
        rule="pipeline.transform.understanding.requirements:with_requirements",
    ),
    Field(
        "description", Text(min_chars=1, max_chars=MAX_DESCRIPTION_CHARS),
        "The advert as plain text.", "We run 400 services on Kubernetes …", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.BEST_TEXT,
        shown=Shown.DETAIL,
    ),
    Field(
        "description_is_snippet", YesNo(), "The source gives only its beginning.", False,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.BEST_TEXT,
        shown=Shown.DETAIL,
    ),
    Field(
        "salary_min", Money(above=0), "The lower end of the salary.", "120000",
        unit="salary_currency a salary_period", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        filter=Filter(
            Asks.AT_LEAST, compared=Compared.YEARLY,
            description="At least this much a year at the upper end of the salary, in "
            "`salary_currency`; hours count 2080, days 260, weeks 52 and months 12 times. Jobs in "
            "other currencies are found at a reference rate.",
        ),
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_max", Money(), "The upper end of the salary.", "150000.5",
        unit="salary_currency a salary_period", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_currency", Code(3), "ISO 4217.", "USD", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        filter=Filter(
            Asks.IS, description="ISO 4217. With `salary_min` it is that of the amount, USD if not "
            "given, and no condition of its own.", example="USD"
        ),
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_period", OneOf(SALARY_PERIODS), "What the salary is paid for.", "YEAR",
        nullable=True, mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY,
        shown=_EXPORTED,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_is_predicted", YesNo(), "An estimate that is not the employer's.", False,
        mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_kind", OneOf(SALARY_KINDS),
        "`stated` by the employer, `computed` from a rate that it states, `predicted` by a board.",
        "stated", nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY,
        shown=_EXPORTED, filter=Filter(Asks.ANY_OF), facet="salary_kind",
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_text", Text(), "The pay in the posting's own words.", "$120k - 150k a year",
        nullable=True, mapped=Mapped.OPTIONAL, posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY,
        shown=_BY_DETAIL,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_ranges", Texts(),
        "Where it states several ranges, for places or levels, each in its own words.",
        ["US: $120,000 - $150,000", "Canada: CA$110,000 - CA$130,000"],
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=Shown.DETAIL,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_yearly_min", Money(), "The lower end of the salary for a year.",
        "120000", unit="salary_currency a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_yearly_max", Money(), "The upper end of the salary for a year.",
        "150000", unit="salary_currency a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_EXPORTED,
        rule="pipeline.transform.understanding.salary:with_salary",
    ),
    Field(
        "salary_usd_yearly_min", Money(),
        "The lower end of the salary for a year, at a reference rate.",
        "120000", unit="USD a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_BY_DETAIL,
    ),
    Field(
        "salary_usd_yearly_max", Money(),
        "The upper end of the salary for a year, at a reference rate.",
        "150000", unit="USD a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_BY_DETAIL,
    ),
    Field(
        "salary_eur_yearly_min", Money(),
        "The lower end of the salary for a year, at a reference rate.",
        "120000", unit="EUR a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_BY_DETAIL,
    ),
    Field(
        "salary_eur_yearly_max", Money(),
        "The upper end of the salary for a year, at a reference rate.",
        "150000", unit="EUR a year", nullable=True,
        posting=Stage.UNDERSTOOD, job=OfJob.BEST_SALARY, shown=_BY_DETAIL,
    ),
    Field(
        "apply_url", Text(pattern=_WEB),
        "Where to apply: at the employer's own site, wherever a posting names it.",
        "https://example.com/apply/abc123", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.COMPUTED, shown=_EVERYWHERE,
    ),
    Field(
        "apply_urls", Texts(pattern=_WEB),
        "Further addresses that the advert can be applied at, beside apply_url.",
        ["https://example.com/land/4711"],
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED,
    ),
    Field(
        "source_url", Text(pattern=_WEB),
        "The posting at its source; some sources ask that it be linked.",
        "https://example.com/jobs/abc123", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.FOUNDING, shown=_EVERYWHERE,
    ),
    Field(
        "posted_at", Moment(), "When it was posted.", _TIME, unit="UTC", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.BEST_DATE, shown=_EVERYWHERE,
        filter=Filter(
            Asks.SINCE, "posted_since",
            "A date or a time. A job without a date counts by when it was found.",
            compared=Compared.POSTED_OR_FOUND,
        ),
    ),
    Field(
        "posted_at_is_approximate", YesNo(),
        "A day that was told as an age (`3 days ago`), right to a day or so.", False,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.BEST_DATE, shown=_EVERYWHERE,
    ),
    Field(
        "expires_at", Moment(), "Until when its source says that it is open.", _TIME,
        unit="UTC", nullable=True,
        mapped=Mapped.OPTIONAL, posting=Stage.CLEANED, job=OfJob.LATEST, shown=Shown.DETAIL,
    ),
    Field(
        "deadline", Day(), "The last day to apply, as its text or source states it.", "2026-03-31",
        nullable=True, posting=Stage.UNDERSTOOD, job=OfJob.BEST_TEXT_THAT_HAS_IT, shown=_EXPORTED,
        filter=Filter(
            Asks.SINCE, "deadline_since", "Jobs that can still be applied for on this day."
        ),
        rule="pipeline.transform.understanding.deadline:with_deadline",
    ),
    Field(
        "first_seen_at", Moment(), "When a source first showed it.", _TIME, unit="UTC",
        mapped=Mapped.ALWAYS, posting=Stage.CLEANED, job=OfJob.FOUNDING,
        shown=_BY_DETAIL | Shown.POSTING,
        filter=Filter(
            Asks.SINCE, "first_seen_since",
            "Jobs found since this date or time, whenever they were posted.",
        ),
    ),
    Field(
        "last_seen_at", Moment(), "When it was last fetched; of a job, any of its postings.",
        _TIME, unit="UTC",
        mapped=Mapped.ALWAYS, posting=Stage.CLEANED, job=OfJob.READ,
        shown=Shown.DETAIL | Shown.POSTING,
    ),
    Field(
        "updated_at", Moment(), "When what is published of it last changed.", _TIME, unit="UTC",
        job=OfJob.PUBLISHED, shown=_BY_DETAIL,
    ),
    Field(
        "status", OneOf(STATUSES), "Whether it is still open; of a job, as the most open of its "
        "postings.", "open", posting=Stage.JUDGED, job=OfJob.COMPUTED,
        shown=_EVERYWHERE, facet="status",
        filter=Filter(
            Asks.ANY_OF, description="Without it, all that are not closed.", default=ADVERTISED
        ),
    ),
    Field(
        "status_reason", Text(min_chars=1), "What the status follows from.",
        "Its source shows it.", posting=Stage.JUDGED, job=OfJob.COMPUTED,
        shown=Shown.DETAIL | Shown.POSTING,
    ),
    Field(
        "closed_at", Moment(),
        "Since when no source shows it, or since when that is to be assumed; not when a run "
        "noticed.", _TIME, unit="UTC", nullable=True,
        posting=Stage.JUDGED, job=OfJob.COMPUTED, shown=Shown.DETAIL | Shown.POSTING,
    ),
    Field(
        "review_at", Moment(),
        "The earliest time at which its status may change without its being seen; null once "
        "closed.", _TIME, unit="UTC", nullable=True, posting=Stage.JUDGED,
    ),
    Field(
        "reposted_at", Moment(), "When its newest repost appeared.", _TIME, unit="UTC",
        nullable=True, job=OfJob.COMPUTED, shown=Shown.DETAIL,
    ),
    Field(
        "repost_of", Text(),
        "An earlier posting of the job that the same source and publisher no longer showed when "
        "this one appeared.", None, nullable=True, posting=Stage.JUDGED, shown=Shown.POSTING,
    ),
    Field(
        "posting_count", Count(minimum=1), "How many postings advertise it.", 2,
        job=OfJob.COMPUTED,
    ),
    Field(
        "keys", Texts(),
        "Its blocking keys: two postings that share none are never compared.",
        ["title senior backend engineer"], posting=Stage.KEYED,
    ),
    Field(
        "merge_rule", Text(),
        "`first` for the posting that founded the job, else the rule that joined it.", "first",
        posting=Stage.CLUSTERED, shown=Shown.POSTING,
    ),
    Field(
        "merge_evidence", Text(), "What the rule found equal or similar, in words.", None,
        nullable=True, posting=Stage.CLUSTERED, shown=Shown.POSTING,
    ),
    Field(
        "merge_score", Number(minimum=0, maximum=1),
        "How similar they are, from 0 to 1, where the rule measures it.", None, nullable=True,
        posting=Stage.CLUSTERED, shown=Shown.POSTING,
    ),
    Field(
        "merged_with", Text(), "The posting of the same job that it was compared with.", None,
        nullable=True, posting=Stage.CLUSTERED, shown=Shown.POSTING,
    ),
    Field(
        "merged_version", Count(),
        "The publish that joined it to its job, or last changed why.", 17, nullable=True,
        posting=Stage.PUBLISHED,
    ),
    Field(
        "merged_in_run", Text(), "The run that joined it, or that last changed why.", None,
        nullable=True, posting=Stage.READ, shown=Shown.POSTING,
    ),
    Field(
        "run_id", Text(), "The run that last fetched it.", "5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11",
        mapped=Mapped.ALWAYS, posting=Stage.CLEANED, shown=Shown.POSTING,
    ),
    Field(
        "attribution", Text(), "What its source asks to be shown beside it.", "Jobs by JSearch",
        nullable=True, job=OfJob.READ, shown=Shown.EXPORT,
    ),
    Field(
        "evidence", Findings(),
        "What the derived fields follow from: the words, where they stand, and the rule.",
        [{"field": "seniority", "value": "senior", "origin": "title", "words": "Senior",
          "rule": "level in the title", "decides": True}],
        posting=Stage.UNDERSTOOD, job=OfJob.READ, shown=Shown.DETAIL | Shown.POSTING,
    ),
)  # fmt: skip
"""In the order in which the API writes them."""


def declared(name: str) -> Field:
    """The field of this name.

    Raises:
        KeyError: there is none.
    """
    return {field.name: field for field in FIELDS}[name]


def mapped() -> list[Field]:
    """What the mapping of a source gives."""
    return [field for field in FIELDS if field.mapped is not None]


def of_postings(*stages: Stage) -> list[Field]:
    """What these stages bring to a posting; without any, every column of ``job_postings`` that
    a run computes."""
    wanted = stages or [stage for stage in Stage if stage not in (Stage.PUBLISHED, Stage.READ)]
    return [field for field in FIELDS if field.posting in wanted]


def of_jobs() -> list[Field]:
    """Every column of ``jobs`` that a run computes."""
    return [
        field for field in FIELDS
        if field.job is not None and field.job not in (OfJob.PUBLISHED, OfJob.READ)
    ]  # fmt: skip


def of_table(table: str) -> list[Column]:
    """The declared columns of ``jobs`` or ``job_postings``, in their order.

    Raises:
        KeyError: another table.
    """
    stored = {
        "jobs": [
            field for field in FIELDS
            if field.job is not None and field.job is not OfJob.READ
        ],
        "job_postings": [
            field for field in FIELDS
            if field.posting is not None and field.posting is not Stage.READ
        ],
    }  # fmt: skip
    return [
        Column(field.name, _type_of_column(field.kind, table), field.nullable, field.explained)
        for field in stored[table]
    ]


def _type_of_column(kind: Kind, table: str) -> str:
    match kind:
        case Texts():
            return "text[]"
        case YesNo():
            return "boolean"
        case Number():
            return "double precision"
        case Money():
            # Of a posting as its source gives it; rounded to cents where it is published.
            return "numeric" if table == "jobs" else "double precision"
        case Count():
            return "bigint"
        case Moment():
            return "timestamp with time zone"
        case Day():
            return "date"
        case Findings():
            return "jsonb"
        case Text() | Code() | OneOf():
            return "text"


def rules() -> list[str]:
    """The ``module:function`` of each rule that derives fields, once."""
    return list(dict.fromkeys(field.rule for field in FIELDS if field.rule))


def transformed() -> list[tuple[object, ...]]:
    """What the transform does with the fields, without what is said and shown of them."""
    return [
        (field.name, field.kind, field.nullable, field.mapped, field.posting, field.job, field.rule)
        for field in FIELDS
    ]


def shown(where: Shown) -> list[Field]:
    """What the API shows there."""
    return [field for field in FIELDS if where in field.shown]


def in_list() -> list[Field]:
    """What the API shows of a job in lists."""
    return shown(Shown.LIST)


def exported() -> list[Field]:
    """What the exports hold of a job."""
    return shown(Shown.EXPORT)


def filters() -> Iterator[tuple[Field, Filter]]:
    """The fields that a query can ask for, each with its filter; ``field.parameter`` is the name of
    the query parameter."""
    for field in FIELDS:
        if field.filter is not None:
            yield field, field.filter


def facets() -> dict[str, Field]:
    """What jobs can be counted by, by the name of the facet."""
    return {field.facet: field for field in FIELDS if field.facet}
