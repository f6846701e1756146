"""One row to publish for each cluster of postings: which posting speaks for the job in what."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import dataframely as dy
import polars as pl

from pipeline.declaration import OfJob
from pipeline.fields import of_jobs
from pipeline.transform.deduplication.apply_url import employers_urls
from pipeline.transform.lifecycle import LifecyclePolicy, job_status
from pipeline.transform.schema import Job, JobPosting

_TAKEN: dict[OfJob, Callable[[pl.Expr], pl.Expr]] = {
    OfJob.FOUNDING: lambda column: column.first(),
    OfJob.BEST_TEXT: lambda column: column.sort_by("_text", maintain_order=True).first(),
    OfJob.BEST_TEXT_THAT_HAS_IT: lambda column: (
        column.sort_by("_text", maintain_order=True).drop_nulls().first()
    ),
    OfJob.BEST_PLACE: lambda column: column.sort_by("_place", maintain_order=True).first(),
    OfJob.BEST_SALARY: lambda column: column.sort_by("_salary", maintain_order=True).first(),
    OfJob.BEST_DATE: lambda column: column.sort_by("_date", "posted_at", nulls_last=True).first(),
    OfJob.LATEST: lambda column: column.max(),
    OfJob.ANY: lambda column: column.any(),
    OfJob.UNION: lambda column: column.list.explode(empty_as_null=False).unique().sort(),
}
"""Of the postings of a job, in the order in which they were first seen."""


def build_jobs(postings: dy.DataFrame[JobPosting], policy: LifecyclePolicy) -> dy.DataFrame[Job]:
    """The jobs of the postings, sorted by ``job_id``.

    Each field is taken as :mod:`pipeline.fields` declares. What is declared as computed:

    - ``apply_url``: an employer's requisition, wherever a posting names one, over other addresses;
    - ``status``, its reason, ``closed_at`` and ``reposted_at``: as
      :func:`pipeline.transform.lifecycle.job_status` tells them;
    - ``sources`` and ``posting_count``: of all postings.
    """
    has_text = pl.col("description").is_not_null()
    ranked = postings.with_columns(
        _text=pl.when(has_text & ~pl.col("description_is_snippet"))
        .then(0)
        .when(has_text)
        .then(1)
        .otherwise(2),
        _place=pl.col("city").is_null().cast(pl.Int8) * 4
        + pl.col("country").is_null().cast(pl.Int8) * 2
        + pl.col("region").is_null().cast(pl.Int8),
        _salary=pl.when(pl.col("salary_min").is_null() & pl.col("salary_max").is_null())
        .then(2)
        .otherwise(pl.col("salary_is_predicted").cast(pl.Int32)),
        _date=pl.when(pl.col("posted_at").is_not_null()).then(
            pl.col("posted_at_is_approximate").cast(pl.Int32)
        ),
        _employers_url=pl.when(
            pl.col("keys").list.eval(pl.element().str.starts_with("requisition ")).list.any()
        )
        .then(pl.concat_list(pl.concat_list("apply_url").list.drop_nulls(), "apply_urls"))
        .otherwise(pl.lit([], dtype=pl.List(pl.String)))
        .map_batches(employers_urls, return_dtype=pl.String),
        _any_url=pl.coalesce("apply_url", pl.col("apply_urls").list.first()),
    ).sort("first_seen_at", "posting_id")
    jobs = (
        ranked.lazy()
        .group_by("job_id", maintain_order=True)
        .agg(
            *_taken(),
            pl.coalesce(
                pl.col(name).drop_nulls().first() for name in ("_employers_url", "_any_url")
            ).alias("apply_url"),
            sources=pl.col("source").unique().sort(),
            posting_count=pl.len().cast(pl.Int64),
        )
        .join(job_status(postings.lazy(), policy), on="job_id", how="left")
        .select(Job.column_names())
        .sort("job_id")
        .collect()
    )
    return Job.validate(jobs, cast=False)


def _taken() -> Iterator[pl.Expr]:
    for field in of_jobs():
        if field.job in _TAKEN:
            yield _TAKEN[field.job](pl.col(field.name))
