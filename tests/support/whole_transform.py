"""From what a source's mapping gives to the published tables, as a full refresh does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import psycopg

from pipeline.publish.publish import Statistics, publish
from pipeline.publish.state import base_version
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.jobs import build_jobs
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import CompleteFetch, MappedPosting, SourceState
from pipeline.transform.understanding.role import relevant
from pipeline.transform.understanding.understand import understand

SEEN = datetime(2026, 2, 6, 10, 30, tzinfo=UTC)
_ALWAYS = {
    "source": "remoteok", "first_seen_at": SEEN, "last_seen_at": SEEN, "run_id": "run-1",
    "load_id": "1", "raw": "{}",
}  # fmt: skip


def publish_mapped(
    connection: psycopg.Connection[tuple[Any, ...]], *postings: dict[str, Any]
) -> Statistics:
    """Publish these postings, of which only what matters is written down: columns of
    ``MappedPosting``."""
    schema = MappedPosting.create_empty().schema
    rows = [
        dict.fromkeys(schema) | _ALWAYS | {"source_id": str(number)} | posting
        for number, posting in enumerate(postings)
    ]
    understood, rejected = understand(pl.DataFrame(rows, schema))
    keyed = with_blocking_keys(relevant(understood))
    policy = LifecyclePolicy(SEEN, frozenset(), timedelta(days=30), timedelta(days=90))
    members = with_status(deduplicate(keyed), CompleteFetch.create_empty(), policy)
    return publish(
        connection,
        [(build_jobs(members, policy), members)],
        seen=understood.select("posting_id", "title", reason="category_reason"),
        rejected=rejected,
        source_states=SourceState.create_empty(),
        complete_fetches=CompleteFetch.create_empty(),
        sources={},
        base_version=base_version(connection),
        token=0,  # no run has a lease
        run_id="run-1",
        started_at=SEEN,
        full_refresh=True,
        transform_version="1",
    )
