-- How many published jobs the batch closes, and how many it opens again.
select
    count(*) filter (where incoming.status = 'closed' and jobs.status <> 'closed') as closed,
    count(*) filter (where incoming.status <> 'closed' and jobs.status = 'closed') as reopened
from incoming_jobs as incoming
join jobs on jobs.job_id = incoming.job_id
