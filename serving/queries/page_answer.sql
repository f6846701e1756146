-- One row: the page as JSON, what the sources ask to be shown beside it, and where the next
-- page begins. `place` counts from 1; a row at limit + 1 says that there are more.
select
    edition,
    total,
    (
        select coalesce(
            json_agg(
                --> summary
                order by place
            ) filter (where place <= %(limit)s::bigint),
            '[]'
        )::text
        from page
    ) as jobs,
    (
        select coalesce(json_object_agg(sources.source, sources.attribution), '{}')::text
        from sources
        where sources.source in (
            select unnest(page.sources) from page where place <= %(limit)s::bigint
        )
    ) as attribution,
    (
        select json_build_array(score, newest(posted_at), job_id)
        from page
        where place = %(limit)s::bigint
            and exists (select from page where place > %(limit)s::bigint)
    ) as last
from counted
