select
    version, run_id, finished_at, total,
    greatest(0, extract(epoch from now() - finished_at)::float8) as age_seconds
from publishes
order by version desc
limit 1
