-- These move with every run and are in no index, so the row is replaced in its own page and
-- its texts are not written again.
update job_postings as published
set
    last_seen_at = incoming.last_seen_at, run_id = incoming.run_id, review_at = incoming.review_at
from incoming_postings as incoming
where published.posting_id = incoming.posting_id
    and (published.last_seen_at, published.run_id, published.review_at)
        is distinct from (incoming.last_seen_at, incoming.run_id, incoming.review_at)
