-- Of the jobs that match, those that publishes after the version `since` and up to `until` moved
-- towards the front of the list. What is new since then is not among them.
with matching as not materialized (
    select *
    from jobs
    where
        --> filters
        and
        --> search_filter
),
--> counted
,
places as (
    select
        job_id as moved_id,
        row_number() over (order by newest(posted_at) desc, job_id desc) as place
    from matching
    where moved_version > %(since)s::bigint
        and moved_version <= %(until)s::bigint
        and created_version <= %(since)s::bigint
        and (
            %(after_id)s::text is null
            or (newest(posted_at), job_id) < (%(after_at)s::timestamptz, %(after_id)s::text)
        )
    order by place
    limit %(limit)s::bigint + 1 offset %(offset)s::bigint
),
page as (
    select jobs.*, 0 as score, place - %(offset)s::bigint as place
    from places
    join jobs on job_id = moved_id
)
--> page_answer
