-- The job with this id or, if the id is that of a posting merged into another job, that job.
select
    published_edition() as revision,
    job_id,
    (
        select row_to_json(detail)
        from (
            select
                --> detail_columns
                ,
                (
                    --> postings_of_job
                ) as postings,
                (
                    select coalesce(json_object_agg(known.source, known.attribution), '{}')
                    from sources as known
                    where known.source = any (jobs.sources)
                ) as attribution
        ) as detail
    )::text as job
from jobs
--> job_with_id
