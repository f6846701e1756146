"""The steps of a run after staging, without Dagster: each reads frames and PostgreSQL, calls the
pure functions of the transform, and leaves frames for the next step.

A run reads what staging loaded since the last publish and recomputes just the jobs that this can
change. When the rules of the transform have changed, when nothing is published yet, or on request,
it reads all of staging: the same functions over everything, in bounded memory.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dataframely as dy
import duckdb
import polars as pl
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.installation.settings import Settings
from pipeline.language_model.budget import Budget
from pipeline.language_model.fill import model_of, with_model_answers
from pipeline.publish import leases, state
from pipeline.publish.publish import Statistics, published_by
from pipeline.publish.publish import publish as publish_difference
from pipeline.run.frames import Frames
from pipeline.sources import SOURCES
from pipeline.staging import StagingError, snapshot_path
from pipeline.staging.read import BATCH_ROWS, batches
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.deduplication.partitions import partitions
from pipeline.transform.jobs import build_jobs
from pipeline.transform.lifecycle import LifecyclePolicy, with_status
from pipeline.transform.schema import (
    CompleteFetch,
    Job,
    JobPosting,
    KeyedPosting,
    Posting,
    RejectedPosting,
    SourceState,
)
from pipeline.transform.understanding.rates import Rates, in_use
from pipeline.transform.understanding.role import relevant
from pipeline.transform.understanding.understand import understand
from pipeline.transform.version import transform_version

log = logging.getLogger(__name__)


class RunPlan(SourceState):
    """What a run reads of each source, and the published state that it starts from: ``read_after``
    is the watermark of the source in it. A run that reads nothing still has one row a source."""

    read_after = dy.String(nullable=True)
    full_refresh = dy.Bool(nullable=False)
    transform_version = dy.String(nullable=False)
    base_version = dy.Int64(nullable=False, min=0)
    as_of = dy.Datetime(nullable=False, time_zone="UTC", time_unit="us")


class Published(dy.Schema):
    """The version that was published of a run's frames: one row."""

    version = dy.Int64(nullable=False, min=1)


@dataclass(frozen=True)
class Plan:
    """The part of :class:`RunPlan` that is the same for all sources."""

    full_refresh: bool
    transform_version: str
    base_version: int
    as_of: datetime


def version_of(settings: Settings, table: Rates) -> str:
    """The version of the transform with the parameters of this installation: the settings that
    decide results, and the day of the exchange rates."""
    return transform_version(
        settings.advert_half_life_days,
        settings.closed_retention_days,
        table.day.isoformat(),
        *model_of(settings),
    )


def read_staged(
    settings: Settings,
    connection: Connection[TupleRow],
    frames: Frames,
    run_id: str,
    *,
    full_refresh: bool = False,
) -> Plan:
    """Read and clean what staging holds since the last publish, or all of it.

    Writes the frames ``run_plan``, ``postings``, ``rejected_postings`` and ``complete_fetches``.

    Args:
        run_id: the run whose own postings count as fetched.

    Raises:
        StagingError: a snapshot cannot be read and everything had to be.
    """
    table = in_use(settings.data_dir)
    version = version_of(settings, table)
    plan = Plan(
        full_refresh or state.needs_full_refresh(connection, version),
        version,
        state.base_version(connection),
        datetime.now(UTC),
    )
    budget = Budget.of_run(settings)
    frames.remove("published")
    watermarks = state.watermarks(connection)
    known = (
        CompleteFetch.create_empty() if plan.full_refresh else state.complete_fetches(connection)
    )
    with (
        frames.writing("postings", Posting) as postings,
        frames.writing("rejected_postings", RejectedPosting) as rejected,
        frames.writing("complete_fetches", CompleteFetch) as complete_fetches,
        frames.writing("run_plan", RunPlan) as run_plan,
    ):
        for source in SOURCES.values():
            read_after = watermarks.get(source.name)
            try:
                if read_after is not None and not snapshot_path(settings, source.name).exists():
                    raise FileNotFoundError
                staged = batches(
                    source, settings, None if plan.full_refresh else read_after, run_id
                )
                for batch in staged.postings:
                    understood, not_understood = understand(batch, table)
                    postings.append(with_model_answers(understood, settings, budget))
                    rejected.append(not_understood)
                complete_fetches.append(staged.complete_fetches.join(
                    known, on=["source", "fetched_at"], how="anti"))  # fmt: skip
                source_state = staged.state
            except (duckdb.Error, FileNotFoundError) as error:
                if plan.full_refresh:
                    raise StagingError(
                        f"The snapshot of '{source.name}' cannot be read, so nothing is published: "
                        f"its jobs would vanish. Materialize raw_{source.name} to write it anew."
                    ) from error
                log.exception("the snapshot of %s cannot be read; its jobs stay as they are",
                              source.name)  # fmt: skip
                source_state = _unread(source.name, read_after)
            run_plan.append(
                source_state.with_columns(
                    read_after=pl.lit(read_after, pl.String),
                    full_refresh=pl.lit(plan.full_refresh),
                    transform_version=pl.lit(plan.transform_version),
                    base_version=pl.lit(plan.base_version, pl.Int64),
                    as_of=pl.lit(plan.as_of, pl.Datetime("us", "UTC")),
                )
            )
    if budget.counts:
        log.info("the language model's answers: %s", dict(budget.counts))
    return plan


