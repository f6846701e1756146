"""Divide postings into partitions that can be deduplicated one after the other."""

from __future__ import annotations

import polars as pl


def partitions(keyed: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Which postings to deduplicate together, so that memory is bounded.

    Args:
        keyed: columns ``posting_id`` and ``keys`` of all postings.
        rows: how many postings a partition should hold. One holds more only if more than that are
            connected through shared blocking keys.

    Returns:
        Columns ``posting_id`` and ``partition`` (0, 1, …). A connected component, the postings
        that are connected through shared keys, is in one partition.
    """
    ordered = keyed.select("posting_id", "keys").sort("posting_id").with_row_index("row")
    edges = (
        ordered.lazy()
        .select("row", "keys")
        .explode("keys")
        .drop_nulls()
        .with_columns(first=pl.col("row").min().over("keys"))
        .filter(pl.col("row") != pl.col("first"))
        .select("row", "first")
        .unique()
        .sort("row", "first")
        .collect()
    )
    components = pl.Series("component", _components(ordered.height, edges), pl.UInt32)
    sizes = components.to_frame().group_by("component").len().sort("component")
    assigned = sizes.select(
        "component", partition=(pl.col("len").cum_sum() - pl.col("len")) // rows
    )
    return (
        ordered.select("posting_id")
        .with_columns(components)
        .join(assigned, on="component", how="left")
        .select("posting_id", (pl.col("partition").rank("dense") - 1).cast(pl.Int64))
    )


def _components(count: int, edges: pl.DataFrame) -> list[int]:
    """The smallest row that each row is connected with: a union-find of twelve lines, for which
    scipy would be a heavy dependency."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for row, first in edges.iter_rows():
        one, other = root(row), root(first)
        parent[max(one, other)] = min(one, other)
    return [root(row) for row in range(count)]
