"""dlt's side of staging: the pipeline of a source, and the load packages that it keeps.

dlt keeps a package until it is loaded, and while one is pending it ignores new data: so pending
packages are finished before a source is asked, and what a killed process left is cleared away.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import dlt
import duckdb
import polars as pl
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.extract import DltSource

from pipeline.staging import DATASET, StagingError

log = logging.getLogger(__name__)

KEPT_PACKAGES = 10
"""How many finished packages stay readable for ``dlt pipeline … info``; a few kB each."""

Run = Callable[[dlt.Pipeline, DltSource], object]
"""Runs the pipeline on the source; raises what dlt raises."""

_CONFIG = {
    "runtime": {"log_level": "ERROR"},
    "normalize": {"parquet_normalizer": {"add_dlt_load_id": True}},
    "load": {"delete_completed_jobs": True, "truncate_staging_dataset": True, "workers": 1},
}


def pipeline_of(source: str, working_dir: Path, database: Path) -> dlt.Pipeline:
    """The dlt pipeline that merges into ``staging.postings`` of a DuckDB file. It needs no
    configuration file; column names stay as the source writes them."""
    if "job-market" not in [provider.name for provider in dlt.config.config_providers]:
        dlt.config.register_provider(
            CustomLoaderDocProvider("job-market", lambda: _CONFIG, supports_secrets=False)
        )
    database.parent.mkdir(parents=True, exist_ok=True)
    working_dir.mkdir(parents=True, exist_ok=True)
    return dlt.pipeline(
        pipeline_name=f"staging_{source}",
        pipelines_dir=str(working_dir),
        destination=dlt.destinations.duckdb(
            str(database), naming_convention="direct", staging_dataset_name_layout="dlt_%s"
        ),
        dataset_name=DATASET,
    )


def postings_source(source: str, frame: pl.DataFrame) -> DltSource:
    """A dlt source with the one resource ``postings``, merged on ``source_id``."""

    @dlt.source(name=source)
    def postings() -> object:
        return dlt.resource(
            iter([frame.to_arrow()]),
            name="postings",
            primary_key="source_id",
            write_disposition={"disposition": "merge", "strategy": "delete-insert"},
            file_format="parquet",
        )

    return postings()


def run_directly(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Run the pipeline outside an orchestrator."""
    pipeline.run(source)


def finish_pending(pipeline: dlt.Pipeline) -> str | None:
    """Load what an earlier run extracted and did not load.

    Returns:
        What was done, in words; None where nothing was pending.

    Raises:
        StagingError: the disk or the file does not allow it; the package is kept.
    """
    _clear_unfinished_extracts(pipeline)
    if not pipeline.has_pending_data:
        return None
    try:
        pipeline.run()
    except Exception as error:
        if root := storage_error(error):
            raise StagingError(advice(root)) from error
        reason = f"{type(root_cause(error)).__name__} in dlt"
        log.warning("%s: a pending load cannot be finished (%s)", pipeline.pipeline_name, reason)
        pipeline.drop()
        return f"A load that an earlier run left pending was dropped: {reason}."
    return "A load that an earlier run left pending was finished."


def prune(pipeline: dlt.Pipeline) -> None:
    """Delete all but the newest finished packages."""
    loaded = Path(pipeline.working_dir) / "load" / "loaded"
    for package in sorted(loaded.glob("*"))[:-KEPT_PACKAGES]:
        shutil.rmtree(package, ignore_errors=True)


def _clear_unfinished_extracts(pipeline: dlt.Pipeline) -> None:
    for folder in (Path(pipeline.working_dir) / "normalize").glob("*/"):
        if folder.name != "extracted":
            shutil.rmtree(folder, ignore_errors=True)


def root_cause(error: BaseException) -> BaseException:
    """The exception that started the chain."""
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def storage_error(error: BaseException) -> BaseException | None:
    """The failure of disk, file or memory in the chain of an exception, if that was it."""
    chain: BaseException | None = error
    while chain is not None:
        storage = duckdb.IOException | duckdb.FatalException | duckdb.OutOfMemoryException
        if isinstance(chain, storage | duckdb.InternalException | OSError | MemoryError):
            return chain
        chain = chain.__cause__ or chain.__context__
    return None


def advice(error: BaseException) -> str:
    """What went wrong with the disk or the file, and what to do."""
    text = str(error).strip().partition("\n")[0][:300] or type(error).__name__
    if "No space left" in text or getattr(error, "errno", None) == 28:
        return f"The disk of the data folder is full: free some space and run again. ({text})"
    if re.search("permission denied|read-only|not permitted|not a directory", text, re.IGNORECASE):
        return f"The data folder cannot be written: correct its permissions and run again. ({text})"
    if "lock" in text.lower():
        return f"Another program has the staging file open: close it and run again. ({text})"
    return (
        "The staging file cannot be used. If it is damaged, move it away and put a copy of the "
        "file of the same name in the folder snapshots in its place (made writable), or "
        f"leave the place empty to begin anew. ({text})"
    )
