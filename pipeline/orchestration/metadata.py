"""What an operator sees of a frame in the Dagster UI.

Labels and samples are texts of the sources, so everything is a table of plain cells: Dagster
renders Markdown, and the descriptions of checks, as a page would, with images and links.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dagster as dg
import dataframely as dy
import polars as pl

from pipeline.installation.logs import harmless

BAR_CHARS = 30
CELL_CHARS = 160
SAMPLE_ROWS = 8


def chart(counts: pl.DataFrame) -> dg.MetadataValue:
    """A table with a bar for each row.

    Args:
        counts: a column of labels and a column of numbers; shown in the given order.
    """
    label, number = counts.columns
    most = max(counts[number].max() or 0, 1)
    bars = [
        (name, count, "█" * max(round(BAR_CHARS * count / most), 1 if count else 0))
        for name, count in counts.iter_rows()
    ]
    return table([label, number, "share"], bars)


def counted(frame: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """How many rows have each value of the column, the most frequent first: the column as text,
    and ``rows``."""
    return (
        frame.group_by(pl.col(column).cast(pl.String))
        .len("rows")
        .sort("rows", column, descending=[True, False])
    )


def sample(frame: pl.LazyFrame, *columns: str) -> pl.LazyFrame:
    """The columns of the first rows, for :func:`shown`."""
    return frame.select(columns).head(SAMPLE_ROWS)


def shown(frame: pl.DataFrame) -> dg.MetadataValue:
    """The whole frame as a table, long texts shortened."""
    return table(frame.columns, frame.iter_rows())


def column_schema(schema: type[dy.Schema]) -> dg.TableSchema:
    """The declared columns, as Dagster shows those of a table."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name,
                str(column.dtype),
                column.description or None,
                constraints=dg.TableColumnConstraints(
                    nullable=column.nullable, unique=column.primary_key
                ),
            )
            for name, column in schema.columns().items()
        ]
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> dg.MetadataValue:
    """The rows as plain cells; ``none`` where there are none."""
    records = [dg.TableRecord(dict(zip(columns, map(_cell, row), strict=True))) for row in rows]
    if not records:
        return dg.MetadataValue.text("none")
    schema = dg.TableSchema([dg.TableColumn(name) for name in columns])
    return dg.MetadataValue.table(records, schema)


def _cell(value: Any) -> str | int | float | bool:
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = harmless(" ".join(text[: 2 * CELL_CHARS].split()))
    return text if len(text) <= CELL_CHARS else f"{text[: CELL_CHARS - 1]}…"
