"""Postings, and a deduplication simple enough to be plainly right: a job for each first key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import psycopg

from pipeline.publish.publish import Statistics, publish
from pipeline.publish.state import base_version, related
from pipeline.transform.schema import (
    CompleteFetch,
    Job,
    JobPosting,
    KeyedPosting,
    RejectedPosting,
    SourceState,
)
from tests.support.empty_rows import empty_row

Connection = psycopg.Connection[tuple[Any, ...]]
STATUS = pl.Enum(["open", "likely_closed", "closed"])
TIME = pl.Datetime("us", "UTC")
DAY = datetime(2026, 2, 6, 10, 30, 0, 123456, tzinfo=UTC)

SEEN_POSTINGS = {"posting_id": pl.String, "title": pl.String, "reason": pl.String}

_POSTING: dict[str, Any] = empty_row(KeyedPosting) | {
    "title": "Backend Engineer",
    "description_is_snippet": False,
    "tags": ["python", 'quo"ted, {braced} \\ slashed', "NULL", ""],
    "skills": [],
    "apply_urls": ["https://example.com/jobs?id=1,2"],
    "remote": False,
    "employment_type": "FULLTIME",
    "salary_min": 42766.78,
    "salary_is_predicted": False,
    "posted_at_is_approximate": False,
    "posted_at": DAY,
    "first_seen_at": DAY,
    "last_seen_at": DAY,
    "run_id": "run-1",
    "category": "backend",
    "category_reason": "title: backend engineer",
}


@dataclass
class Terms:
    title: str
    attribution: str


TERMS = {"remoteok": Terms("Remote OK", "Jobs from Remote OK")}


def posting(posting_id: str, keys: Iterable[str] = (), **values: Any) -> dict[str, Any]:
    source, source_id = posting_id.split("_", 1)
    own = {"posting_id": posting_id, "source": source, "source_id": source_id}
    return _POSTING | own | {"keys": list(keys) or [posting_id]} | values


def keyed(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), KeyedPosting.create_empty().schema)


def deduplicate(postings: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Postings with the same first key are one job, founded by the smallest id."""
    members = postings.with_columns(first_key=pl.col("keys").list.first()).sort("posting_id")
    members = members.with_columns(job_id=pl.col("posting_id").first().over("first_key"))
    founds = pl.col("posting_id") == pl.col("job_id")
    job_postings = members.with_columns(
        merge_rule=pl.when(founds).then(pl.lit("first")).otherwise(pl.lit("same_key")),
        merge_evidence=pl.lit(None, pl.String),
        merge_score=pl.lit(None, pl.Float64),
        merged_with=pl.lit(None, pl.String),
        status=pl.lit("open", STATUS),
        status_reason=pl.lit("seen"),
        closed_at=pl.lit(None, TIME),
        review_at=pl.lit(None, TIME),
        repost_of=pl.lit(None, pl.String),
    ).select(JobPosting.create_empty().schema.names())
    clusters = members.group_by("job_id").agg(
        sources=pl.col("source").unique().sort(), posting_count=pl.len().cast(pl.Int64)
    )
    jobs = (
        job_postings.filter(founds)
        .join(clusters, on="job_id")
        .with_columns(
            reposted_at=pl.lit(None, TIME),
            is_retired=pl.lit(False),
        )
    )
    return jobs.select(Job.column_names()).sort("job_id"), job_postings


def rejected_posting(posting_id: str, **values: Any) -> dict[str, Any]:
    source, source_id = posting_id.split("_", 1)
    row = {"source": source, "source_id": source_id, "reason": "no title", "raw": "{}"}
    seen = {"first_seen_at": DAY, "last_seen_at": DAY, "run_id": "run-1"}
    return row | seen | values


def states(
    read_up_to: str | None = "1", read_after: str | None = None, **fetched: int
) -> pl.DataFrame:
    schema = SourceState.create_empty().schema | {"read_after": pl.String()}
    rows = [
        dict.fromkeys(schema, None)
        | {"source": source, "read_up_to": read_up_to, "staged": count, "fetched": count}
        | {"read_after": read_after}
        for source, count in fetched.items()
    ]
    return pl.DataFrame(rows, schema)


def publish_all(
    connection: Connection, postings: Iterable[Mapping[str, Any]], **values: Any
) -> Statistics:
    """A full refresh of these postings."""
    return publish_frames(connection, *deduplicate(keyed(postings)), **values)


def publish_frames(
    connection: Connection, jobs: pl.DataFrame, postings: pl.DataFrame, **values: Any
) -> Statistics:
    """A full refresh that computed these ``Job`` and ``JobPosting`` rows."""
    return publish(connection, [(jobs, postings)], **_defaults(connection, True) | values)


def publish_delta(
    connection: Connection,
    delta: Iterable[Mapping[str, Any]],
    gone: Iterable[str] = (),
    **values: Any,
) -> Statistics:
    """An incremental run that read ``delta`` and the postings ``gone``, irrelevant by now."""
    arguments = _defaults(connection, False)
    new = keyed(delta)
    seen = [*new["posting_id"], *gone]
    batch = deduplicate(pl.concat([new, related(connection, new, seen)]))
    arguments["seen"] = pl.DataFrame(
        {"posting_id": seen, "title": None, "reason": None}, SEEN_POSTINGS
    )
    return publish(connection, [batch], **arguments | values)


def _defaults(connection: Connection, full_refresh: bool) -> dict[str, Any]:
    return {
        "seen": pl.DataFrame(schema=SEEN_POSTINGS),
        "rejected": pl.DataFrame(schema=RejectedPosting.create_empty().schema),
        "source_states": pl.DataFrame(schema=SourceState.create_empty().schema),
        "complete_fetches": pl.DataFrame(schema=CompleteFetch.create_empty().schema),
        "sources": TERMS,
        "token": 0,  # no run has a lease
        "base_version": base_version(connection),
        "run_id": "run-1",
        "started_at": datetime.now(UTC),
        "full_refresh": full_refresh,
        "transform_version": "1",
    }
