-- The jobs of the batch that are not published.
insert into new_jobs (job_id)
select job_id
from incoming_jobs as incoming
where not is_retired
    and not exists (select from jobs where jobs.job_id = incoming.job_id)
