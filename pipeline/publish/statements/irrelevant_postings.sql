-- What this run read and neither published nor rejected is of another role.
with understood as (
    delete from irrelevant_postings
    where posting_id in (
        select posting_id from kept_postings
        union all
        select source || '_' || source_id from incoming_rejected
    )
)
insert into irrelevant_postings (posting_id)
select posting_id from seen_postings
except
select posting_id from kept_postings
except
select source || '_' || source_id from incoming_rejected
on conflict do nothing
