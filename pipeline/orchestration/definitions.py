"""The code location: ``dagster -m pipeline.orchestration.definitions``."""

from __future__ import annotations

import logging
from typing import Any

import dagster as dg
from dagster_dlt import DagsterDltResource

from pipeline.installation import logs
from pipeline.installation.settings import Settings
from pipeline.orchestration import assets, schedules
from pipeline.orchestration.search_index import search_index
from pipeline.run.frames import FramesOfRuns
from pipeline.sources import SOURCES

INGEST = "ingest"


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


def definitions(settings: Settings) -> dg.Definitions:
    """Assets, checks, jobs and schedules for one installation."""
    ingest = dg.define_asset_job(
        INGEST,
        selection=dg.AssetSelection.all(),
        description="Fetch every source, transform what changed, publish.",
        executor_def=dg.in_process_executor,
        config=quiet("WARNING"),
        tags={"dagster/max_runtime": str(settings.max_run_minutes * 60)},
    )
    return dg.Definitions(
        assets=[
            *map(assets.api_spec, SOURCES.values()),
            *map(assets.raw_asset, SOURCES.values()),
            assets.read_staged,
            assets.relevant_postings,
            assets.cluster,
            assets.published_asset(settings),
            search_index,
        ],
        jobs=[ingest, schedules.housekeeping],
        schedules=[
            schedules.ingest_schedule(INGEST, settings.ingestion_interval_minutes),
            schedules.housekeeping_schedule,
        ],
        resources={
            "settings": settings,
            "frames": FramesOfRuns(settings.data_dir.absolute() / "frames"),
            "dlt": DagsterDltResource(),
        },
        executor=dg.in_process_executor,
        loggers={"console": console},
    )


_settings = Settings.load()
logs.configure(_settings, "dagster")
defs = definitions(_settings)
