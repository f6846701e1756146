-- The page whose jobs the index found, in its order. It is all of one edition if that is the
-- one that the index is of.
with counted as (
    select published_edition() as edition, %(total)s::bigint as total
),
page as (
    select jobs.*, coalesce(found_score, 0) as score, place
    from unnest(%(ids)s::text[], %(scores)s::float8[]) with ordinality
        as found (found_id, found_score, place)
    join jobs on job_id = found_id
)
--> page_answer
