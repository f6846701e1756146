with inserted as (
    insert into jobs (
        job_id, source, sources, title, company, description, description_is_snippet, tags,
        skills, category, category_reason, city, region, country, remote, employment_type,
        salary_min, salary_max, salary_currency, salary_period, salary_is_predicted, apply_url,
        source_url, posted_at, posted_at_is_approximate, expires_at, first_seen_at, status, status_reason, closed_at,
        reposted_at, posting_count, content_hash, updated_at, created_version, changed_version
    )
    select
        incoming.job_id, incoming.source, incoming.sources, incoming.title, incoming.company,
        incoming.description, incoming.description_is_snippet, incoming.tags, incoming.skills,
        incoming.category, incoming.category_reason, incoming.city, incoming.region,
        incoming.country, incoming.remote, incoming.employment_type, incoming.salary_min,
        incoming.salary_max, incoming.salary_currency, incoming.salary_period,
        incoming.salary_is_predicted, incoming.apply_url, incoming.source_url,
        incoming.posted_at, incoming.posted_at_is_approximate, incoming.expires_at, incoming.first_seen_at, incoming.status,
        incoming.status_reason, incoming.closed_at, incoming.reposted_at,
        incoming.posting_count, incoming.content_hash, %(published_at)s, %(version)s, %(version)s
    from incoming_jobs as incoming
    where not incoming.is_retired
        and not exists (select from jobs where jobs.job_id = incoming.job_id)
    returning job_id
)
insert into new_jobs (job_id)
select job_id from inserted
