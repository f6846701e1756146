select
    published_edition() as edition,
    (select max(updated_at) from found join jobs on job_id = found_id) as feed_updated_at,
    --> export_columns
from found
join jobs on job_id = found_id
order by place
