"""The flow as Dagster assets. Each asset calls one step and says what an operator wants to know."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl
from dagster_dlt import DagsterDltResource, DagsterDltTranslator
from dagster_dlt.translator import DltResourceTranslatorData
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.extract.drift import UNKNOWN
from pipeline.installation import database
from pipeline.installation.logs import harmless
from pipeline.installation.settings import Settings
from pipeline.orchestration.metadata import chart, counted, sample, table
from pipeline.publish import leases
from pipeline.publish.statistics import COUNTS
from pipeline.publish.text_index import ensure_text_index
from pipeline.run import reconciliation, steps
from pipeline.run.frames import Frames, FramesOfRuns
from pipeline.sources import SOURCES, Source
from pipeline.staging import StagingError, snapshot_path
from pipeline.staging.fetches import SUDDENLY_FEW, usual_rows
from pipeline.staging.history import Fetch
from pipeline.staging.load import load

OWNERS = ["team:job-market"]
SCHEDULE_TAG = "dagster/schedule_name"
MAX_REJECTED_SHARE = 0.2
"""Above this, a source has more likely changed than sent that many unusable postings."""

COUNTED_EACH_RUN = 100_000
"""A larger table is counted in full refreshes only: a run's cost follows what changed."""
REFUSED_SHOWN = 20

_RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

SettingsResource = dg.ResourceParam[Settings]
FramesResource = dg.ResourceParam[FramesOfRuns]


