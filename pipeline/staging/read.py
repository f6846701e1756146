"""Read a source's snapshot for the transform: its postings, mapped to the common columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files

import duckdb
import polars as pl

from pipeline.installation.settings import Settings
from pipeline.sources import Source
from pipeline.staging import has_postings, snapshot_path
from pipeline.staging.fetch_log import complete_fetches
from pipeline.staging.snapshot import open_snapshot
from pipeline.transform.schema import CompleteFetch, MappedPosting, SourceState

BATCH_ROWS = 50_000


@dataclass(frozen=True)
class Staged:
    """What one snapshot of a source holds.

    ``postings`` are frames of ``MappedPosting``; the snapshot stays open until the iterator ends
    or is dropped. ``state`` is one row of ``SourceState``. ``complete_fetches`` are
    ``CompleteFetch`` rows of a source whose answer is all that it shows, and none of a search.
    """

    state: pl.DataFrame
    postings: Iterator[pl.DataFrame] = field(default_factory=lambda: iter(()))
    complete_fetches: pl.DataFrame = field(default_factory=CompleteFetch.create_empty)


def read(
    source: Source, settings: Settings, after_load_id: str | None, run_id: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The postings loaded after a load, and the state of the source.

    Args:
        after_load_id: the newest load that was read before; None reads everything. Where staging
            does not know that load, it is another file than was read before (begun anew, restored,
            or the clock was set back), and everything is read.
        run_id: the run whose own postings the state counts as fetched.

    Returns:
        A frame of ``MappedPosting`` and one row of ``SourceState``, of one and the same snapshot.
        Without a snapshot no rows, and a state of zeros.
    """
    staged = batches(source, settings, after_load_id, run_id)
    found = list(staged.postings)
    return (pl.concat(found) if found else MappedPosting.create_empty()), staged.state


def batches(
    source: Source,
    settings: Settings,
    after_load_id: str | None,
    run_id: str,
    rows: int = BATCH_ROWS,
) -> Staged:
    """As :func:`read`, but in frames of at most ``rows`` postings, for what may not fit in
    memory."""
    path = snapshot_path(settings, source.name)
    if not path.exists():
        return Staged(_state_frame(source, {"staged": 0, "fetched": 0}))
    connection = open_snapshot(path)
    if not has_postings(connection):
        connection.execute(
            "create temp view postings as select null::varchar as run_id,"
            " null::varchar as _dlt_load_id where false"
        )
        sql = _state_sql().replace("staging.postings", "postings")
        state = _state(connection, sql, run_id)
        connection.close()
        return Staged(_state_frame(source, state))
    state = _state(connection, _state_sql(), run_id)
    if after_load_id is not None and not _knows(connection, after_load_id):
        after_load_id = None
    return Staged(
        _state_frame(source, state),
        _mapped_batches(source, connection, after_load_id, rows),
        complete_fetches(source, connection),
    )


def staged_ids(source: Source, settings: Settings, up_to_load_id: str) -> pl.DataFrame:
    """The columns ``source_id`` and ``load_id`` of the postings that staging holds since a load
    or longer. None where staging does not know that load: all of it will be read again."""
    with open_snapshot(snapshot_path(settings, source.name)) as connection:
        if not has_postings(connection) or not _knows(connection, up_to_load_id):
            return pl.DataFrame(schema={"source_id": pl.String, "load_id": pl.String})
        found = connection.sql(
            "select source_id, _dlt_load_id as load_id from staging.postings"
            " where _dlt_load_id <= $up_to",
            params={"up_to": up_to_load_id},
        ).to_arrow_table()
    return pl.DataFrame(found)


def _knows(connection: duckdb.DuckDBPyConnection, load_id: str) -> bool:
    return bool(
        connection.execute(
            "select 1 from staging._dlt_loads where load_id = $id union all"
            " select 1 from staging.postings where _dlt_load_id = $id limit 1",
            {"id": load_id},
        ).fetchall()
    )


def _state_sql() -> str:
    return files(__package__).joinpath("state.sql").read_text()


def _state(connection: duckdb.DuckDBPyConnection, sql: str, run_id: str) -> dict[str, object]:
    result = connection.execute(sql, {"run_id": run_id})
    names = [column[0] for column in result.description or []]
    return dict(zip(names, result.fetchall()[0], strict=True))


def _state_frame(source: Source, state: dict[str, object]) -> pl.DataFrame:
    row = {name: state.get(name) for name in SourceState.column_names()} | {"source": source.name}
    return SourceState.validate(pl.DataFrame([row], schema=SourceState.create_empty().schema))


def _mapped_batches(
    source: Source, connection: duckdb.DuckDBPyConnection, after_load_id: str | None, rows: int
) -> Iterator[pl.DataFrame]:
    try:
        reader = connection.sql(
            "select * from staging.postings where $after is null or _dlt_load_id > $after",
            params={"after": after_load_id},
        ).to_arrow_reader(rows)
        for batch in reader or ():
            if batch.num_rows:
                frame = pl.from_arrow(batch)
                if isinstance(frame, pl.DataFrame):
                    yield mapped(source, frame)
    finally:
        connection.close()


def mapped(source: Source, staged: pl.DataFrame) -> pl.DataFrame:
    """Staged rows as ``MappedPosting``: the source's mapping over its columns, null where it maps
    nothing. A declared column that staging does not have reads as null."""
    declared = dict(source.columns) | dict.fromkeys(source.json_columns, pl.String())
    absent = [
        pl.lit(None, dtype).alias(name)
        for name, dtype in declared.items()
        if name not in staged.columns
    ]
    columns = dict(source.mapping) | {
        "source": pl.lit(source.name),
        "load_id": pl.col("_dlt_load_id"),
        **{name: pl.col(name) for name in
           ("source_id", "first_seen_at", "last_seen_at", "run_id", "raw")},
    }  # fmt: skip
    schema = MappedPosting.create_empty().schema
    return staged.with_columns(absent).select(
        columns.get(name, pl.lit(None)).cast(dtype, strict=False).alias(name)
        for name, dtype in schema.items()
    )
