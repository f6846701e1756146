-- A job as lists show it.
json_build_object(
    'id', job_id,
    'source', source,
    'sources', sources,
    'title', title,
    'company', company,
    'location', json_build_object('city', city, 'country', country, 'remote', remote),
    'employment_type', employment_type,
    'category', category,
    'skills', skills,
    'salary_min', trim_scale(salary_min)::text,
    'salary_max', trim_scale(salary_max)::text,
    'salary_currency', salary_currency,
    'salary_period', salary_period,
    'salary_is_predicted', salary_is_predicted,
    'apply_url', apply_url,
    'source_url', source_url,
    'posted_at', iso_utc(posted_at),
    'status', status
)