@contextmanager
def _leased(
    context: dg.AssetExecutionContext, settings: Settings
) -> Iterator[Connection[TupleRow]]:
    """A connection of this run, which has the lease. Where another run has it, this one fails at
    once: trying again would not help."""

    def is_in_progress(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and not run.is_finished

    with database.connect(settings) as connection:
        try:
            leases.take(connection, context.run.run_id, is_in_progress)
        except (leases.RunInProgressError, leases.SupersededError) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        yield connection


def _frames(
    context: dg.AssetExecutionContext, connection: Connection[TupleRow], frames: FramesOfRuns
) -> Frames:
    """The frames of this run. One that begins later than with reading goes on from those of the
    run that it repeats, otherwise of the run before it; a publish refuses outdated ones."""
    run = context.run
    earlier = (run.parent_run_id, run.root_run_id, leases.run_before(connection, run.run_id))
    return frames.of(run.run_id, [run_id for run_id in earlier if run_id is not None])


def _api_key(source: Source) -> dg.AssetKey:
    return dg.AssetKey(["api", source.name])


def _raw_key(source: Source) -> dg.AssetKey:
    return dg.AssetKey(f"raw_{source.name}")


def api_spec(source: Source) -> dg.AssetSpec:
    """The API that a source's postings come from; Dagster shows it, but does not run it."""
    return dg.AssetSpec(
        _api_key(source),
        group_name="sources",
        kinds={"api"},
        owners=OWNERS,
        description=f"The API of {source.title}. Its terms ask for: {source.attribution}",
    )


class _RawTranslator(DagsterDltTranslator):
    def __init__(self, key: dg.AssetKey) -> None:
        self._key = key

    def get_asset_spec(self, data: DltResourceTranslatorData) -> dg.AssetSpec:
        return super().get_asset_spec(data).replace_attributes(key=self._key)


def raw_asset(source: Source) -> dg.AssetsDefinition:
    """The staging table of one source."""
    key = _raw_key(source)

    @dg.asset(
        key=key,
        group_name="staging",
        kinds={"dlt", "duckdb"},
        owners=OWNERS,
        deps=[_api_key(source)],
        retry_policy=_RETRIES,
        description=(
            f"One row a posting of {source.title}, as it was sent, merged on its own id by dlt "
            "into a DuckDB file; a read-only snapshot is swapped in after each load. When the "
            "source fails, its earlier postings stay and the check `source_answered` says why."
        ),
        check_specs=[
            dg.AssetCheckSpec("source_answered", asset=key,
                              description="The source answered completely, or was not asked."),
            dg.AssetCheckSpec("not_suddenly_few", asset=key,
                              description="About as many postings as in the fetches before."),
            dg.AssetCheckSpec("as_declared", asset=key,
                              description="The answer's envelope, fields and types are those "
                              "that the source's file declares."),
        ],
    )  # fmt: skip
    def raw(
        context: dg.AssetExecutionContext, settings: SettingsResource, dlt: DagsterDltResource
    ) -> dg.MaterializeResult:
        loaded: dict[str, Any] = {}
        with _leased(context, settings):
            pass  # No source is asked twice at once.

        def run(pipeline: Any, dlt_source: Any) -> None:
            events = dlt.run(
                context=context,
                dlt_source=dlt_source,
                dlt_pipeline=pipeline,
                dagster_dlt_translator=_RawTranslator(key),
            )
            for event in events:
                loaded.update(event.metadata or {})

        try:
            fetch = load(
                source,
                source.settings.load(),
                settings,
                context.run.run_id,
                respect_cadence=SCHEDULE_TAG in context.run.tags,
                run=run,
            )
        except StagingError as error:
            if context.retry_number < _RETRIES.max_retries:
                raise
            now = datetime.now(UTC)
            fetch = Fetch(source.name, context.run.run_id, now, now, "failed", str(error))
        if fetch.reason:
            context.log.warning(harmless(fetch.reason))
        return dg.MaterializeResult(
            metadata=_fetch_metadata(fetch, source, settings) | _of_dlt(loaded),
            check_results=_fetch_checks(fetch, settings),
        )

    return raw


def _fetch_metadata(fetch: Fetch, source: Source, settings: Settings) -> dict[str, Any]:
    snapshot = snapshot_path(settings, source.name)
    metadata: dict[str, Any] = {
        "status": fetch.status,
        "rows": fetch.rows,
        "new_rows": fetch.new_rows,
        "requests": fetch.requests,
        "seconds": round((fetch.finished_at - fetch.started_at).total_seconds(), 1),
        "snapshot": dg.MetadataValue.path(str(snapshot)),
        "query": dg.MetadataValue.md(
            f"```sql\nattach '{snapshot}' as {source.name} (read_only);\n"
            f"from {source.name}.staging.postings order by last_seen_at desc limit 20;\n```"
        ),
    }
    if fetch.reason:
        metadata["reason"] = harmless(fetch.reason)
    if fetch.quota_left is not None:
        metadata["requests_left_in_quota"] = fetch.quota_left
    if fetch.pending:
        metadata["pending_load"] = harmless(fetch.pending)
    if fetch.drift:
        drift = [(d.field, d.what, d.count, d.example, d.is_new) for d in fetch.drift]
        metadata["schema_drift"] = table(["field", "what", "postings", "example", "new"], drift)
    return metadata


def _of_dlt(loaded: dict[str, Any]) -> dict[str, Any]:
    names = ("dagster/column_schema", "rows_loaded", "first_run")
    return {f"dlt/{name.split('/')[-1]}" if "/" not in name else name: loaded[name]
            for name in names if name in loaded}  # fmt: skip


def _fetch_checks(fetch: Fetch, settings: Settings) -> list[dg.AssetCheckResult]:
    usual = usual_rows(fetch.source, settings, fetch.run_id)
    few = fetch.status == "ok" and usual is not None and fetch.rows < SUDDENLY_FEW * usual
    told = [drift for drift in fetch.drift if drift.is_new or drift.concerns_all]
    severity = dg.AssetCheckSeverity
    return [
        dg.AssetCheckResult(
            check_name="source_answered",
            passed=fetch.status in ("ok", "skipped"),
            severity=severity.WARN if fetch.status == "partial" else severity.ERROR,
            metadata={"reason": harmless(fetch.reason)} if fetch.reason else {},
        ),
        dg.AssetCheckResult(
            check_name="not_suddenly_few",
            passed=not few,
            severity=severity.WARN,
            metadata={"rows": fetch.rows, "usual_rows": usual if usual is not None else "unknown"},
        ),
        dg.AssetCheckResult(
            check_name="as_declared",
            passed=not told,
            severity=severity.ERROR if any(d.concerns_all for d in told) else severity.WARN,
            # The names of unknown fields are the source's words, which a description would render.
            description="; ".join(f"{d.field}: {d.what}" for d in told if d.what != UNKNOWN)
            or None,
            metadata={"differences": table(["field", "what"], [[d.field, d.what] for d in told])},
        ),
    ]


class ReadConfig(dg.Config):
    """How much of staging to read."""

    full_refresh: bool = False


@dg.multi_asset(
    name="read_staged",
    specs=[
        dg.AssetSpec(
            "postings",
            deps=[_raw_key(source) for source in SOURCES.values()],
            group_name="transform",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            description=(
                "The postings that staging holds since the last publish, cleaned: text without "
                "markup, one vocabulary of employment types and countries, times in UTC, salaries, "
                "skills. Everything instead, when the rules have changed or `full_refresh` is set."
            ),
        ),
        dg.AssetSpec(
            "rejected_postings",
            deps=[_raw_key(source) for source in SOURCES.values()],
            group_name="transform",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            description="The postings that cannot be understood, whole, with the reason.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "few_rejected",
            asset="postings",
            description=f"At most {MAX_REJECTED_SHARE:.0%} of a source's postings were rejected.",
        )
    ],
    retry_policy=_RETRIES,
)
def read_staged(
    context: dg.AssetExecutionContext,
    config: ReadConfig,
    settings: SettingsResource,
    frames: FramesResource,
) -> tuple[dg.MaterializeResult, dg.MaterializeResult]:
    with _leased(context, settings) as connection:
        own = frames.begin(context.run.run_id)
        plan = steps.read_staged(
            settings, connection, own, context.run.run_id, full_refresh=config.full_refresh
        )
    postings, rejected = own.scan("postings"), own.scan("rejected_postings")
    by_source = counted(postings, "source")
    rejects = counted(rejected, "source")
    worst = (
        by_source.join(rejects, on="source", how="full", coalesce=True, suffix="_rejected")
        .fill_null(0)
        .with_columns(share=pl.col("rows_rejected") / (pl.col("rows") + pl.col("rows_rejected")))
    )
    too_many = worst.filter(pl.col("share") > MAX_REJECTED_SHARE)["source"].to_list()
    return dg.MaterializeResult(
        asset_key="postings",
        metadata={
            "dagster/row_count": int(by_source["rows"].sum()),
            "full_refresh": plan.full_refresh,
            "transform_version": plan.transform_version,
            "by_source": chart(by_source),
            "by_country": chart(counted(postings, "country").head(15)),
            "sample": sample(
                postings, "posting_id", "title", "company", "city", "country", "skills"
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key="postings",
                check_name="few_rejected",
                passed=not too_many,
                severity=dg.AssetCheckSeverity.WARN,
                description=f"Too many of: {', '.join(too_many)}" if too_many else None,
            )
        ],
    ), dg.MaterializeResult(
        asset_key="rejected_postings",
        metadata={
            "dagster/row_count": int(rejects["rows"].sum()),
            "by_reason": chart(counted(rejected, "reason")),
            "sample": sample(rejected, "source", "source_id", "reason", "raw"),
        },
    )


@dg.asset(
    deps=["postings"],
    group_name="transform",
    kinds={"polars", "parquet"},
    owners=OWNERS,
    retry_policy=_RETRIES,
    description=(
        "The postings of backend, DevOps, SRE, cloud and platform roles, with the category, the "
        "rule that says so, and the keys under which duplicates are looked for."
    ),
)
def relevant_postings(
    context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
) -> dg.MaterializeResult:
    with _leased(context, settings) as connection:
        own = _frames(context, connection, frames)
        steps.select_relevant(connection, own)
    relevant = own.scan("relevant_postings")
    by_category = counted(relevant, "category")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": int(by_category["rows"].sum()),
            "by_category": chart(by_category),
            "by_source": chart(counted(relevant, "source")),
            "by_reason": chart(counted(relevant, "category_reason").head(20)),
            "sample": sample(relevant, "title", "company", "category", "category_reason"),
        }
    )


