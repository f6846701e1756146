insert into moved_postings (posting_id, old_job_id, new_job_id)
select posting_id, published.job_id, incoming.job_id
from incoming_postings as incoming
join job_postings as published using (posting_id)
where published.job_id <> incoming.job_id
