"""What an operator sees of a frame in the Dagster UI."""

from __future__ import annotations

from typing import Any

import dagster as dg
import polars as pl

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
    lines = [f"| {label} | {number} | |", "|---|---:|---|"]
    for name, count in counts.iter_rows():
        bar = "█" * max(round(BAR_CHARS * count / most), 1 if count else 0)
        lines.append(f"| {_cell(name)} | {count:,} | {bar} |")
    return dg.MetadataValue.md("\n".join(lines) if len(lines) > 2 else "none")


def counted(frame: pl.LazyFrame, column: str) -> pl.DataFrame:
    """How many rows have each value of the column, the most frequent first."""
    return (
        frame.group_by(pl.col(column).cast(pl.String))
        .len("rows")
        .sort("rows", column, descending=[True, False])
        .collect()
    )


def sample(frame: pl.LazyFrame | pl.DataFrame, *columns: str) -> dg.MetadataValue:
    """The first rows as a table, long texts shortened."""
    rows = frame.lazy().select(columns).head(SAMPLE_ROWS).collect()
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    lines += [f"| {' | '.join(_cell(value) for value in row)} |" for row in rows.iter_rows()]
    return dg.MetadataValue.md("\n".join(lines) if rows.height else "none")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return text if len(text) <= CELL_CHARS else f"{text[: CELL_CHARS - 1]}…"
