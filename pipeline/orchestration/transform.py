"""The assets of the transform: what was read, what is relevant, which jobs it makes."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from pipeline.orchestration import checks
from pipeline.orchestration.metadata import chart, counted, sample, shown
from pipeline.orchestration.raw import snapshot_key
from pipeline.orchestration.run_resources import (
    OWNERS,
    RETRIES,
    FramesResource,
    SettingsResource,
    frames_of_run,
    leased,
)
from pipeline.run import steps
from pipeline.sources import SOURCES
from pipeline.transform.understanding.evidence import findings


def _frame(name: str, deps: list[dg.AssetKey | str], description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        name,
        deps=deps,
        group_name="transform",
        kinds={"polars", "parquet"},
        owners=OWNERS,
        description=description,
    )


EXPLAINED = 20_000
"""Of so many postings the metadata counts the rules that their fields follow from."""

_SNAPSHOTS: list[dg.AssetKey | str] = [snapshot_key(source) for source in SOURCES.values()]


class ReadConfig(dg.Config):
    """How much of staging to read."""

    full_refresh: bool = False


@dg.multi_asset(
    name="read_staged",
    specs=[
        _frame(
            "run_plan",
            _SNAPSHOTS,
            "One row a source: from where to where this run reads it, the version of the rules, "
            "and the published state that the result is compared with.",
        ),
        _frame(
            "postings",
            _SNAPSHOTS,
            "The postings that staging holds since the last publish, cleaned and understood: text "
            "without markup, times in UTC, and what the texts say of role, skills, pay, place, "
            "workplace, level, terms and deadline, each with its evidence. Everything instead, "
            "when the rules have changed or `full_refresh` is set.",
        ),
        _frame(
            "rejected_postings",
            _SNAPSHOTS,
            "The postings that cannot be understood, whole, with the reason.",
        ),
        _frame(
            "complete_fetches",
            _SNAPSHOTS,
            "The fetches that showed all that a feed had to show: a posting that they lack was "
            "withdrawn.",
        ),
    ],
    check_specs=checks.OF_POSTINGS,
    retry_policy=RETRIES,
)
def read_staged(
    context: dg.AssetExecutionContext,
    config: ReadConfig,
    settings: SettingsResource,
    frames: FramesResource,
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    with leased(context, settings) as connection:
        own = frames.begin(context.run.run_id)
        plan = steps.read_staged(
            settings, connection, own, context.run.run_id, full_refresh=config.full_refresh
        )
    postings, rejected = own.scan("postings"), own.scan("rejected_postings")
    found = findings(postings.head(EXPLAINED))
    (
        sources, fetches, by_source, by_country, rejects, by_reason, kept, refused, by_rule, some,
    ) = pl.collect_all([
        own.scan("run_plan"),
        own.scan("complete_fetches").select(pl.len()),
        counted(postings, "source"),
        counted(postings, "country").head(15),
        counted(rejected, "source"),
        counted(rejected, "reason"),
        sample(postings, "posting_id", "title", "company", "city", "country", "skills"),
        sample(rejected, "source", "source_id", "reason", "raw"),
        found.group_by("field", "rule", "origin").len("postings")
        .sort("field", "postings", "rule", descending=[False, True, False]),
        sample(found, "posting_id", "field", "value", "origin", "words", "rule", "decides"),
    ])  # fmt: skip
    yield dg.MaterializeResult(
        asset_key="run_plan",
        metadata={
            "dagster/row_count": sources.height,
            "full_refresh": plan.full_refresh,
            "transform_version": plan.transform_version,
            "base_version": plan.base_version,
            "sources": shown(
                sources.select("source", "read_after", "read_up_to", "staged", "fetched")
            ),
        },
    )
    yield dg.MaterializeResult(
        asset_key="postings",
        metadata={
            "dagster/row_count": int(by_source["rows"].sum()),
            "by_source": chart(by_source),
            "by_country": chart(by_country),
            "by_rule": shown(by_rule),
            "sample_of_evidence": shown(some),
            "sample": shown(kept),
        },
    )
    yield dg.MaterializeResult(
        asset_key="rejected_postings",
        metadata={
            "dagster/row_count": int(rejects["rows"].sum()),
            "by_reason": chart(by_reason),
            "sample": shown(refused),
        },
    )
    yield dg.MaterializeResult(
        asset_key="complete_fetches", metadata={"dagster/row_count": fetches.item()}
    )
    yield checks.few_rejected(by_source, rejects)


@dg.multi_asset(
    name="relevant_postings",
    specs=[
        _frame(
            "relevant_postings",
            ["postings"],
            "The postings of jobs in technology, with the keys under which duplicates are looked "
            "for.",
        )
    ],
    retry_policy=RETRIES,
)
def relevant_postings(
    context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
) -> dg.MaterializeResult:
    with leased(context, settings) as connection:
        own = frames_of_run(context, connection, frames)
        steps.select_relevant(connection, own)
    relevant = own.scan("relevant_postings")
    by_category, by_source, by_reason, rows = pl.collect_all([
        counted(relevant, "category"),
        counted(relevant, "source"),
        counted(relevant, "category_reason").head(20),
        sample(relevant, "title", "company", "category", "category_reason"),
    ])  # fmt: skip
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(by_category["rows"].sum()),
            "by_category": chart(by_category),
            "by_source": chart(by_source),
            "by_reason": chart(by_reason),
            "sample": shown(rows),
        }
    )


_READ: list[dg.AssetKey | str] = [
    "run_plan", "postings", "relevant_postings", "rejected_postings", "complete_fetches",
]  # fmt: skip


@dg.multi_asset(
    name="cluster",
    specs=[
        _frame(
            "jobs",
            _READ,
            "The openings that this run adds or may have changed: one row for all postings that "
            "advertise the same one.",
        ),
        _frame(
            "job_postings",
            _READ,
            "Which posting belongs to which job: the rule, its evidence and its score.",
        ),
    ],
    check_specs=checks.OF_JOBS,
    retry_policy=RETRIES,
)
def cluster(
    context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    with leased(context, settings) as connection:
        own = frames_of_run(context, connection, frames)
        steps.cluster(settings, connection, own)
    jobs, members = own.scan("jobs"), own.scan("job_postings")
    merged = members.filter(pl.col("merge_rule") != "first")
    of_jobs, of_members, orphans, by_category, by_status, by_reason, by_rule, some, merges = (
        pl.collect_all([
            jobs.select(pl.len(), pl.col("job_id").n_unique().alias("ids")),
            members.select(
                pl.len(),
                pl.col("posting_id").n_unique().alias("postings"),
                (pl.col("merge_rule") != "first").sum().alias("merged"),
                pl.col("repost_of").count().alias("reposts"),
            ),
            members.join(jobs, on="job_id", how="anti").select(pl.len()),
            counted(jobs, "category"),
            counted(jobs, "status"),
            counted(jobs, "status_reason").head(20),
            counted(members, "merge_rule"),
            sample(jobs, "job_id", "title", "company", "country", "posting_count"),
            sample(merged, "posting_id", "job_id", "merge_rule", "merge_evidence", "merge_score"),
        ])
    )  # fmt: skip
    count, ids = of_jobs.row(0)
    rows, postings, duplicates, reposts = of_members.row(0)
    yield dg.MaterializeResult(
        asset_key="jobs",
        metadata={
            "dagster/row_count": count,
            "by_category": chart(by_category),
            "by_status": chart(by_status),
            "by_status_reason": chart(by_reason),
            "sample": shown(some),
        },
    )
    yield dg.MaterializeResult(
        asset_key="job_postings",
        metadata={
            "dagster/row_count": rows,
            "duplicates_merged": duplicates,
            "reposts": reposts,
            "by_rule": chart(by_rule),
            "sample_of_merges": shown(merges),
        },
    )
    yield checks.ids_are_unique(count, ids)
    yield checks.every_posting_has_one_job(rows, postings, orphans.item())
