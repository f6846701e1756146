-- The jobs that the index found, in its order.
select
    published_edition() as revision,
    --> export_columns
from unnest(%(ids)s::text[]) with ordinality as found (found_id, place)
join jobs on job_id = found_id
order by place
