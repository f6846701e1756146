insert into publishes (
    version, run_id, started_at, finished_at, duration_seconds, full_refresh, transform_version,
    fetched, new, updated, removed, skipped, irrelevant, rejected, closed,
    reopened, total
)
overriding system value
select
    %(version)s, %(run_id)s, %(started_at)s, finished_at,
    extract(epoch from finished_at - %(started_at)s::timestamptz), %(full_refresh)s,
    %(transform_version)s, %(fetched)s, %(new)s, %(updated)s, %(removed)s, %(skipped)s,
    %(irrelevant)s, %(rejected)s, %(closed)s, %(reopened)s,
    %(total)s
from clock_timestamp() as finished_at
returning *
