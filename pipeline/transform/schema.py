"""The shapes of the data between staging and PostgreSQL: one declaration of each.

A *posting* is one advert as one source shows it. A *job* is an opening: the cluster of all
postings that advertise it. Times are UTC with microseconds. The migrations in
``pipeline/publish/migrations`` and the models in ``serving/models.py`` are tested against these.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl

EMPLOYMENT_TYPES = [
    "FULLTIME", "PARTTIME", "CONTRACT", "INTERN", "TEMPORARY", "VOLUNTEER", "OTHER",
]  # fmt: skip
SALARY_PERIODS = ["YEAR", "MONTH", "WEEK", "DAY", "HOUR"]
CATEGORIES = ["backend", "devops", "sre", "cloud", "platform"]
STATUSES = ["open", "likely_closed", "closed"]

MAX_TITLE_CHARS = 500
MAX_DESCRIPTION_CHARS = 100_000
"""PostgreSQL refuses a tsvector over 1 MB; a text of this length stays below it whatever its
words are. The whole text remains in staging."""


def _text_up_to(characters: int, *, nullable: bool) -> dy.String:
    """Text that is not empty; dataframely's own ``max_length`` counts bytes."""
    bound = {"is_bounded": lambda text: text.str.len_chars() <= characters}
    return dy.String(nullable=nullable, min_length=1, check=bound)


def _utc(*, nullable: bool) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us")


class MappedPosting(dy.Schema):
    """A raw posting after its source's mapping: the common columns, not yet cleaned.

    Texts may hold HTML, entities, mojibake, blanks and control characters; ``country`` may be a
    name or a code; ``employment_type`` is the source's own wording; a salary of 0 means none.
    ``unusable`` is the source's own reason, in words, why this is no posting.
    """

    source = dy.String(nullable=False)
    source_id = dy.String(nullable=False)
    unusable = dy.String(nullable=True)
    title = dy.String(nullable=True)
    company = dy.String(nullable=True)
    description = dy.String(nullable=True)
    description_is_snippet = dy.Bool(nullable=True)
    tags = dy.List(dy.String(), nullable=True)
    location_text = dy.String(nullable=True)
    city = dy.String(nullable=True)
    region = dy.String(nullable=True)
    country = dy.String(nullable=True)
    remote = dy.Bool(nullable=True)
    employment_type = dy.String(nullable=True)
    salary_min = dy.Float64(nullable=True)
    salary_max = dy.Float64(nullable=True)
    salary_currency = dy.String(nullable=True)
    salary_period = dy.String(nullable=True)
    salary_is_predicted = dy.Bool(nullable=True)
    publisher = dy.String(nullable=True)
    apply_url = dy.String(nullable=True)
    apply_urls = dy.List(dy.String(), nullable=True)
    source_url = dy.String(nullable=True)
    posted_at = _utc(nullable=True)
    posted_at_is_approximate = dy.Bool(nullable=True)
    expires_at = _utc(nullable=True)
    first_seen_at = _utc(nullable=False)
    last_seen_at = _utc(nullable=False)
    run_id = dy.String(nullable=False)
    load_id = dy.String(nullable=False)
    raw = dy.String(nullable=False)


class Posting(dy.Schema):
    """A cleaned posting. One row a posting; ``posting_id`` is ``<source>_<source_id>``.

    ``run_id`` is the run that last fetched it. ``posted_at_is_approximate``: the source tells only
    how old it is. Salaries are in ``salary_currency`` for one
    ``salary_period``; ``salary_is_predicted`` marks an estimate that is not the employer's.
    ``apply_urls`` are further addresses that the advert can be applied at, beside ``apply_url``.
    """

    posting_id = dy.String(primary_key=True)
    source = dy.String(nullable=False)
    source_id = dy.String(nullable=False, min_length=1)
    title = _text_up_to(MAX_TITLE_CHARS, nullable=False)
    company = dy.String(nullable=True, min_length=1)
    description = _text_up_to(MAX_DESCRIPTION_CHARS, nullable=True)
    description_is_snippet = dy.Bool(nullable=False)
    tags = dy.List(dy.String(nullable=False), nullable=False)
    skills = dy.List(dy.String(nullable=False), nullable=False)
    location_text = dy.String(nullable=True)
    city = dy.String(nullable=True, min_length=1)
    region = dy.String(nullable=True, min_length=1)
    country = dy.String(nullable=True, regex=r"^[A-Z]{2}$")
    remote = dy.Bool(nullable=False)
    employment_type = dy.Enum(EMPLOYMENT_TYPES, nullable=True)
    salary_min = dy.Float64(nullable=True, min_exclusive=0)
    salary_max = dy.Float64(nullable=True)
    salary_currency = dy.String(nullable=True, regex=r"^[A-Z]{3}$")
    salary_period = dy.Enum(SALARY_PERIODS, nullable=True)
    salary_is_predicted = dy.Bool(nullable=False)
    publisher = dy.String(nullable=True)
    apply_url = dy.String(nullable=True, regex=r"^https?://")
    apply_urls = dy.List(dy.String(nullable=False, regex=r"^https?://"), nullable=False)
    source_url = dy.String(nullable=True, regex=r"^https?://")
    posted_at = _utc(nullable=True)
    posted_at_is_approximate = dy.Bool(nullable=False)
    expires_at = _utc(nullable=True)
    first_seen_at = _utc(nullable=False)
    last_seen_at = _utc(nullable=False)
    run_id = dy.String(nullable=False)

    @dy.rule()
    def salary_range_is_ordered(cls) -> pl.Expr:  # noqa: N805 - dataframely makes it a class method
        return pl.col("salary_min") <= pl.col("salary_max")


