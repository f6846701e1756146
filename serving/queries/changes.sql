-- The latest state of each job that changed after (version, id), in the order of the publishes.
with changed as (
    (
        select
            changed_version as version, job_id as changed_id, null::text as merged_into,
            case
                when status = 'closed' then 'closed'
                when (created_version, job_id) > (%(version)s::bigint, %(id)s::text) then 'created'
                else 'updated'
            end as change
        from jobs
        where (changed_version, job_id) > (%(version)s::bigint, %(id)s::text)
        order by changed_version, job_id
        limit %(limit)s::bigint + 1
    )
    union all
    (
        select removed_version, job_id, merged_into, 'removed'
        from removed_jobs
        where (removed_version, job_id) > (%(version)s::bigint, %(id)s::text)
        order by removed_version, job_id
        limit %(limit)s::bigint + 1
    )
),
page as (
    select *, row_number() over (order by version, changed_id) as place
    from changed
    order by place
    limit %(limit)s::bigint + 1
)
select
    published_edition() as revision,
    count(*) > %(limit)s::bigint as more,
    (array_agg(version order by place) filter (where place <= %(limit)s::bigint)) [
        least(count(*), %(limit)s::bigint)
    ] as last_version,
    (array_agg(changed_id order by place) filter (where place <= %(limit)s::bigint)) [
        least(count(*), %(limit)s::bigint)
    ] as last_id,
    coalesce(
        json_agg(
            json_build_object(
                'change', change,
                'version', version,
                'id', changed_id,
                'merged_into', merged_into,
                'job', case when change <> 'removed' then
                    --> summary
                end,
                'description', description
            )
            order by place
        ) filter (where place <= %(limit)s::bigint),
        '[]'
    )::text as changes
from page
left join jobs on job_id = changed_id and change <> 'removed'
