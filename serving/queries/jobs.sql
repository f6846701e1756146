-- One statement, hence one snapshot: the total and the page never come from two publishes.
--
-- `matching` is planned anew at each use. A frequent term is best read in the order of
-- jobs_newest until the page is full, but where few jobs match that would read the whole table;
-- those are all fetched by the text index and sorted. The planner's estimate is too far off for
-- phrases and for several words to be trusted with that choice, so the exact total makes it.
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
beyond as not materialized (
    select *
    from matching
    where %(after_id)s::text is null
        or (newest(posted_at), job_id) < (%(after_at)s::timestamptz, %(after_id)s::text)
),
rows_of_page as (
    select many.*
    from counted
    cross join lateral (
        select *
        from beyond
        where counted.total > 2000
        order by newest(posted_at) desc, job_id desc
        limit %(limit)s::bigint + 1 offset %(offset)s::bigint
    ) as many
    union all
    select few.*
    from counted
    cross join lateral (
        select *
        from (
            select * from beyond where counted.total between 1 and 2000 offset 0
        ) as all_of_few
        order by newest(posted_at) desc, job_id desc
        limit %(limit)s::bigint + 1 offset %(offset)s::bigint
    ) as few
),
page as (
    select
        *, 0 as score,
        row_number() over (order by newest(posted_at) desc, job_id desc) as place
    from rows_of_page
)
--> page_answer
