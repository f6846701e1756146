"""dlt's side of staging: the pipeline of a source, and what earlier runs left in it.

dlt keeps a load package until it is loaded. While one is pending, ``pipeline.run`` loads that one
and ignores new data, and ``dagster-dlt`` drops it: so pending packages are loaded before a source
is asked. Two pipelines cannot write one DuckDB file at once, which is why each source has a file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import dlt
import duckdb
import polars as pl
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.data_types import TDataType
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.extract import DltResource, DltSource

from pipeline.staging import DATASET, StagingError
from pipeline.staging.coerce import KEY

log = logging.getLogger(__name__)

KEPT_PACKAGES = 50
"""How many finished packages stay readable for ``dlt pipeline … info``; a few kB each."""

Run = Callable[[dlt.Pipeline, DltSource], object]
"""Runs the pipeline on the source; raises what dlt raises."""

_CONFIG = {
    # dlt would otherwise read its state back from the file in each run, and dagster-dlt throw
    # the working folder away because of that: 0.31 s of CPU a load instead of 0.18 s.
    "restore_from_destination": False,
    "runtime": {"dlthub_telemetry": False, "log_level": "ERROR"},
    "normalize": {"parquet_normalizer": {"add_dlt_load_id": True}},
    "load": {"delete_completed_jobs": True, "truncate_staging_dataset": True, "workers": 1},
}


def pipeline_of(source: str, working_dir: Path, staging: duckdb.DuckDBPyConnection) -> dlt.Pipeline:
    """The dlt pipeline that merges into ``staging.postings`` of an open DuckDB file. It needs no
    configuration file; column names stay as the source writes them."""
    if "job-market" not in [provider.name for provider in dlt.config.config_providers]:
        dlt.config.register_provider(
            CustomLoaderDocProvider("job-market", lambda: _CONFIG, supports_secrets=False)
        )
    working_dir.mkdir(parents=True, exist_ok=True)
    credentials = DuckDbCredentials(staging)
    credentials.resolve()  # once, instead of some twenty times a load
    return dlt.pipeline(
        pipeline_name=f"staging_{source}",
        pipelines_dir=str(working_dir),
        destination=dlt.destinations.duckdb(
            credentials, naming_convention="direct", staging_dataset_name_layout="dlt_%s"
        ),
        dataset_name=DATASET,
    )


def source_of(name: str, resource: DltResource, columns: pl.Schema) -> DltSource:
    """The resource as a dlt source with declared columns.

    Columns of the schema itself are exempt from the resource's contract, so that a version of a
    source's file may declare further ones, while data that holds others is refused.
    """
    resource.apply_hints(
        columns=[
            {"name": column, "data_type": _data_type(dtype), "nullable": column != KEY}
            for column, dtype in columns.items()
        ]
    )
    resource.apply_hints(columns={"fetch_position": {"dedup_sort": "desc"}})

    @dlt.source(name=name)
    def source() -> DltResource:
        return resource

    found = source()
    found.schema.update_table(resource.compute_table_schema())
    return found


def _data_type(dtype: pl.DataType) -> TDataType:
    """What dlt calls a type for which staging has a column."""
    names: dict[type[pl.DataType], TDataType] = {
        pl.String: "text", pl.Boolean: "bool", pl.Int64: "bigint", pl.Float64: "double",
        pl.Datetime: "timestamp",
    }  # fmt: skip
    return names[type(dtype)]


def run_directly(pipeline: dlt.Pipeline, source: DltSource) -> None:
    """Run the pipeline outside an orchestrator."""
    pipeline.run(source)


def make_ready(pipeline: dlt.Pipeline, *, interrupted: bool) -> str | None:
    """Load what an earlier run extracted and did not load, and keep the working folder small.

    Args:
        interrupted: the last run ended in the middle and may have left half an extract behind.

    Returns:
        What was done with a pending load, in words; None where nothing was pending.

    Raises:
        StagingError: the disk or the file does not allow it; the package is kept.
    """
    done = _finish_pending(pipeline) if pipeline.has_pending_data else None
    if interrupted or len(pipeline.list_completed_load_packages()) >= KEPT_PACKAGES:
        pipeline.drop()
    if pipeline.default_schema_name is None:
        pipeline.sync_destination()
    return done


def _finish_pending(pipeline: dlt.Pipeline) -> str:
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
