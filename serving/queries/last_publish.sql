select
    version, run_id, finished_at, total,
    extract(epoch from now() - finished_at)::float8 as age_seconds
from publishes
order by version desc
limit 1
