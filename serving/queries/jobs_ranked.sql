-- The best of the jobs that the index found, first.
with counted as (
    select published_edition() as edition, %(total)s::bigint as total
),
candidates as (
    select unnest(%(ids)s::text[]) as job_id
),
--> ranked_page
