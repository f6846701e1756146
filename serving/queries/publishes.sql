select
    version, run_id, fetched, new, updated, removed, skipped, irrelevant, rejected, closed, reopened,
    total,
    full_refresh, duration_seconds, started_at, finished_at
from publishes
where %(before)s::bigint is null or version < %(before)s::bigint
order by version desc
limit %(limit)s::bigint
