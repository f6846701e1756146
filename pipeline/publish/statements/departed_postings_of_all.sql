-- Any posting that a full refresh did not bring.
with departed as (
    delete from job_postings as published
    where not exists (
        select from kept_postings as kept where kept.posting_id = published.posting_id
    )
    returning posting_id, job_id
)
insert into moved_postings (posting_id, old_job_id)
select posting_id, job_id from departed
