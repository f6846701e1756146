"""Which postings advertise the same opening, with the evidence for each merge.

Evidence is taken in the order of its strength: a person's decision, the requisition or address
that the apply URL leads to, the text of the advert, and company with title and place. The rules,
the constraints that no evidence overrides and what was measured are in ``docs/deduplication.md``.
"""

from __future__ import annotations

import dataframely as dy
import polars as pl

from pipeline.transform.deduplication.blocking import blocks
from pipeline.transform.deduplication.evidence import Matching
from pipeline.transform.schema import ClusteredPosting


def deduplicate(
    postings: pl.DataFrame, overrides: pl.DataFrame | None = None
) -> dy.DataFrame[ClusteredPosting]:
    """To which job each posting belongs, and why.

    ``postings`` are ``KeyedPosting`` rows closed under shared blocking keys. ``overrides`` are
    :class:`pipeline.transform.deduplication.blocking.Override` rows, of which those that name
    absent postings are ignored. The result is sorted by id. It depends neither on the order of
    the rows nor, for one posting, on postings that no chain of shared keys connects with it.
    """
    ordered = postings.sort("first_seen_at", "posting_id").with_row_index("row")
    shared = blocks(ordered)
    decisions = _decisions(ordered, overrides)
    contested = sorted(
        {row for _, rows in shared for row in rows}
        | {row for pair in decisions for row in pair[:2]}
    )
    matching = Matching(ordered, contested, shared)
    matching.by_person(decisions)
    matching.by_evidence()
    explained = matching.clusters.explained()
    merges = pl.DataFrame(
        [(row, founder, other, *why) for row, founder, other, why in explained],
        schema={
            "row": pl.UInt32,
            "_founder": pl.UInt32,
            "_other": pl.UInt32,
            "merge_rule": pl.String,
            "merge_evidence": pl.String,
            "merge_score": pl.Float64,
        },
        orient="row",
    )
    ids = ordered.select("row", "posting_id")
    merges = (
        merges.join(ids.rename({"row": "_founder", "posting_id": "job_id"}), on="_founder")
        .join(ids.rename({"row": "_other", "posting_id": "merged_with"}), on="_other")
        .drop("_founder", "_other")
    )
    return ClusteredPosting.validate(
        ordered.join(merges, on="row", how="left")
        .with_columns(
            pl.col("job_id").fill_null(pl.col("posting_id")),
            pl.col("merge_rule").fill_null("first"),
        )
        .sort("posting_id")
        .select(ClusteredPosting.column_names()),
        cast=False,
    )


def _decisions(ordered: pl.DataFrame, overrides: pl.DataFrame | None) -> list[tuple[int, int, str]]:
    if overrides is None or overrides.is_empty():
        return []
    rows = ordered.select("row", "posting_id")
    found = (
        overrides.select("posting_id", "other_posting_id", "action")
        .join(rows, on="posting_id")
        .join(rows.rename({"row": "other", "posting_id": "other_posting_id"}),
              on="other_posting_id")
        .filter(pl.col("row") != pl.col("other"))
        .select(pl.min_horizontal("row", "other"), pl.max_horizontal("row", "other").alias("other"),
                "action")
        .unique()
        .sort("row", "other", "action")
    )  # fmt: skip
    return list(found.iter_rows())
