-- A full refresh brings every posting that is rejected.
delete from rejected_postings as known
where not exists (
    select from incoming_rejected as incoming
    where incoming.source = known.source and incoming.source_id = known.source_id
)
