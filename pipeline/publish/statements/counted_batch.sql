-- The relevant postings that this run fetched, and those of them that brought a new job.
select
    count(*) as relevant,
    count(*) filter (
        where exists (select from new_jobs where new_jobs.job_id = incoming.posting_id)
    ) as founding
from incoming_postings as incoming
where run_id = %(run_id)s
