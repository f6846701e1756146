create extension if not exists pg_trgm;

-- The tables of Dagster's own storage, which creates them itself.
create schema if not exists dagster;

create function array_text(words text[]) returns text
    language sql immutable strict parallel safe
    return array_to_string(words, ' ');

-- One row a publish; version is the number of the state that readers see.
create table publishes (
    version           bigint generated always as identity primary key,
    run_id            text not null,
    started_at        timestamptz not null,
    finished_at       timestamptz not null,
    duration_seconds  double precision not null,
    full_refresh      boolean not null,
    transform_version text not null,
    fetched           jsonb not null,
    new               bigint not null,
    updated           bigint not null,
    removed           bigint not null,
    skipped           bigint not null,
    irrelevant        bigint not null,
    rejected          bigint not null,
    total             bigint not null
);
comment on column publishes.full_refresh is 'Everything was computed anew from staging, not only what changed.';
comment on column publishes.transform_version is 'Which rules computed it: when they change, the next run refreshes everything.';
comment on column publishes.fetched is 'Postings that this run fetched, by source.';
comment on column publishes.new is 'Jobs that were not published before.';
comment on column publishes.updated is 'Jobs of which a published column changed.';
comment on column publishes.removed is 'Jobs that are no longer published.';
comment on column publishes.skipped is 'Fetched, relevant postings that brought no new job: known already, or a duplicate.';
comment on column publishes.irrelevant is 'Fetched postings of other roles.';
comment on column publishes.rejected is 'Fetched postings that could not be understood.';
comment on column publishes.total is 'Jobs published after this publish.';
create index publishes_run_id on publishes (run_id);

-- One row an opening. Written by pipeline/publish, read by serving/.
create table jobs (
    job_id                 text primary key,
    source                 text not null,
    sources                text[] not null,
    title                  text not null,
    company                text,
    description            text,
    description_is_snippet boolean not null,
    tags                   text[] not null,
    skills                 text[] not null,
    category               text not null,
    category_reason        text not null,
    city                   text,
    region                 text,
    country                text check (country ~ '^[A-Z]{2}$'),
    remote                 boolean not null,
    employment_type        text,
    salary_min             numeric(14, 2),
    salary_max             numeric(14, 2),
    salary_currency        text,
    salary_period          text,
    salary_is_predicted    boolean not null,
    apply_url              text,
    source_url             text,
    posted_at              timestamptz,
    expires_at             timestamptz,
    first_seen_at          timestamptz not null,
    updated_at             timestamptz not null,
    status                 text not null,
    status_reason          text not null,
    closed_at              timestamptz,
    posting_count          bigint not null,
    content_hash           text not null,
    created_version        bigint not null,
    changed_version        bigint not null,
    search                 tsvector not null generated always as (
        setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', coalesce(company, '')), 'B')
        || setweight(to_tsvector('english', array_text(skills) || ' ' || array_text(tags)), 'C')
        || setweight(to_tsvector('english', coalesce(description, '')), 'D')
    ) stored
) with (toast_tuple_target = 256);
-- Texts lie beside the rows, so that counting the matches of a frequent term reads a fifth.
comment on column jobs.updated_at is 'When a publish last changed this row.';
comment on column jobs.sources is 'The sources of all postings of the job, sorted.';
comment on column jobs.created_version is 'The publish that brought the job.';
comment on column jobs.changed_version is 'The publish that last changed this row.';

create index jobs_search on jobs using gin (search);
create index jobs_title_trigram on jobs using gin (title gin_trgm_ops);
create index jobs_sources on jobs using gin (sources);
create index jobs_newest on jobs (posted_at desc nulls last, job_id);
create index jobs_employment_type on jobs (employment_type, posted_at desc nulls last, job_id);
create index jobs_remote on jobs (posted_at desc nulls last, job_id) where remote;
create index jobs_category on jobs (category);
create index jobs_country on jobs (country);
create index jobs_changed_version on jobs (changed_version, job_id);

-- Jobs that are no longer published, so that a mirror can drop them.
create table removed_jobs (
    job_id          text primary key,
    removed_version bigint not null,
    removed_at      timestamptz not null,
    merged_into     text
);
comment on column removed_jobs.merged_into is 'The job that its postings belong to now, if any.';
create index removed_jobs_version on removed_jobs (removed_version, job_id);

-- Every posting of every job: where to apply, why it was merged, and all that is needed to
-- deduplicate again when a posting that shares a key with it changes. last_seen_at moves with
-- every run, so it lives here, in no index, and not in jobs, where it would rewrite the text
-- indexes: https://www.postgresql.org/docs/current/storage-hot.html
create table job_postings (
    posting_id             text primary key,
    job_id                 text not null references jobs on delete cascade deferrable initially deferred,
    source                 text not null,
    source_id              text not null,
    title                  text not null,
    company                text,
    description            text,
    description_is_snippet boolean not null,
    tags                   text[] not null,
    skills                 text[] not null,
    location_text          text,
    city                   text,
    region                 text,
    country                text,
    remote                 boolean not null,
    employment_type        text,
    salary_min             double precision,
    salary_max             double precision,
    salary_currency        text,
    salary_period          text,
    salary_is_predicted    boolean not null,
    publisher              text,
    apply_url              text,
    source_url             text,
    posted_at              timestamptz,
    expires_at             timestamptz,
    first_seen_at          timestamptz not null,
    last_seen_at           timestamptz not null,
    run_id                 text not null,
    category               text not null,
    category_reason        text not null,
    keys                   text[] not null,
    merge_rule             text not null,
    merge_evidence         text,
    merge_score            double precision,
    merged_with            text
) with (fillfactor = 80, toast_tuple_target = 256);
comment on column job_postings.run_id is 'The Dagster run that last fetched it.';
create index job_postings_job_id on job_postings (job_id);
-- Without fastupdate: a run looks up thousands of keys, and each would read the pending entries.
create index job_postings_keys on job_postings using gin (keys) with (fastupdate = off);

create table rejected_postings (
    source        text not null,
    source_id     text not null,
    reason        text not null,
    raw           text not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    run_id        text not null,
    primary key (source, source_id)
);
create index rejected_postings_posting_id on rejected_postings ((source || '_' || source_id));

-- How each source is doing, and up to which dlt load its staging has been published.
create table sources (
    source            text primary key,
    title             text not null,
    attribution       text not null,
    read_up_to        text,
    staged            bigint not null,
    last_fetch_at     timestamptz,
    last_fetch_status text,
    last_fetch_reason text,
    last_success_at   timestamptz,
    quota_left        bigint
);

-- What a person decided about two postings; every run keeps to it. Insert a row to decide, delete
-- it to withdraw.
create table posting_overrides (
    posting_id       text not null,
    other_posting_id text not null check (other_posting_id <> posting_id),
    action           text not null check (action in ('join', 'split')),
    note             text,
    decided_at       timestamptz not null default now(),
    primary key (posting_id, other_posting_id)
);
create unique index posting_overrides_pair
    on posting_overrides (least(posting_id, other_posting_id), greatest(posting_id, other_posting_id));
comment on column posting_overrides.action is 'join: they are one job whatever the rules say. split: they are not.';

-- The postings of withdrawn decisions, which the next run must compute again.
create table withdrawn_overrides (
    posting_id text primary key
);

create function remember_withdrawn_override() returns trigger
    language plpgsql
    as $$
begin
    insert into withdrawn_overrides (posting_id)
    values (old.posting_id), (old.other_posting_id)
    on conflict do nothing;
    return null;
end
$$;

create trigger remember_withdrawn
    after update or delete on posting_overrides
    for each row execute function remember_withdrawn_override();
