"""Which posting speaks for a job in what, and when its content hash changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dataframely as dy
import polars as pl
from relevant_postings import SEEN, postings

from pipeline.transform.deduplication.deduplicate import deduplicate, with_keys
from pipeline.transform.jobs import build_jobs, with_content_hash
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import CompleteFetch, Job

REQUISITION = "https://boards.greenhouse.io/acme/jobs/5729825003"
BODY = "We build services. " * 40


def jobs_of(postings: pl.DataFrame) -> pl.DataFrame:
    policy = LifecyclePolicy(SEEN, frozenset(), timedelta(days=30), timedelta(days=90))
    members = deduplicate(with_keys(postings))
    return build_jobs(with_status(members, CompleteFetch.create_empty(), policy), policy)


def job_of(*rows: dict[str, Any]) -> dict[str, Any]:
    """The one job of postings that a shared requisition or place makes one."""
    jobs = jobs_of(postings(*[{"city": "Berlin"} | row for row in rows]))
    assert len(jobs) == 1
    return jobs.row(0, named=True)


def test_the_best_posting_speaks_for_the_job() -> None:
    job = job_of(
        {"description": "Join …", "description_is_snippet": True, "salary_min": 1.0,
         "salary_is_predicted": True, "salary_currency": "GBP", "skills": ["go"],
         "apply_url": "https://board.example/jobs/1234567", "source_url": "https://first.example/1",
         "posted_at": SEEN},
        {"title": "Backend Engineer (m/f/d)", "description": BODY, "salary_min": 2.0,
         "salary_currency": "EUR", "skills": ["aws", "go"], "country": "DE",
         "apply_url": REQUISITION, "posted_at": SEEN - timedelta(days=1)},
    )  # fmt: skip
    assert job["job_id"] == "source0_0"
    assert (job["source"], job["source_url"]) == ("source0", "https://first.example/1")
    assert job["sources"] == ["source0", "source1"]
    assert (job["title"], job["description"]) == ("Backend Engineer (m/f/d)", BODY)
    assert (job["salary_min"], job["salary_currency"]) == (2.0, "EUR")
    assert job["salary_is_predicted"] is False
    assert (job["city"], job["country"]) == ("Berlin", "DE")
    assert job["apply_url"] == REQUISITION
    assert job["skills"] == ["aws", "go"]
    assert (job["posted_at"], job["first_seen_at"]) == (SEEN - timedelta(days=1), SEEN)
    assert (job["posting_count"], job["status"]) == (2, "open")


def test_the_employers_own_address_is_the_one_to_apply_at() -> None:
    board = "https://www.linkedin.com/jobs/view/381234567"
    assert job_of({"apply_url": board, "apply_urls": [board, REQUISITION]})["apply_url"] == (
        REQUISITION
    )
    assert job_of({"apply_url": board}, {"apply_urls": [REQUISITION]})["apply_url"] == REQUISITION
    assert job_of({"apply_url": None, "apply_urls": [board]})["apply_url"] == board
    assert job_of({"apply_url": board})["apply_url"] == board


def test_the_hash_does_not_depend_on_when_the_posting_was_last_fetched() -> None:
    seen_again = {"last_seen_at": SEEN + timedelta(days=1), "run_id": "other"}
    assert job_of({})["content_hash"] == job_of(seen_again)["content_hash"]


def test_the_hash_changes_with_every_other_published_column() -> None:
    jobs = jobs_of(postings({}))
    before = jobs["content_hash"].item()
    for name, column in Job.columns().items():
        if name not in ("content_hash", "review_at", "is_retired"):
            changed = jobs.with_columns(_different(name, column))
            assert with_content_hash(changed)["content_hash"].item() != before, name


def test_the_hash_is_the_same_in_every_process_and_version() -> None:
    assert job_of({})["content_hash"] == "9cce6243d0449f93b4bbaefa95b1b7be"


def _different(name: str, column: dy.Column) -> pl.Expr:
    dtype = column.dtype
    if isinstance(dtype, pl.List):
        value = pl.lit(["other"], dtype=pl.List(pl.String))
    elif isinstance(dtype, pl.Datetime):
        value = pl.lit(SEEN + timedelta(days=9)).cast(dtype)
    elif isinstance(dtype, pl.Enum):
        value = pl.lit(dtype.categories[-1]).cast(dtype)
    elif dtype == pl.Boolean:
        value = ~pl.col(name)
    else:
        value = pl.lit("7").cast(dtype)
    return value.alias(name)
