"""Which posting speaks for a job in what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl

from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.jobs import build_jobs
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import CompleteFetch
from tests.transform.relevant_postings import SEEN, postings

REQUISITION = "https://boards.greenhouse.io/acme/jobs/5729825003"
BODY = "We build services. " * 40


def jobs_of(postings: pl.DataFrame) -> pl.DataFrame:
    policy = LifecyclePolicy(SEEN, frozenset(), timedelta(days=30), timedelta(days=90))
    members = deduplicate(with_blocking_keys(postings))
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
