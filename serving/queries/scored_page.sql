places as (
    select
        *, row_number() over (order by score desc, newest_at desc, scored_id desc) as place
    from scored
    where %(after_id)s::text is null
        or (score, newest_at, scored_id)
            < (%(after_score)s::float8, %(after_at)s::timestamptz, %(after_id)s::text)
    order by place
    limit %(limit)s::bigint + 1 offset %(offset)s::bigint
),
page as (
    select jobs.*, score, place - %(offset)s::bigint as place
    from places
    join jobs on job_id = scored_id
)
--> page_answer