def _unread(source: str, read_up_to: str | None) -> pl.DataFrame:
    row = dict.fromkeys(SourceState.column_names()) | {
        "source": source,
        "read_up_to": read_up_to,
        "staged": 0,
        "fetched": 0,
        "last_fetch_status": "failed",
        "last_fetch_reason": "Its snapshot cannot be read; materialize its raw asset to renew it.",
    }
    return pl.DataFrame([row], schema=SourceState.create_empty().schema)


def select_relevant(connection: Connection[TupleRow], frames: Frames) -> None:
    """Keep the postings of the roles that are published, with category, reason and block keys.

    Reads the frame ``postings``; writes ``relevant_postings``.
    """
    overrides = state.overrides(connection)
    with frames.writing("relevant_postings", KeyedPosting) as kept:
        for part in frames.parts("postings"):
            kept.append(with_blocking_keys(relevant(part), overrides))


def cluster(settings: Settings, connection: Connection[TupleRow], frames: Frames) -> None:
    """Find which postings advertise the same job, and which jobs are still open: of those that
    were read and those whose status is due, together with the published ones that share evidence
    with them.

    Reads ``relevant_postings`` and all before it; writes ``jobs`` and ``job_postings``, whose
    parts belong together pairwise.
    """
    frames.remove("jobs", "job_postings")
    overrides = state.overrides(connection)
    plan = _plan(frames)
    policy = LifecyclePolicy(
        plan.as_of,
        frozenset(name for name, source in SOURCES.items() if source.feed_window is not None),
        timedelta(days=settings.advert_half_life_days),
        timedelta(days=settings.closed_retention_days),
    )
    complete_fetches = frames.scan("complete_fetches").collect()
    if not plan.full_refresh:
        complete_fetches = pl.concat([state.complete_fetches(connection), complete_fetches])
    # A clock that ran ahead left fetches of the future, which would close what is seen until then.
    complete_fetches = complete_fetches.filter(pl.col("fetched_at") <= plan.as_of)
    with (
        frames.writing("jobs", Job) as jobs,
        frames.writing("job_postings", JobPosting) as job_postings,
    ):
        for partition in _partitions(connection, frames, overrides, plan):
            clustered = deduplicate(partition, overrides)
            members = with_status(clustered, complete_fetches, policy)
            jobs.append(build_jobs(members, policy))
            job_postings.append(members)


def _partitions(
    connection: Connection[TupleRow], frames: Frames, overrides: pl.DataFrame, plan: Plan
) -> Iterator[pl.DataFrame]:
    relevant = frames.scan("relevant_postings")
    if not plan.full_refresh:
        delta = relevant.collect()
        seen = seen_postings(frames)
        decided = state.decided_postings(connection, overrides, exclude=seen)
        delta = pl.concat([delta, with_blocking_keys(decided.drop("keys"), overrides)])
        known = pl.concat([seen.select("posting_id"), delta.select("posting_id")])
        delta = pl.concat([delta, state.due_postings(connection, plan.as_of, exclude=known)])
        yield pl.concat([delta, state.related(connection, delta, seen["posting_id"].to_list())])
        return
    of_posting = partitions(relevant.select("posting_id", "keys").collect(), BATCH_ROWS)
    yield from frames.split("relevant_postings", of_posting.rename({"partition": "group"}))


def publish(
    connection: Connection[TupleRow], frames: Frames, run_id: str, started_at: datetime
) -> Statistics:
    """Publish the difference, in one transaction. Publishing the same frames again changes
    nothing; a run that has published, and did not hear of it, is told what it published.

    Writes the frame ``published``, from which a run that goes on from these frames knows that
    what is published is what it wants to change.

    Raises:
        SupersededError: another run has taken over.
        PublishConflictError: something else was published since ``read_staged``.
    """
    token = leases.token_of(connection, run_id)
    if (published := published_by(connection, run_id)) is not None:
        if not frames.has("published"):
            _write_published(frames, published.version)
        return published
    plan = _plan(frames)
    base_version = plan.base_version
    if frames.has("published"):
        base_version = frames.scan("published").collect().item()
    result = publish_difference(
        connection,
        zip(frames.parts("jobs"), frames.parts("job_postings"), strict=True),
        seen=seen_postings(frames),
        rejected=frames.scan("rejected_postings").collect(),
        source_states=frames.scan("run_plan")
        .select(*SourceState.column_names(), "read_after")
        .collect(),
        complete_fetches=frames.scan("complete_fetches").collect(),
        sources=SOURCES,
        base_version=base_version,
        token=token,
        run_id=run_id,
        started_at=started_at,
        full_refresh=plan.full_refresh,
        transform_version=plan.transform_version,
    )
    _write_published(frames, result.version)
    return result


def _write_published(frames: Frames, version: int) -> None:
    with frames.writing("published", Published) as published:
        published.append(pl.DataFrame({"version": [version]}))


def seen_postings(frames: Frames) -> pl.DataFrame:
    """Every posting that was read, whatever became of it: ``posting_id``, and of those that are no
    job in technology ``title`` and ``reason``, of others null."""
    is_other = pl.col("category").is_null()
    understood = frames.scan("postings").select(
        "posting_id",
        title=pl.when(is_other).then("title"),
        reason=pl.when(is_other).then("category_reason"),
    )
    rejected = frames.scan("rejected_postings").select(
        posting_id=pl.concat_str("source", "source_id", separator="_"),
        title=pl.lit(None, pl.String),
        reason=pl.lit(None, pl.String),
    )
    return pl.concat([understood, rejected]).unique("posting_id", keep="first").collect()


def _plan(frames: Frames) -> Plan:
    row = frames.scan("run_plan").head(1).collect().row(0, named=True)
    return Plan(*(row[name] for name in Plan.__dataclass_fields__))
