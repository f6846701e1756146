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
--> scored_page
