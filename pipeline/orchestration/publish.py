"""The published table, and whether it holds all that it should."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.installation.settings import Settings
from pipeline.orchestration import checks
from pipeline.orchestration.metadata import chart
from pipeline.orchestration.run_resources import (
    OWNERS,
    RETRIES,
    FramesResource,
    SettingsResource,
    frames_of_run,
    leased,
)
from pipeline.publish.statistics import COUNTS
from pipeline.publish.text_index import ensure_text_index
from pipeline.run import reconciliation, steps

COUNTED_EACH_RUN = 100_000
"""A larger table is counted in full refreshes only: a run's cost follows what changed."""


def published_asset(settings: Settings) -> dg.AssetsDefinition:
    """The table that the API serves."""
    late = timedelta(minutes=2 * settings.ingestion_interval_minutes + settings.max_run_minutes)

    @dg.asset(
        name="published_jobs",
        deps=["run_plan", "jobs", "job_postings", "postings", "rejected_postings",
              "complete_fetches"],
        group_name="publish",
        kinds={"postgres", "table"},
        owners=OWNERS,
        retry_policy=RETRIES,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=late),
        description=(
            "The table `jobs` that the API serves, with `job_postings`, `rejected_postings` and "
            "`sources`. One transaction: readers see the state before it or after it. Only rows "
            "that differ are written."
        ),
        check_specs=checks.OF_PUBLISHED,
    )  # fmt: skip
    def published_jobs(
        context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        with leased(context, settings) as connection:
            own = frames_of_run(context, connection, frames)
            result = steps.publish(connection, own, context.run.run_id, _started_at(context))
            lost = None
            if reconciliation.is_due(connection, result):
                lost = reconciliation.unaccounted(settings, connection)
                reconciliation.read_again(connection, lost)
            by_category = None
            if result.full_refresh or result.total <= COUNTED_EACH_RUN:
                by_category = _jobs_by_category(connection)
            ensure_text_index(connection)
        fetched = pl.DataFrame(
            list(result.fetched.items()), {"source": pl.String, "postings": pl.Int64}, orient="row"
        )
        counts: dict[str, Any] = {name: getattr(result, name) for name in COUNTS if name != "total"}
        if by_category is not None:
            counts["jobs_by_category"] = chart(by_category)
        yield dg.MaterializeResult(
            metadata={
                "dagster/row_count": result.total,
                "version": result.version,
                "fetched_by_source": chart(fetched),
                **counts,
                "full_refresh": result.full_refresh,
                "seconds": round(result.duration_seconds, 1),
            }
        )
        yield checks.nothing_refused(result.refused)
        yield checks.nothing_lost(lost)
        counted = None if by_category is None else int(by_category["jobs"].sum())
        yield checks.total_is_exact(result.total, counted)

    return published_jobs


def _started_at(context: dg.AssetExecutionContext) -> datetime:
    began = context.instance.get_run_stats(context.run.run_id).start_time
    return datetime.fromtimestamp(began, UTC) if began else datetime.now(UTC)


def _jobs_by_category(connection: Connection[TupleRow]) -> pl.DataFrame:
    found = connection.execute(
        "select category, count(*) from jobs group by 1 order by 2 desc"
    ).fetchall()
    return pl.DataFrame(found, {"category": pl.String, "jobs": pl.Int64}, orient="row")
