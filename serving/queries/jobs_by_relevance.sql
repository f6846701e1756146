-- The best first: what is ranked are the newest 250 jobs that match and the newest 250 whose
-- title matches, since reading the words of all matches of a frequent term takes seconds.
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
candidates as materialized (
    (
        select job_id
        from matching
        order by newest(posted_at) desc, job_id desc
        limit 250
    )
    union
    (
        select job_id
        from matching
        where title_words(title) @@ search_query(%(search)s::text)
        order by newest(posted_at) desc, job_id desc
        limit 250
    )
),
--> ranked_page
