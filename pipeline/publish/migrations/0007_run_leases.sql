-- Which run may publish, and what became of every posting that was read.

-- One row a run that began to work: only the one with the highest token may publish.
create table run_leases (
    token    bigint generated always as identity primary key,
    run_id   text not null unique,
    taken_at timestamptz not null default now()
);

-- The postings of other roles. With job_postings and rejected_postings they account for every
-- posting that was read, so that a lost one can be told from one that is not wanted.
create table irrelevant_postings (
    posting_id text primary key
);

-- They are known once everything has been read again: what is published counts as computed by
-- unknown rules, so that the next run refreshes it.
update publishes set transform_version = '' where version = (select max(version) from publishes);
