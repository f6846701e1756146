-- A job as lists show it.
(
    select row_to_json(summary)
    from (
        select
            job_id as id,
            source,
            sources,
            title,
            company,
            json_build_object('city', city, 'country', country, 'remote', remote) as location,
            employment_type,
            category,
            skills,
            trim_scale(salary_min)::text as salary_min,
            trim_scale(salary_max)::text as salary_max,
            salary_currency,
            salary_period,
            salary_is_predicted,
            apply_url,
            source_url,
            iso_utc(posted_at) as posted_at,
            posted_at_is_approximate,
            status
    ) as summary
)
