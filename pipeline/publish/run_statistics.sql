select
    run_id, fetched, new, updated, removed, skipped, irrelevant, rejected, closed, reopened,
    total,
    duration_seconds, finished_at
from publishes
where run_id = %(run_id)s
order by version desc
limit 1