@dg.multi_asset(
    name="cluster",
    specs=[
        dg.AssetSpec(
            "jobs",
            deps=["relevant_postings", "rejected_postings"],
            group_name="transform",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            description=(
                "The openings that this run adds or may have changed: one row for all postings "
                "that advertise the same one."
            ),
        ),
        dg.AssetSpec(
            "job_postings",
            deps=["relevant_postings", "rejected_postings"],
            group_name="transform",
            kinds={"polars", "parquet"},
            owners=OWNERS,
            description="Which posting belongs to which job: the rule, its evidence and its score.",
        ),
    ],
    check_specs=[
        dg.AssetCheckSpec("ids_are_unique", asset="jobs"),
        dg.AssetCheckSpec("every_posting_has_one_job", asset="job_postings"),
    ],
    retry_policy=_RETRIES,
)
def cluster(
    context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
) -> tuple[dg.MaterializeResult, dg.MaterializeResult]:
    with _leased(context, settings) as connection:
        own = _frames(context, connection, frames)
        steps.cluster(settings, connection, own)
    jobs, members = own.scan("jobs"), own.scan("job_postings")
    merged = members.filter(pl.col("merge_rule") != "first")
    count = jobs.select(pl.len(), pl.col("job_id").n_unique().alias("ids")).collect().row(0)
    of_postings = members.select(pl.len(), pl.col("posting_id").n_unique()).collect().row(0)
    orphans = members.join(jobs, on="job_id", how="anti").select(pl.len()).collect().item()
    return dg.MaterializeResult(
        asset_key="jobs",
        metadata={
            "dagster/row_count": count[0],
            "by_category": chart(counted(jobs, "category")),
            "by_status": chart(counted(jobs, "status")),
            "by_status_reason": chart(counted(jobs, "status_reason").head(20)),
            "sample": sample(jobs, "job_id", "title", "company", "country", "posting_count"),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key="jobs", check_name="ids_are_unique", passed=count[0] == count[1]
            )
        ],
    ), dg.MaterializeResult(
        asset_key="job_postings",
        metadata={
            "dagster/row_count": of_postings[0],
            "duplicates_merged": merged.select(pl.len()).collect().item(),
            "reposts": members.select(pl.col("repost_of").count()).collect().item(),
            "by_rule": chart(counted(members, "merge_rule")),
            "sample_of_merges": sample(
                merged, "posting_id", "job_id", "merge_rule", "merge_evidence", "merge_score"
            ),
        },
        check_results=[
            dg.AssetCheckResult(
                asset_key="job_postings",
                check_name="every_posting_has_one_job",
                passed=of_postings[0] == of_postings[1] and orphans == 0,
            )
        ],
    )


