-- A full refresh brings every posting that staging holds.
delete from irrelevant_postings as known
where not exists (select from seen_postings as seen where seen.posting_id = known.posting_id)
