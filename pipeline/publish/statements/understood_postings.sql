-- A posting that was read and is not rejected any more is understood.
delete from rejected_postings as known
where source || '_' || source_id in (select posting_id from seen_postings)
    and not exists (
        select from incoming_rejected as incoming
        where incoming.source = known.source and incoming.source_id = known.source_id
    )
