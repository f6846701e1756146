-- The job with this id or, if the id is that of a posting merged into another job, that job.
select
    published_edition() as edition,
    job_id,
    json_build_object(
        'id', job_id,
        'source', source,
        'sources', sources,
        'title', title,
        'company', company,
        'location', json_build_object(
            'city', city, 'region', region, 'country', country, 'remote', remote
        ),
        'employment_type', employment_type,
        'category', category,
        'category_reason', category_reason,
        'tags', tags,
        'skills', skills,
        'description', description,
        'description_is_snippet', description_is_snippet,
        'salary_min', trim_scale(salary_min)::text,
        'salary_max', trim_scale(salary_max)::text,
        'salary_currency', salary_currency,
        'salary_period', salary_period,
        'salary_is_predicted', salary_is_predicted,
        'apply_url', apply_url,
        'source_url', source_url,
        'posted_at', iso_utc(posted_at),
        'posted_at_is_approximate', posted_at_is_approximate,
        'expires_at', iso_utc(expires_at),
        'first_seen_at', iso_utc(first_seen_at),
        'last_seen_at', (
            select iso_utc(max(last_seen_at))
            from job_postings as posting
            where posting.job_id = jobs.job_id
        ),
        'updated_at', iso_utc(updated_at),
        'status', status,
        'status_reason', status_reason,
        'closed_at', iso_utc(closed_at),
        'reposted_at', iso_utc(reposted_at),
        'postings', (
            --> postings_of_job
        ),
        'attribution', (
            select coalesce(json_object_agg(known.source, known.attribution), '{}')
            from sources as known
            where known.source = any (jobs.sources)
        )
    )::text as job
from jobs
--> job_with_id
