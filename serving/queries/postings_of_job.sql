select coalesce(
    json_agg(row_to_json(shown) order by posting.first_seen_at, posting.posting_id), '[]'
)
from job_postings as posting
cross join lateral (
    select
        --> posting_columns
) as shown
where posting.job_id = jobs.job_id
