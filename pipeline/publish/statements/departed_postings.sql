-- A posting that this run read and that belongs to no job.
with departed as (
    delete from job_postings as published
    using (
        select posting_id from seen_postings
        except
        select posting_id from kept_postings
    ) as gone
    where published.posting_id = gone.posting_id
    returning published.posting_id, published.job_id
)
insert into moved_postings (posting_id, old_job_id)
select posting_id, job_id from departed
