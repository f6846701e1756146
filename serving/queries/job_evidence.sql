select coalesce(
    json_agg(
        finding || jsonb_build_object('posting_id', posting.posting_id)
        order by posting.first_seen_at, posting.posting_id, place
    ),
    '[]'
)
from job_postings as posting
cross join lateral jsonb_array_elements(posting.evidence) with ordinality as found (finding, place)
where posting.job_id = jobs.job_id
