"""Staging: the raw postings of each source, in one DuckDB file a source.

``load`` runs a source's dlt resource in its ``dlt_pipeline``. A step of the resource makes ``rows``
of its pages, for which ``coerce`` gives postings their declared types and notes what drifted.
``fetch_log`` keeps how each fetch went; ``snapshot`` swaps in the copy that analysts and the
transform ``read``.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from pipeline.installation.settings import Settings

DATASET = "staging"
"""The schema of the staging tables in each DuckDB file."""


class StagingError(Exception):
    """Staging itself cannot be used: the disk, a damaged file, another process that holds it.
    The message says what to do. A source that misbehaves never raises this."""


def staging_path(settings: Settings, source: str) -> Path:
    """The file that dlt writes."""
    return settings.staging_dir / f"{source}.duckdb"


def snapshot_path(settings: Settings, source: str) -> Path:
    """The read-only copy of it."""
    return settings.snapshot_dir / f"{source}.duckdb"


def has_postings(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a load has ever created the table ``postings``."""
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where schema_name = 'staging'"
            " and table_name = 'postings' and not internal"
        ).fetchall()
    )
