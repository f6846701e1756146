"""The step of a source's dlt resource that makes rows of staging of its pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa

from pipeline.extract.drift import Drift
from pipeline.sources import Source
from pipeline.staging import has_postings
from pipeline.staging.coerce import KEY, STAMPS, Coercer


class Rows:
    """Turns each page of one fetch into rows of ``staging.postings``, and takes out the error that
    ended the pages.

    Attributes:
        error: what ended the pages early, if anything did.
        count: how many different postings came.
        new: how many of them staging did not know.
        oldest_posted_at: how far back they reach, as the source tells it.
    """

    def __init__(
        self,
        source: Source,
        staging: duckdb.DuckDBPyConnection,
        run_id: str,
        started_at: datetime,
    ) -> None:
        self.source = source
        self.staging = staging
        self.run_id = run_id
        self.started_at = started_at
        self.error: Exception | None = None
        self.new = 0
        self.oldest_posted_at: datetime | None = None
        self._coercer = Coercer(source)
        self._keys: set[str] = set()

    @property
    def count(self) -> int:
        return len(self._keys)

    @property
    def schema(self) -> pl.Schema:
        """Of the rows: the columns of the source and those of the fetches that brought them."""
        return pl.Schema({**self._coercer.schema, **STAMPS})

    def __call__(self, page: list[Any] | Exception, meta: Any = None) -> pa.Table | None:
        """The rows of a page, one a key; None where there are none. dlt passes ``meta``."""
        if isinstance(page, Exception):
            self.error = page
            return None
        if not page:
            return None
        position = self._coercer.postings
        frame = self._coercer.coerce(page)
        known = _first_seen(self.staging, frame)
        rows = frame.join(known, on=KEY, how="left", maintain_order="left").with_columns(
            pl.col("first_seen_at").fill_null(self.started_at),
            last_seen_at=pl.lit(self.started_at, pl.Datetime("us", "UTC")),
            run_id=pl.lit(self.run_id),
            fetch_position=pl.int_range(pl.len(), dtype=pl.Int64) + position,
        )
        fresh = set(frame[KEY]) - self._keys
        self._keys |= fresh
        self.new += len(fresh.difference(known[KEY]))
        self._note_oldest(rows)
        return rows.select(self.schema.names()).to_arrow()

    def drift(self) -> list[Drift]:
        """How the postings differ from what the source declares."""
        return self._coercer.drift()

    def load_id(self) -> str | None:
        """The dlt load that wrote the rows; None if there were none."""
        if not self._keys:
            return None
        row = self.staging.execute(
            "select max(_dlt_load_id) from staging.postings where last_seen_at = ?",
            [self.started_at],
        ).fetchone()
        return None if row is None else row[0]

    def _note_oldest(self, rows: pl.DataFrame) -> None:
        posted_at = self.source.mapping.get("posted_at")
        if posted_at is None:
            return
        times = [rows.select(posted_at.min()).item(), self.oldest_posted_at]
        self.oldest_posted_at = min((time for time in times if time is not None), default=None)


def _first_seen(connection: duckdb.DuckDBPyConnection, frame: pl.DataFrame) -> pl.DataFrame:
    schema = {KEY: pl.String(), "first_seen_at": STAMPS["first_seen_at"]}
    if not has_postings(connection):
        return pl.DataFrame(schema=schema)
    connection.register("fetched", frame.select("source_id").to_arrow())
    found = connection.execute(
        "select source_id, min(first_seen_at) as first_seen_at from staging.postings"
        " where source_id in (select source_id from fetched) group by all"
    ).fetchall()
    connection.unregister("fetched")
    return pl.DataFrame(found, schema=schema, orient="row")
