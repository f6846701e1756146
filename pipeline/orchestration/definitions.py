"""The code location: ``dagster -m pipeline.orchestration.definitions``."""

from __future__ import annotations

import dagster as dg
from dagster_dlt import DagsterDltResource

from pipeline import logs
from pipeline.orchestration import assets, schedules
from pipeline.orchestration.frames import Frames
from pipeline.settings import Settings
from pipeline.sources import SOURCES

INGEST = "ingest"


def definitions(settings: Settings, console_level: str = "WARNING") -> dg.Definitions:
    """Assets, checks, jobs and schedules for one installation.

    Args:
        console_level: from which level on the console shows the events of a run. The Dagster UI
            shows all of them.
    """
    ingest = dg.define_asset_job(
        INGEST,
        selection=dg.AssetSelection.all(),
        description="Fetch every source, transform what changed, publish.",
        executor_def=dg.in_process_executor,
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
        ],
        jobs=[ingest, schedules.housekeeping],
        schedules=[
            schedules.ingest_schedule(INGEST, settings.ingestion_interval_minutes),
            schedules.housekeeping_schedule,
        ],
        resources={
            "settings": settings,
            "frames": Frames(settings.data_dir.absolute() / "frames"),
            "dlt": DagsterDltResource(),
        },
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger.configured({"log_level": console_level})},
    )


_settings = Settings.load()
logs.configure(_settings, "dagster")
defs = definitions(_settings)
