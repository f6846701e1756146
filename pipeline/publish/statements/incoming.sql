-- What a publish brings, for the length of its transaction.

create temp table incoming_jobs (like jobs) on commit drop;
alter table incoming_jobs
    drop column updated_at,
    drop column created_version,
    drop column changed_version,
    drop column search,
    add column review_at timestamptz,
    add column is_retired boolean not null;

create temp table incoming_postings (like job_postings) on commit drop;
alter table incoming_postings drop column merged_version;

create temp table incoming_fetches (like complete_fetches) on commit drop;

create temp table incoming_rejected (like rejected_postings) on commit drop;

create temp table incoming_sources (like sources) on commit drop;
alter table incoming_sources
    alter column title drop not null,
    alter column attribution drop not null,
    add column read_after text;

-- The postings that this run read, whatever became of them.
create temp table seen_postings (posting_id text not null) on commit drop;

-- The postings that belong to a job after this publish.
create temp table kept_postings (posting_id text not null) on commit drop;

-- The jobs that this publish brings.
create temp table new_jobs (job_id text not null) on commit drop;

-- The postings that leave the job they are published under, and where they go (null: nowhere).
create temp table moved_postings (
    posting_id text not null,
    old_job_id text not null,
    new_job_id text
) on commit drop;
