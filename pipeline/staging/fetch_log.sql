create schema if not exists staging;

create table if not exists staging.fetches (
    run_id      varchar not null,
    started_at  timestamptz not null,
    finished_at timestamptz,
    status      varchar not null,
    reason      varchar,
    rows        bigint not null,
    new_rows    bigint not null,
    requests    bigint not null,
    quota_left  bigint,
    load_id     varchar,
    pending     varchar
);
alter table staging.fetches add column if not exists oldest_posted_at timestamptz;

create table if not exists staging.schema_drift (
    field         varchar not null,
    what          varchar not null,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    last_run_id   varchar not null,
    fetches       bigint not null,
    postings      bigint not null,
    example       varchar
);
