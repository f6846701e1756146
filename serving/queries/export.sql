select
    published_edition() as edition,
    --> export_columns
from jobs
where
    --> filters
    and
    --> search_filter
order by newest(posted_at) desc, job_id desc
limit %(limit)s::bigint
