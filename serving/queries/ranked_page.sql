ranked as (
    select
        job_id as ranked_id, newest(posted_at) as newest_at,
        ts_rank(
            '{0.02, 0.2, 0.5, 1.0}', search, (select search_query(%(search)s::text))
        )::float8 as score
    from candidates
    join jobs using (job_id)
),
places as (
    select
        *, row_number() over (order by score desc, newest_at desc, ranked_id desc) as place
    from ranked
    where %(after_id)s::text is null
        or (score, newest_at, ranked_id)
            < (%(after_score)s::float8, %(after_at)s::timestamptz, %(after_id)s::text)
    order by place
    limit %(limit)s::bigint + 1 offset %(offset)s::bigint
),
page as (
    select jobs.*, score, place - %(offset)s::bigint as place
    from places
    join jobs on job_id = ranked_id
)
--> page_answer
