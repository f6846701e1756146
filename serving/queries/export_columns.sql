-- A job as exports show it.
job_id as id, source, sources, title, company, city, region, country, remote,
employment_type, category, skills,
trim_scale(salary_min) as salary_min, trim_scale(salary_max) as salary_max, salary_currency,
salary_period, salary_is_predicted, apply_url, source_url, posted_at, posted_at_is_approximate,
first_seen_at,
updated_at, status,
(select attribution from sources as known where known.source = jobs.source) as attribution
