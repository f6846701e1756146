scored as (
    select
        job_id as scored_id, newest(posted_at) as newest_at,
        ts_rank(
            '{0.02, 0.2, 0.5, 1.0}', search, (select search_query(%(search)s::text))
        )::float8 as score
    from candidates
    join jobs using (job_id)
),
--> scored_page