def published_asset(settings: Settings) -> dg.AssetsDefinition:
    """The table that the API serves."""
    late = timedelta(minutes=2 * settings.ingestion_interval_minutes + settings.max_run_minutes)

    @dg.asset(
        name="published_jobs",
        deps=["jobs", "job_postings"],
        group_name="publish",
        kinds={"postgres", "table"},
        owners=OWNERS,
        retry_policy=_RETRIES,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=late),
        description=(
            "The table `jobs` that the API serves, with `job_postings`, `rejected_postings` and "
            "`sources`. One transaction: readers see the state before it or after it. Only rows "
            "that differ are written."
        ),
        check_specs=[
            dg.AssetCheckSpec("nothing_refused", asset="published_jobs",
                              description="PostgreSQL accepted every job."),
            dg.AssetCheckSpec("nothing_lost", asset="published_jobs",
                              description="Each posting that staging holds is published, rejected "
                              "or of another role; compared in full refreshes, once a day, and "
                              "while staging is small. Lost ones are read again by the next run."),
            dg.AssetCheckSpec("total_is_exact", asset="published_jobs",
                              description="The published total is the number of rows; counted "
                              "in full refreshes and while the table is small."),
        ],
    )  # fmt: skip
    def published_jobs(
        context: dg.AssetExecutionContext, settings: SettingsResource, frames: FramesResource
    ) -> dg.MaterializeResult:
        began = context.instance.get_run_stats(context.run.run_id).start_time
        started_at = datetime.fromtimestamp(began, UTC) if began else datetime.now(UTC)
        with _leased(context, settings) as connection:
            own = _frames(context, connection, frames)
            result = steps.publish(connection, own, context.run.run_id, started_at)
            ensure_text_index(connection)
            lost = []
            if reconciliation.is_due(connection, result):
                lost = reconciliation.unaccounted(settings, connection)
                reconciliation.read_again(connection, lost)
            by_category = None
            if result.full_refresh or result.total <= COUNTED_EACH_RUN:
                by_category = connection.execute(
                    "select category, count(*) from jobs group by 1 order by 2 desc"
                ).fetchall()
        fetched = pl.DataFrame(
            list(result.fetched.items()), {"source": pl.String, "postings": pl.Int64}, orient="row"
        )
        refused = list(result.refused.items())[:REFUSED_SHOWN]
        counts: dict[str, Any] = {}
        rows = result.total
        if by_category is not None:
            rows = sum(jobs for _, jobs in by_category)
            categories = pl.DataFrame(
                by_category, {"category": pl.String, "jobs": pl.Int64}, orient="row"
            )
            counts["jobs_by_category"] = chart(categories)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": rows,
                "version": result.version,
                "fetched_by_source": chart(fetched),
                **counts,
                **{name: getattr(result, name) for name in COUNTS if name != "total"},
                "full_refresh": result.full_refresh,
                "seconds": round(result.duration_seconds, 1),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="nothing_refused",
                    passed=not result.refused,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"refused": table(["job", "reason"], refused)},
                ),
                dg.AssetCheckResult(
                    check_name="nothing_lost",
                    passed=not lost,
                    metadata={
                        "lost": table(
                            ["source", "postings", "first"],
                            [(one.source, one.count, list(one.examples)) for one in lost],
                        )
                    },
                ),
                dg.AssetCheckResult(check_name="total_is_exact", passed=rows == result.total),
            ],
        )

    return published_jobs
