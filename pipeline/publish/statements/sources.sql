insert into sources as known (
    source, title, attribution, read_up_to, staged, last_fetch_at, last_fetch_status,
    last_fetch_reason, last_success_at, quota_left
)
select
    source, coalesce(title, source), coalesce(attribution, ''), read_up_to, staged, last_fetch_at,
    last_fetch_status, last_fetch_reason, last_success_at, quota_left
from incoming_sources
on conflict (source) do update
set
    title = excluded.title,
    attribution = excluded.attribution,
    read_up_to = excluded.read_up_to,
    staged = excluded.staged,
    last_fetch_at = coalesce(excluded.last_fetch_at, known.last_fetch_at),
    last_fetch_status = excluded.last_fetch_status,
    last_fetch_reason = excluded.last_fetch_reason,
    last_success_at = coalesce(excluded.last_success_at, known.last_success_at),
    quota_left = excluded.quota_left
