select
    source, title, attribution, staged, last_fetch_at, last_fetch_status, last_fetch_reason,
    last_success_at, quota_left,
    case when last_success_at > now() then 0
        else extract(epoch from now() - last_success_at)::float8 end as age_seconds,
    (select count(*) from jobs where jobs.sources && array[sources.source]) as jobs
from sources
order by source
