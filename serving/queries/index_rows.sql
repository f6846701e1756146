-- What the index keeps of the jobs that changed after a version, the newest first, and which job
-- follows each; that is not asked for all jobs, of which the order tells it.
select
    hashtextextended(job_id, 0) as key,
    case
        when %(after)s >= 0 then (
            select hashtextextended(follower.job_id, 0)
            from jobs as follower
            where (newest(follower.posted_at), follower.job_id)
                < (newest(jobs.posted_at), jobs.job_id)
            order by newest(follower.posted_at) desc, follower.job_id desc
            limit 1
        )
    end as next_key,
    job_id,
    status,
    category,
    country,
    employment_type,
    remote::text as remote,
    city,
    title,
    company,
    name_key(city) as city_key,
    company_key(company) as company_key,
    salary_currency,
    array_to_string(sources, chr(31)) as sources,
    array_to_string(skills, chr(31)) as skills,
    case when isfinite(posted_at) then (extract(epoch from posted_at) * 1000000)::bigint end
        as newest,
    (extract(epoch from first_seen_at) * 1000000)::bigint as first_seen,
    (extract(epoch from coalesce(posted_at, first_seen_at)) * 1000000)::bigint as dated,
    (yearly_salary(salary_min, salary_max, salary_period) * 100)::bigint as salary,
    substr(setweight(search, 'D')::text, 2) as vector
from jobs
where changed_version > %(after)s
order by newest(posted_at) desc, job_id desc
