"""One row to publish for each cluster of postings: which posting speaks for the job in what."""

from __future__ import annotations

import hashlib

import dataframely as dy
import polars as pl

from pipeline.transform.deduplication.apply_url import employers_urls
from pipeline.transform.lifecycle import LifecyclePolicy, job_status
from pipeline.transform.schema import Job, JobPosting

_UNPUBLISHED = ("content_hash", "review_at", "is_retired")
_CENTS = ["salary_min", "salary_max"]
_UNIT, _RECORD, _NULL = "\x1f", "\x1e", "\x00"


def build_jobs(postings: dy.DataFrame[JobPosting], policy: LifecyclePolicy) -> dy.DataFrame[Job]:
    """The jobs of the postings, sorted by ``job_id``.

    - ``source`` and ``source_url``: of the posting that founded the job, whose id it bears.
    - ``title``, ``description``, ``category`` and the company's spelling: of the posting with the
      best text (whole over snippet over none; then the one seen first).
    - ``city``, ``region``, ``country``: together, of the posting that says most of them.
    - salary: together, the employer's over an estimate.
    - ``apply_url``: an employer's requisition, wherever a posting names one, over other addresses.
    - ``posted_at``: the earliest date of those that are exact, else of the approximate ones.
    - ``first_seen_at`` is the earliest, ``expires_at`` the latest;
      ``remote`` if any says so; ``skills`` and ``tags`` of all, sorted.
    - ``status``, its reason and ``closed_at``: as :func:`pipeline.transform.lifecycle.job_status`
      tells them.
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
            *[pl.col(name).first() for name in ("source", "source_url", "first_seen_at")],
            *[
                pl.col(name).sort_by("_text", maintain_order=True).first()
                for name in (
                    "title", "description", "description_is_snippet", "category", "category_reason",
                )
            ],
            *[
                pl.col(name).sort_by("_text", maintain_order=True).drop_nulls().first()
                for name in ("company", "employment_type")
            ],
            *[
                pl.col(name).sort_by("_place", maintain_order=True).first()
                for name in ("city", "region", "country")
            ],
            *[
                pl.col(name).sort_by("_salary", maintain_order=True).first()
                for name in (
                    "salary_min", "salary_max", "salary_currency", "salary_period",
                    "salary_is_predicted",
                )
            ],
            pl.coalesce(
                pl.col(name).drop_nulls().first() for name in ("_employers_url", "_any_url")
            ).alias("apply_url"),
            pl.col("remote").any(),
            *[
                pl.col(name).sort_by("_date", "posted_at", nulls_last=True).first()
                for name in ("posted_at", "posted_at_is_approximate")
            ],
            pl.col("expires_at").max(),
            *[
                pl.col(name).list.explode(empty_as_null=False).unique().sort()
                for name in ("tags", "skills")
            ],
            sources=pl.col("source").unique().sort(),
            posting_count=pl.len().cast(pl.Int64),
        )
        .join(job_status(postings.lazy(), policy), on="job_id", how="left")
        .sort("job_id")
        .collect()
    )  # fmt: skip
    return Job.validate(with_content_hash(jobs).select(Job.column_names()), cast=False)


def with_content_hash(jobs: pl.DataFrame) -> pl.DataFrame:
    """The jobs with ``content_hash``: 128 bits of BLAKE2b over a canonical writing of all other
    published columns of ``Job``, the same in each process and each version of Polars. Salaries
    count in cents, as they are published."""
    written = jobs.select(
        pl.concat_str([_written(name, jobs.schema[name]) for name in Job.column_names()
                       if name not in _UNPUBLISHED], separator=_RECORD)
    ).to_series()  # fmt: skip
    hashes = [hashlib.blake2b(text.encode(), digest_size=16).hexdigest() for text in written]
    return jobs.with_columns(content_hash=pl.Series(hashes, dtype=pl.String))


def _written(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if name in _CENTS:
        column = (column * 100).round().cast(pl.Int64)
    elif dtype == pl.Boolean:
        column = column.cast(pl.Int8)
    elif isinstance(dtype, pl.Datetime):
        column = column.dt.epoch("us")
    elif isinstance(dtype, pl.List):
        column = column.list.join(_UNIT)
    return column.cast(pl.String).fill_null(_NULL)
