-- A watermark moves only from where the run began to read, so that it passes no load unread.
insert into sources as known (
    source, title, attribution, read_up_to, staged, last_fetch_at, last_fetch_status,
    last_fetch_reason, last_success_at, quota_left
)
select
    incoming.source, coalesce(incoming.title, incoming.source),
    coalesce(incoming.attribution, ''),
    case
        when published.read_up_to is not distinct from incoming.read_after
        then incoming.read_up_to
        else published.read_up_to
    end,
    incoming.staged, incoming.last_fetch_at, incoming.last_fetch_status,
    incoming.last_fetch_reason, incoming.last_success_at, incoming.quota_left
from incoming_sources as incoming
left join sources as published using (source)
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