class RejectedPosting(dy.Schema):
    """A posting that cannot be understood, kept whole, with the reason in words."""

    source = dy.String(primary_key=True)
    source_id = dy.String(primary_key=True)
    reason = dy.String(nullable=False, min_length=1)
    raw = dy.String(nullable=False)
    first_seen_at = _utc(nullable=False)
    last_seen_at = _utc(nullable=False)
    run_id = dy.String(nullable=False)


class RelevantPosting(Posting):
    """A posting of one of the roles the pipeline is for, with the rule that says so."""

    category = dy.Enum(CATEGORIES, nullable=False)
    category_reason = dy.String(nullable=False, min_length=1)


class KeyedPosting(RelevantPosting):
    """A relevant posting with its block keys: two postings that share none are never compared,
    so that a set of postings closed under shared keys can be deduplicated by itself."""

    keys = dy.List(dy.String(nullable=False), nullable=False)


class ClusteredPosting(KeyedPosting):
    """Which posting belongs to which job, and why.

    ``merge_rule`` is ``first`` for the posting that founded the job, otherwise the rule that
    joined it; ``merge_evidence`` is what the rule found equal or alike, in words; ``merge_score``
    its similarity from 0 to 1 where the rule measures one; ``merged_with`` the posting of the
    same job that it was compared with.
    """

    job_id = dy.String(nullable=False)
    merge_rule = dy.String(nullable=False)
    merge_evidence = dy.String(nullable=True)
    merge_score = dy.Float64(nullable=True, min=0, max=1)
    merged_with = dy.String(nullable=True)


class JobPosting(ClusteredPosting):
    """A posting of a job, with its life so far.

    ``status_reason`` says in words what ``status`` follows from. ``review_at`` is the earliest
    time at which the status may change without the posting being seen again, null once closed.
    ``repost_of`` is an earlier posting of the job that the same source and publisher no longer
    showed when this one appeared.
    """

    status = dy.Enum(STATUSES, nullable=False)
    status_reason = dy.String(nullable=False, min_length=1)
    closed_at = _utc(nullable=True)
    review_at = _utc(nullable=True)
    repost_of = dy.String(nullable=True)


class CompleteFetch(dy.Schema):
    """A fetch that showed all that its source had to show, back to the postings of
    ``reaches_back_to``: older ones may have had no room. Null: it had room for all."""

    source = dy.String(primary_key=True)
    fetched_at = dy.Datetime(primary_key=True, time_zone="UTC", time_unit="us")
    reaches_back_to = _utc(nullable=True)


class Job(dy.Schema):
    """An opening, as published. ``job_id`` is the ``posting_id`` of the posting that was seen
    first, so that it stays the same while further postings join. ``sources`` are those of all its
    postings, sorted. ``reposted_at`` is when its newest repost appeared. ``content_hash`` changes
    when, and only when, another column changes that is published: not the two after it.

    ``review_at`` is when the status must be looked at again. ``is_retired``: it has been closed
    for so long that it is not published any more.
    """

    job_id = dy.String(primary_key=True)
    source = dy.String(nullable=False)
    sources = dy.List(dy.String(nullable=False), nullable=False)
    title = dy.String(nullable=False)
    company = dy.String(nullable=True)
    description = dy.String(nullable=True)
    description_is_snippet = dy.Bool(nullable=False)
    tags = dy.List(dy.String(nullable=False), nullable=False)
    skills = dy.List(dy.String(nullable=False), nullable=False)
    category = dy.Enum(CATEGORIES, nullable=False)
    category_reason = dy.String(nullable=False)
    city = dy.String(nullable=True)
    region = dy.String(nullable=True)
    country = dy.String(nullable=True)
    remote = dy.Bool(nullable=False)
    employment_type = dy.Enum(EMPLOYMENT_TYPES, nullable=True)
    salary_min = dy.Float64(nullable=True)
    salary_max = dy.Float64(nullable=True)
    salary_currency = dy.String(nullable=True)
    salary_period = dy.Enum(SALARY_PERIODS, nullable=True)
    salary_is_predicted = dy.Bool(nullable=False)
    apply_url = dy.String(nullable=True)
    source_url = dy.String(nullable=True)
    posted_at = _utc(nullable=True)
    posted_at_is_approximate = dy.Bool(nullable=False)
    expires_at = _utc(nullable=True)
    first_seen_at = _utc(nullable=False)
    status = dy.Enum(STATUSES, nullable=False)
    status_reason = dy.String(nullable=False)
    closed_at = _utc(nullable=True)
    reposted_at = _utc(nullable=True)
    posting_count = dy.Int64(nullable=False, min=1)
    content_hash = dy.String(nullable=False)
    review_at = _utc(nullable=True)
    is_retired = dy.Bool(nullable=False)


class SourceState(dy.Schema):
    """What a run read of one source's staging, and how its last fetch went. One row a source.

    ``read_up_to`` is the newest dlt load id that was read, null when staging is empty; the next
    run reads what was loaded after it. ``fetched`` counts the postings that this very run
    fetched, ``staged`` all that staging holds. ``last_fetch_status`` is ``ok``, ``partial``,
    ``failed`` or ``skipped``; ``last_fetch_reason`` says why in all cases but ``ok``.
    """

    source = dy.String(primary_key=True)
    read_up_to = dy.String(nullable=True)
    staged = dy.Int64(nullable=False, min=0)
    fetched = dy.Int64(nullable=False, min=0)
    last_fetch_at = _utc(nullable=True)
    last_fetch_status = dy.String(nullable=True)
    last_fetch_reason = dy.String(nullable=True)
    last_success_at = _utc(nullable=True)
    quota_left = dy.Int64(nullable=True, min=0)
