"""Whether every posting that staging holds was published, or it is known why not."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import duckdb
import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.installation.settings import Settings
from pipeline.publish import state
from pipeline.publish.publish import Statistics
from pipeline.sources import SOURCES
from pipeline.staging import snapshot_path
from pipeline.staging.read import staged_ids
from pipeline.transform.cleaning.distinct import of_distinct
from pipeline.transform.cleaning.normalize import safe_id

log = logging.getLogger(__name__)

EXAMPLES = 10

EACH_RUN = 100_000
"""Where staging holds more postings, they are compared once a day and in full refreshes: a run's
cost follows what changed."""


@dataclass(frozen=True)
class Unaccounted:
    """The postings of one source that a publish should have held, and none did.

    Attributes:
        examples: the first :data:`EXAMPLES` of their ids.
        read_after: the newest load before all of theirs; None if there is none.
        watermark: the source's, up to which its postings were compared.
    """

    source: str
    count: int
    examples: tuple[str, ...]
    read_after: str | None
    watermark: str | None = None


def unaccounted(settings: Settings, connection: Connection[TupleRow]) -> list[Unaccounted]:
    """Compare the snapshots of staging with what is published: each posting that was loaded up to
    its source's watermark is published, rejected, or known to be of another role.

    The time and the memory follow the number of postings: it reads all of their ids.
    """
    # The watermarks first: what is published meanwhile does not move them.
    watermarks = state.watermarks(connection)
    accounted = state.accounted_postings(connection)
    found = []
    for name, source in SOURCES.items():
        load_id = watermarks.get(name)
        if load_id is None or not snapshot_path(settings, name).exists():
            continue
        try:
            ids = staged_ids(source, settings, load_id)
        except duckdb.Error:
            log.exception("the snapshot of %s cannot be read, so nothing is compared", name)
            continue
        posting_id = pl.format("{}_{}", pl.lit(name), of_distinct(pl.col("source_id"), safe_id))
        missing = (
            ids.with_columns(posting_id=posting_id)
            .join(accounted, on="posting_id", how="anti")
            .sort("posting_id")
        )
        if missing.height:
            oldest = missing["load_id"].min()
            found.append(
                Unaccounted(
                    name,
                    missing.height,
                    tuple(missing["posting_id"].head(EXAMPLES)),
                    ids.filter(pl.col("load_id") < oldest)["load_id"].max(),  # type: ignore[arg-type]
                    load_id,
                )
            )
    return found


def is_due(connection: Connection[TupleRow], published: Statistics) -> bool:
    """Whether to compare after this publish: it is a full refresh, the first of the day (UTC), or
    staging holds at most :data:`EACH_RUN` postings."""
    row = connection.execute(
        "select (select coalesce(sum(staged), 0) from sources) <= %s or not exists ("
        " select from publishes where version < %s and finished_at >= date_trunc('day', now()))",
        (EACH_RUN, published.version),
    ).fetchone()
    return published.full_refresh or (row is not None and bool(row[0]))


def read_again(connection: Connection[TupleRow], missing: list[Unaccounted]) -> None:
    """Let the next run read from before the oldest load of what is missing, unless another run has
    moved the watermark meanwhile."""
    state.lower_watermarks(
        connection, {one.source: (one.watermark, one.read_after) for one in missing}
    )
