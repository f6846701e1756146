"""Relevant postings for tests, of which only what matters is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from pipeline.transform.schema import RelevantPosting
from tests.support.empty_rows import empty_row

SEEN = datetime(2026, 2, 6, 10, 30, tzinfo=UTC)
DEFAULTS: dict[str, Any] = {
    "title": "Backend Engineer", "company": "Acme", "description": None,
    "description_is_snippet": False, "tags": [], "skills": [], "location_text": None,
    "city": None, "region": None, "country": None, "remote": False, "employment_type": None,
    "salary_min": None, "salary_max": None, "salary_currency": None, "salary_period": None,
    "salary_is_predicted": False, "publisher": None, "apply_url": None, "apply_urls": [],
    "source_url": None, "posted_at": None, "posted_at_is_approximate": False, "expires_at": None,
    "run_id": "run", "category": "backend", "category_reason": "title",
}  # fmt: skip


def postings(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows in order: each of a source of its own and seen a minute later, unless it says so."""
    complete = []
    for number, row in enumerate(rows):
        seen = SEEN + timedelta(minutes=number)
        full = {"source": f"source{number}", "source_id": str(number), "first_seen_at": seen,
                "last_seen_at": seen} | DEFAULTS | row  # fmt: skip
        full = empty_row(RelevantPosting) | full
        posting_id = row.get("posting_id") or f"{full['source']}_{full['source_id']}"
        complete.append(full | {"posting_id": posting_id})
    schema = {name: column.dtype for name, column in RelevantPosting.columns().items()}
    return pl.DataFrame(complete, schema=schema)
