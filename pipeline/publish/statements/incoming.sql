-- What a publish brings, for the length of its transaction.

create temp table incoming_fetches (like complete_fetches) on commit drop;

create temp table incoming_rejected (like rejected_postings) on commit drop;

create temp table incoming_sources (like sources) on commit drop;
alter table incoming_sources
    alter column title drop not null,
    alter column attribution drop not null,
    add column read_after text;

-- The postings that this run read, whatever became of them; title and reason of those that are no
-- job in technology.
create temp table seen_postings (
    posting_id text not null,
    title text,
    reason text
) on commit drop;

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
