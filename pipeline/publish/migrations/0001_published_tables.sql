create extension if not exists pg_trgm;

create function tags_text(tags text[]) returns text
    language sql immutable strict parallel safe
    return array_to_string(tags, ' ');

-- One row an opening. Written by pipeline/publish/publish.py, read by serving/.
create table jobs (
    job_id              text primary key,
    source              text not null,
    title               text not null,
    company             text,
    description         text,
    tags                text[] not null,
    category            text not null,
    category_reason     text not null,
    city                text,
    region              text,
    country             text check (country ~ '^[A-Z]{2}$'),
    remote              boolean not null,
    employment_type     text,
    salary_min          numeric(14, 2),
    salary_max          numeric(14, 2),
    salary_currency     text,
    salary_period       text,
    salary_is_predicted boolean not null,
    apply_url           text,
    source_url          text,
    posted_at           timestamptz,
    expires_at          timestamptz,
    first_seen_at       timestamptz not null,
    updated_at          timestamptz not null,
    posting_count       bigint not null,
    content_hash        text not null,
    sources             text[] not null,
    search              tsvector not null generated always as (
        setweight(to_tsvector('english', title), 'A')
        || setweight(to_tsvector('english', coalesce(company, '')), 'B')
        || setweight(to_tsvector('english', tags_text(tags)), 'C')
        || setweight(to_tsvector('english', coalesce(description, '')), 'D')
    ) stored
) with (toast_tuple_target = 256);
-- Texts lie beside the rows, so that counting the matches of a frequent term reads a fifth.
comment on column jobs.updated_at is 'When a publish last changed this row.';
comment on column jobs.sources is 'The sources of all postings of the job, sorted.';

create index jobs_search on jobs using gin (search);
create index jobs_title_trigram on jobs using gin (title gin_trgm_ops);
create index jobs_sources on jobs using gin (sources);
create index jobs_newest on jobs (posted_at desc nulls last, job_id);
create index jobs_employment_type on jobs (employment_type, posted_at desc nulls last, job_id);
create index jobs_remote on jobs (posted_at desc nulls last, job_id) where remote;
create index jobs_category on jobs (category);
create index jobs_country on jobs (country);

-- Every posting of every job: where to apply, and why it was merged. last_seen_at moves with
-- every run, so it lives here, in a narrow row, and not in jobs, where it would rewrite the text
-- indexes: https://www.postgresql.org/docs/current/storage-hot.html
create table job_postings (
    posting_id     text primary key,
    job_id         text not null references jobs on delete cascade deferrable initially deferred,
    source         text not null,
    publisher      text,
    title          text not null,
    apply_url      text,
    source_url     text,
    posted_at      timestamptz,
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    merge_rule     text not null,
    merge_evidence text
) with (fillfactor = 80);
create index job_postings_job_id on job_postings (job_id);

create table rejected_postings (
    source        text not null,
    source_id     text not null,
    reason        text not null,
    raw           text not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    primary key (source, source_id)
);

-- One row a publish; version is the number of the state that readers see.
create table publishes (
    version          bigint generated always as identity primary key,
    run_id           text not null,
    started_at       timestamptz not null,
    finished_at      timestamptz not null,
    duration_seconds double precision not null,
    fetched          jsonb not null,
    new              bigint not null,
    updated          bigint not null,
    removed          bigint not null,
    skipped          bigint not null,
    irrelevant       bigint not null,
    rejected         bigint not null,
    total            bigint not null
);
comment on column publishes.fetched is 'Postings that this run fetched, by source.';
comment on column publishes.new is 'Jobs that were not published before.';
comment on column publishes.updated is 'Jobs of which a published column changed.';
comment on column publishes.removed is 'Jobs that are no longer published.';
comment on column publishes.skipped is 'Fetched, relevant postings that brought no new job: known already, or a duplicate.';
comment on column publishes.irrelevant is 'Fetched postings of other roles.';
comment on column publishes.rejected is 'Fetched postings that could not be understood.';
comment on column publishes.total is 'Jobs published after this publish.';
create index publishes_run_id on publishes (run_id);
