insert into rejected_postings as known (
    source, source_id, reason, raw, first_seen_at, last_seen_at, run_id
)
select source, source_id, reason, raw, first_seen_at, last_seen_at, run_id
from incoming_rejected
on conflict (source, source_id) do update
set
    reason = excluded.reason,
    raw = excluded.raw,
    first_seen_at = least(known.first_seen_at, excluded.first_seen_at),
    last_seen_at = excluded.last_seen_at,
    run_id = excluded.run_id
