-- For a search that matches next to nothing: the jobs whose title or company reads alike, and
-- those that match, the most alike first.
with matching as not materialized (
    select *
    from jobs
    where
        --> filters
        and (
            %(search)s::text <%% title
            or %(search)s::text <%% company
            or search @@ search_query(%(search)s::text)
        )
),
scored as materialized (
    select
        job_id as scored_id, newest(posted_at) as newest_at,
        greatest(
            word_similarity(%(search)s::text, title),
            word_similarity(%(search)s::text, coalesce(company, '')),
            case when search @@ search_query(%(search)s::text) then 1 end
        )::float8 as score
    from matching
),
counted as (
    select published_edition() as edition, count(*) as total from scored
),
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
