-- One statement, hence one snapshot: the total and the page never come from two publishes.
-- A page beyond the last one is a single row with the total and nulls.
with matching as materialized (
    select job_id, posted_at
    from jobs
    where (%(search)s::text is null or search @@ websearch_to_tsquery('english', %(search)s))
        and (%(sources)s::text[] is null or sources && %(sources)s)
        and (%(employment_types)s::text[] is null or employment_type = any (%(employment_types)s))
        and (%(categories)s::text[] is null or category = any (%(categories)s))
        and (%(country)s::text is null or country = %(country)s)
        and (not %(remote_only)s::boolean or remote)
),
page as (
    select job_id
    from matching
    order by posted_at desc nulls last, job_id
    limit %(limit)s::bigint offset %(offset)s::bigint
)
select
    counted.total, jobs.job_id, jobs.source, jobs.sources, jobs.title, jobs.company, jobs.city,
    jobs.country, jobs.remote, jobs.employment_type, jobs.category,
    trim_scale(jobs.salary_min)::text as salary_min,
    trim_scale(jobs.salary_max)::text as salary_max,
    jobs.salary_currency, jobs.salary_period, jobs.salary_is_predicted,
    jobs.apply_url, jobs.source_url, jobs.posted_at
from (select count(*) as total from matching) as counted
left join (page join jobs using (job_id)) on true
order by jobs.posted_at desc nulls last, jobs.job_id
