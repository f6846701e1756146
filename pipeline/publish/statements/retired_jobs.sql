-- Jobs that have been closed for the whole retention. Their postings stay.
with retired as (
    delete from jobs
    using incoming_jobs as incoming
    where jobs.job_id = incoming.job_id and incoming.is_retired
    returning jobs.job_id
)
insert into removed_jobs (job_id, removed_version, removed_at)
select job_id, %(version)s, %(published_at)s
from retired
on conflict (job_id) do update
set removed_version = excluded.removed_version, removed_at = excluded.removed_at, merged_into = null
