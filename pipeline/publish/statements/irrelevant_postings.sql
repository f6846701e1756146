-- What this run read and neither published nor rejected is no job in technology.
with understood as (
    delete from irrelevant_postings
    where posting_id in (
        select posting_id from kept_postings
        union all
        select source || '_' || source_id from incoming_rejected
    )
)
insert into irrelevant_postings (posting_id, title, reason)
select distinct on (posting_id) posting_id, title, coalesce(reason, '')
from seen_postings as seen
where not exists (select from kept_postings as kept where kept.posting_id = seen.posting_id)
    and not exists (
        select from incoming_rejected as rejected
        where rejected.source || '_' || rejected.source_id = seen.posting_id
    )
order by posting_id, reason nulls last
on conflict (posting_id) do update
set title = excluded.title, reason = excluded.reason
where (irrelevant_postings.title, irrelevant_postings.reason)
    is distinct from (excluded.title, excluded.reason)
