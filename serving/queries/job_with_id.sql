where job_id = coalesce(
    (select job_id from jobs where job_id = %(id)s),
    (select job_id from job_postings where posting_id = %(id)s)
)
