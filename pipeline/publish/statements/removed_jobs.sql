-- A job that all postings left goes, and says where to: to the job of its founding posting or,
-- if that is nowhere, to where most of the others went.
with removed as (
    delete from jobs
    where job_id in (select old_job_id from moved_postings)
        and not exists (select from job_postings as left_over where left_over.job_id = jobs.job_id)
    returning job_id
),
destinations as (
    select
        old_job_id,
        new_job_id,
        row_number() over (
            partition by old_job_id
            order by bool_or(posting_id = old_job_id) desc, count(*) desc, new_job_id
        ) as choice
    from moved_postings
    where new_job_id is not null
    group by old_job_id, new_job_id
)
insert into removed_jobs (job_id, removed_version, removed_at, merged_into)
select removed.job_id, %(version)s, %(published_at)s, destinations.new_job_id
from removed
left join destinations on destinations.old_job_id = removed.job_id and destinations.choice = 1
on conflict (job_id) do update
set
    removed_version = excluded.removed_version,
    removed_at = excluded.removed_at,
    merged_into = excluded.merged_into
