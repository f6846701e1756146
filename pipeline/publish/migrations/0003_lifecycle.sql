-- When jobs close, reopen, are reposted and go.

alter table jobs add column reposted_at timestamptz;
comment on column jobs.status is 'open, likely_closed or closed: as the most open of its postings.';
comment on column jobs.closed_at is 'Since when no source shows it, or since when that is to be assumed; not when a run noticed.';
comment on column jobs.reposted_at is 'When its newest repost appeared.';

-- The postings of a job that was retired stay as evidence, so that the job is known again, with
-- its id and first_seen_at, when it reappears. Hence they may outlive the row of their job.
alter table job_postings drop constraint job_postings_job_id_fkey;
alter table job_postings
    add column merged_version bigint,
    add column status text not null default 'open',
    add column status_reason text not null default 'Its source shows it.',
    add column closed_at timestamptz,
    add column review_at timestamptz,
    add column repost_of text;
alter table job_postings
    alter column status drop default,
    alter column status_reason drop default;
comment on column job_postings.merged_version is 'The publish that joined it to its job, or last changed why.';
comment on column job_postings.review_at is 'The earliest time at which its status may change without its being seen.';
comment on column job_postings.repost_of is 'An earlier posting of the job that the same source and publisher no longer showed when this one appeared.';

-- When to look at a job again though nothing was read of it. A table of its own: review_at moves
-- whenever a posting is seen, and an index on it in jobs or job_postings would write their texts
-- and text indexes anew each time.
create table job_reviews (
    job_id    text primary key references jobs on delete cascade,
    review_at timestamptz not null
);
create index job_reviews_due on job_reviews (review_at);

-- The fetches that showed all that a source had to show: the evidence for closing by absence.
create table complete_fetches (
    source          text not null,
    fetched_at      timestamptz not null,
    reaches_back_to timestamptz,
    primary key (source, fetched_at)
);
comment on column complete_fetches.reaches_back_to is 'Older postings may have been pushed out by newer ones; null: none was.';

alter table publishes
    add column closed bigint not null default 0,
    add column reopened bigint not null default 0;
alter table publishes
    alter column closed drop default,
    alter column reopened drop default;
comment on column publishes.closed is 'Jobs that became closed.';
comment on column publishes.reopened is 'Jobs that were closed and are not any more.';
