"""The code location: what Dagster loads, without any effect on the process that loads it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import dagster as dg
import dataframely as dy
from dagster_dlt import DagsterDltResource

from pipeline.installation.settings import Settings
from pipeline.orchestration import raw, schedules, transform
from pipeline.orchestration.metadata import column_schema
from pipeline.orchestration.publish import published_asset
from pipeline.orchestration.search_index import search_index
from pipeline.run.frames import FramesOfRuns
from pipeline.run.steps import RunPlan, version_of
from pipeline.sources import SOURCES
from pipeline.transform import schema
from pipeline.transform.understanding.rates import in_use

INGEST = "ingest"

SCHEMAS: Mapping[str, type[dy.Schema]] = {
    "run_plan": RunPlan,
    "postings": schema.Posting,
    "rejected_postings": schema.RejectedPosting,
    "complete_fetches": schema.CompleteFetch,
    "relevant_postings": schema.KeyedPosting,
    "jobs": schema.Job,
    "job_postings": schema.JobPosting,
    "published_jobs": schema.Job,
}
"""The declared columns of each asset after staging."""

PUBLISHED_TABLE = "public.jobs"


def quiet(console_level: str) -> dict[str, Any]:
    """The run configuration with which the console shows a run's events from a level on. The
    Dagster UI shows all of them."""
    return {"loggers": {"console": {"config": {"log_level": console_level}}}}


@dg.logger(
    {"log_level": dg.Field(str, default_value="INFO")},
    description="A run's events, through the logs of this process.",
)
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """In place of Dagster's own, which would write secrets, and what a source sent, as they are."""
    logger = logging.getLogger("dagster.run")
    logger.setLevel(context.logger_config["log_level"])
    logger.addFilter(_without_event)
    return logger


def _without_event(record: logging.LogRecord) -> bool:
    # The message says what is in these, in words.
    for name in ("dagster_meta", "dagster_event", "dagster_event_batch_metadata"):
        record.__dict__.pop(name, None)
    return True


def definitions(
    settings: Settings, loggers: Mapping[str, dg.LoggerDefinition] | None = None
) -> dg.Definitions:
    """Assets, checks, jobs and schedules for one installation.

    Args:
        loggers: in addition to ``console``, for the configuration of a run to name.
    """
    version = version_of(settings, in_use(settings.data_dir))

    def with_columns(spec: dg.AssetSpec) -> dg.AssetSpec:
        name = spec.key.to_user_string()
        if name not in SCHEMAS:
            return spec
        metadata: dict[str, Any] = {"dagster/column_schema": column_schema(SCHEMAS[name])}
        if name == "published_jobs":
            metadata["dagster/table_name"] = PUBLISHED_TABLE
        return spec.merge_attributes(metadata=metadata).replace_attributes(code_version=version)

    assets: list[dg.AssetSpec | dg.AssetsDefinition] = [
        *map(raw.api_spec, SOURCES.values()),
        *map(raw.raw_assets, SOURCES.values()),
        transform.read_staged,
        transform.relevant_postings,
        transform.cluster,
        published_asset(settings),
        search_index,
    ]
    ingest = dg.define_asset_job(
        INGEST,
        selection=dg.AssetSelection.all(),
        description="Fetch every source, transform what changed, publish.",
        executor_def=dg.in_process_executor,
        config=quiet("WARNING"),
        tags={"dagster/max_runtime": str(settings.max_run_minutes * 60)},
    )
    return dg.Definitions(
        assets=dg.map_asset_specs(with_columns, assets),
        jobs=[ingest, schedules.housekeeping],
        schedules=[
            schedules.ingest_schedule(
                INGEST, settings.ingestion_interval_minutes, quiet("WARNING") | raw.scheduled()
            ),
            schedules.housekeeping_schedule,
        ],
        resources={
            "settings": settings,
            "frames": FramesOfRuns(settings.data_dir.absolute() / "frames"),
            "dlt": DagsterDltResource(),
        },
        executor=dg.in_process_executor,
        loggers={"console": console, **(loggers or {})},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions of the installation that the environment describes."""
    return definitions(Settings.load())
