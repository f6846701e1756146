"""The asset checks: what each one promises, and the judgement itself.

The checks are evaluated by the step that makes the asset. Those that block keep what follows from
running, so that nothing is published of frames that contradict themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from pipeline.extract.drift import UNKNOWN
from pipeline.installation.logs import harmless
from pipeline.orchestration.metadata import table
from pipeline.run.reconciliation import Unaccounted
from pipeline.staging.fetch_log import SUDDENLY_FEW, Fetch

MAX_REJECTED_SHARE = 0.2
"""Above this, a source has more likely changed than sent that many unusable postings."""
REFUSED_SHOWN = 20

_WARN, _ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def of_fetch(raw: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of one source, evaluated by :func:`fetched`."""
    return [
        dg.AssetCheckSpec(
            "source_answered",
            asset=raw,
            description="The source answered completely, or was not asked.",
        ),
        dg.AssetCheckSpec(
            "not_suddenly_few",
            asset=raw,
            description="About as many postings as in the fetches before.",
        ),
        dg.AssetCheckSpec(
            "as_declared",
            asset=raw,
            description="The answer's envelope, fields and types are those that the source's "
            "file declares.",
        ),
    ]


def fetched(
    raw: dg.AssetKey, fetch: Fetch, usual_rows: float | None
) -> Iterator[dg.AssetCheckResult]:
    """Judge a fetch.

    Args:
        usual_rows: how many postings the source usually brings, where that is known.
    """
    yield dg.AssetCheckResult(
        asset_key=raw,
        check_name="source_answered",
        passed=fetch.status in ("ok", "skipped"),
        severity=_WARN if fetch.status == "partial" else _ERROR,
        metadata={"reason": harmless(fetch.reason)} if fetch.reason else {},
    )
    is_judged = fetch.status == "ok" and usual_rows is not None
    yield dg.AssetCheckResult(
        asset_key=raw,
        check_name="not_suddenly_few",
        passed=not is_judged or fetch.rows >= SUDDENLY_FEW * (usual_rows or 0),
        severity=_WARN,
        description=None if is_judged else "Not compared: no complete fetch, or none before.",
        metadata={"rows": fetch.rows, "usual_rows": usual_rows or "unknown"},
    )
    reported = [drift for drift in fetch.drift if drift.is_new or drift.concerns_all]
    # The names of unknown fields are the source's words, which a description would render.
    declared = [f"{d.field}: {d.what}" for d in reported if d.what != UNKNOWN]
    yield dg.AssetCheckResult(
        asset_key=raw,
        check_name="as_declared",
        passed=not reported,
        severity=_ERROR if any(d.concerns_all for d in reported) else _WARN,
        description="; ".join(declared) or None,
        metadata={"differences": table(["field", "what"], [[d.field, d.what] for d in reported])},
    )


OF_POSTINGS = [
    dg.AssetCheckSpec(
        "few_rejected",
        asset="postings",
        description=f"At most {MAX_REJECTED_SHARE:.0%} of a source's postings were rejected.",
    )
]


def few_rejected(kept: pl.DataFrame, rejected: pl.DataFrame) -> dg.AssetCheckResult:
    """Judge the columns ``source`` and ``rows`` of the postings that were kept and rejected."""
    share = pl.col("rows_rejected") / (pl.col("rows") + pl.col("rows_rejected"))
    too_many = (
        kept.join(rejected, on="source", how="full", coalesce=True, suffix="_rejected")
        .fill_null(0)
        .filter(share > MAX_REJECTED_SHARE)["source"]
        .to_list()
    )
    return dg.AssetCheckResult(
        asset_key="postings",
        check_name="few_rejected",
        passed=not too_many,
        severity=_WARN,
        description=f"Too many of: {', '.join(too_many)}" if too_many else None,
    )


OF_JOBS = [
    dg.AssetCheckSpec(
        "ids_are_unique",
        asset="jobs",
        blocking=True,
        description="No two jobs have the same id. Otherwise nothing is published.",
    ),
    dg.AssetCheckSpec(
        "every_posting_has_one_job",
        asset="job_postings",
        blocking=True,
        description="Each posting belongs to one job, which exists. Otherwise nothing is "
        "published.",
    ),
]


def ids_are_unique(jobs: int, ids: int) -> dg.AssetCheckResult:
    """Judge the number of jobs and of their different ids."""
    return dg.AssetCheckResult(
        asset_key="jobs",
        check_name="ids_are_unique",
        passed=jobs == ids,
        metadata={"jobs": jobs, "different_ids": ids},
    )


def every_posting_has_one_job(rows: int, postings: int, orphans: int) -> dg.AssetCheckResult:
    """Judge the number of rows, of different postings, and of rows whose job does not exist."""
    return dg.AssetCheckResult(
        asset_key="job_postings",
        check_name="every_posting_has_one_job",
        passed=rows == postings and orphans == 0,
        metadata={"rows": rows, "postings": postings, "without_job": orphans},
    )


OF_PUBLISHED = [
    dg.AssetCheckSpec(
        "nothing_refused",
        asset="published_jobs",
        description="PostgreSQL accepted every job.",
    ),
    dg.AssetCheckSpec(
        "nothing_lost",
        asset="published_jobs",
        description="Each posting that staging holds is published, rejected or of another role. "
        "Compared in full refreshes, once a day, and while staging is small; otherwise the check "
        "says that it did not look. Lost ones are read again by the next run.",
    ),
    dg.AssetCheckSpec(
        "total_is_exact",
        asset="published_jobs",
        description="The published total is the number of rows. Counted in full refreshes and "
        "while the table is small; otherwise the check says that it did not look.",
    ),
]


def nothing_refused(refused: Mapping[str, str]) -> dg.AssetCheckResult:
    """Judge the jobs that PostgreSQL refused, with the reason of each."""
    shown = list(refused.items())[:REFUSED_SHOWN]
    return dg.AssetCheckResult(
        check_name="nothing_refused",
        passed=not refused,
        severity=_WARN,
        metadata={"refused": table(["job", "reason"], shown)},
    )


def nothing_lost(lost: Sequence[Unaccounted] | None) -> dg.AssetCheckResult:
    """Judge what was found missing; None where it was not looked for."""
    rows = [(one.source, one.count, list(one.examples)) for one in lost or ()]
    return dg.AssetCheckResult(
        check_name="nothing_lost",
        passed=not lost,
        description="Not compared in this run." if lost is None else None,
        metadata={
            "compared": lost is not None,
            "lost": table(["source", "postings", "first"], rows),
        },
    )


def total_is_exact(total: int, counted: int | None) -> dg.AssetCheckResult:
    """Judge the published total by the number of rows; None where they were not counted."""
    return dg.AssetCheckResult(
        check_name="total_is_exact",
        passed=counted is None or counted == total,
        description="Not counted in this run." if counted is None else None,
        metadata={
            "total": total,
            "counted": counted is not None,
            **({} if counted is None else {"rows": counted}),
        },
    )
