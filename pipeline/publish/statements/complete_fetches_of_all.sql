-- A full refresh brings all of them.
delete from complete_fetches as known
where not exists (
    select from incoming_fetches as incoming
    where incoming.source = known.source and incoming.fetched_at = known.fetched_at
)
