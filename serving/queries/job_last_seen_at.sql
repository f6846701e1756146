select max(last_seen_at) from job_postings as posting where posting.job_id = jobs.job_id
