insert into job_reviews as known (job_id, review_at)
select job_id, review_at
from incoming_jobs
where review_at is not null and not is_retired
on conflict (job_id) do update
set review_at = excluded.review_at
where known.review_at <> excluded.review_at
