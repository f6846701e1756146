-- The jobs of the feed that the index found, in its order, with when any of them last changed.
with found as materialized (
    select *
    from unnest(%(ids)s::text[]) with ordinality as found (found_id, place)
)
select
    published_edition() as revision,
    (select max(updated_at) from found join jobs on job_id = found_id) as feed_updated_at,
    --> export_columns
from found
join jobs on job_id = found_id
order by place
