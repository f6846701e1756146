-- The jobs that were found last, those of one time in the order of the list: the order of dates of
-- posting would hide what is found late, or has none.
with found as materialized (
    select
        job_id as found_id,
        row_number() over (
            order by first_seen_at desc, newest(posted_at) desc, job_id desc
        ) as place
    from jobs
    where
        --> filters
        and
        --> search_filter
    order by place
    limit %(limit)s::bigint
)
--> feed_rows
