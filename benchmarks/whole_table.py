"""The plain ways to do a tick's work, which read, deduplicate and write the whole table each time.

Both do less than the pipeline: titles, companies and cities are put in lower case, the first
posting of each three is kept, and the result, with when each job first appeared and how many
changed, goes to a local file without any index. No markup is removed, no role is recognised, no
text is compared, and nothing can be searched.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

POSTINGS = """
    select 'jsearch_' || source_id as posting_id, job_title as title, employer_name as company,
        job_city as city, job_country as country, job_description as description,
        job_apply_link as apply_url, job_min_salary::double as salary_min,
        job_posted_at_datetime_utc as posted_at, first_seen_at, last_seen_at
    from jsearch.staging.postings
    union all
    select 'adzuna_' || source_id, title, company ->> '$.display_name', location ->> '$.area[2]',
        upper(_country), description, redirect_url, salary_min, created, first_seen_at, last_seen_at
    from adzuna.staging.postings
"""
"""The common columns of both sources' snapshots."""


def duckdb_sql(snapshots: Path, published: Path) -> int:
    """In SQL on DuckDB. Returns the number of jobs in the file ``published``."""
    with _attached(snapshots, str(published)) as connection:
        connection.execute(
            "create table if not exists jobs (key varchar, content ubigint, created_at timestamptz)"
        )
        connection.execute(f"""
            create or replace table jobs as
            with cleaned as (
                select *, trim(regexp_replace(lower(title), '[^a-z0-9+#]+', ' ', 'g')) || '|'
                    || trim(regexp_replace(lower(company), '( ltd| inc)?[^a-z0-9]*$', '')) || '|'
                    || coalesce(lower(city), '') as key
                from ({POSTINGS})
            ), first as (
                select *, hash(title, description, salary_min) as content from cleaned
                qualify row_number() over (partition by key order by first_seen_at, posting_id) = 1
            )
            select first.*, coalesce(known.created_at, first.first_seen_at) as created_at,
                known.key is null as is_new, known.content <> first.content as is_changed
            from first left join (select key, content, created_at from jobs) as known using (key)
        """)
        return int(connection.execute("select count(*) from jobs").fetchall()[0][0])


def pandas_frames(snapshots: Path, published: Path) -> int:
    """In pandas. Returns the number of jobs in the Parquet file ``published``."""
    import pandas as pd

    with _attached(snapshots, ":memory:") as connection:
        postings = connection.execute(POSTINGS).df()
    title = postings["title"].str.lower().str.replace(r"[^a-z0-9+#]+", " ", regex=True)
    company = postings["company"].str.lower()
    company = company.str.replace(r"( ltd| inc)?[^a-z0-9]*$", "", regex=True)
    city = postings["city"].fillna("").str.lower()
    postings["key"] = title.str.strip() + "|" + company.str.strip() + "|" + city
    jobs = postings.sort_values(["first_seen_at", "posting_id"]).drop_duplicates("key")
    content = pd.util.hash_pandas_object(jobs[["title", "description", "salary_min"]], index=False)
    jobs = jobs.assign(content=content, created_at=jobs["first_seen_at"])
    if published.exists():
        known = pd.read_parquet(published, columns=["key", "content", "created_at"])
        jobs = jobs.merge(known, on="key", how="left", suffixes=("", "_known"))
        jobs["is_changed"] = jobs["content"] != jobs.pop("content_known")
        jobs["created_at"] = jobs.pop("created_at_known").fillna(jobs["created_at"])
    draft = published.with_suffix(".draft")
    jobs.to_parquet(draft, index=False)
    draft.replace(published)
    return len(jobs)


def _attached(snapshots: Path, database: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(database)
    connection.execute("set enable_progress_bar = false")
    for source in ("jsearch", "adzuna"):
        connection.execute(f"attach '{snapshots / source}.duckdb' as {source} (read_only)")
    return connection
