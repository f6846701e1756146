-- The relevant postings that this run fetched, and those of them that brought a new job.
select count(*) as relevant, count(new_jobs.job_id) as founding
from incoming_postings as incoming
left join new_jobs on new_jobs.job_id = incoming.posting_id
where run_id = %(run_id)s
