-- People's decisions about pairs of postings, which the next run keeps to.
create table merge_overrides (
    posting_id       text not null,
    other_posting_id text not null,
    action           text not null check (action in ('join', 'split')),
    reason           text,
    created_at       timestamptz not null default now(),
    revoked_at       timestamptz,
    primary key (posting_id, other_posting_id),
    check (posting_id < other_posting_id)
);
comment on table merge_overrides is
    'join: one job whatever the rules say; split: two jobs. Set revoked_at to undo; never delete.';
