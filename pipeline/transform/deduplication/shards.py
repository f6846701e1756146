"""Split postings into sets that can be deduplicated one after the other."""

from __future__ import annotations

import polars as pl


def shards(keys: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Which postings to deduplicate together, so that memory is bounded.

    Args:
        keys: columns ``posting_id`` and ``keys`` of all postings.
        rows: how many postings a shard should hold. One holds more only if more than that are
            connected through shared keys.

    Returns:
        Columns ``posting_id`` and ``shard`` (0, 1, …). Postings that are connected through
        shared keys are in the same shard.
    """
    ordered = keys.select("posting_id", "keys").sort("posting_id").with_row_index("row")
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
    roots = pl.Series("root", _roots(ordered.height, edges), pl.UInt32)
    sizes = roots.to_frame().group_by("root").len().sort("root")
    assigned = sizes.select("root", shard=(pl.col("len").cum_sum() - pl.col("len")) // rows)
    return (
        ordered.select("posting_id")
        .with_columns(roots)
        .join(assigned, on="root", how="left")
        .select("posting_id", (pl.col("shard").rank("dense") - 1).cast(pl.Int64))
    )


def _roots(count: int, edges: pl.DataFrame) -> list[int]:
    """The smallest row that each row is connected with: union by smaller root, halving paths."""
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
