update jobs
set
    source = incoming.source, sources = incoming.sources, title = incoming.title,
    company = incoming.company, description = incoming.description,
    description_is_snippet = incoming.description_is_snippet, tags = incoming.tags,
    skills = incoming.skills, category = incoming.category,
    category_reason = incoming.category_reason, city = incoming.city, region = incoming.region,
    country = incoming.country, remote = incoming.remote,
    employment_type = incoming.employment_type, salary_min = incoming.salary_min,
    salary_max = incoming.salary_max, salary_currency = incoming.salary_currency,
    salary_period = incoming.salary_period, salary_is_predicted = incoming.salary_is_predicted,
    apply_url = incoming.apply_url, source_url = incoming.source_url,
    posted_at = incoming.posted_at,
    posted_at_is_approximate = incoming.posted_at_is_approximate, expires_at = incoming.expires_at,
    first_seen_at = incoming.first_seen_at, status = incoming.status,
    status_reason = incoming.status_reason, closed_at = incoming.closed_at,
    reposted_at = incoming.reposted_at, posting_count = incoming.posting_count, content_hash = incoming.content_hash,
    updated_at = %(published_at)s,
    changed_version = %(version)s
from incoming_jobs as incoming
where jobs.job_id = incoming.job_id
    and jobs.content_hash <> incoming.content_hash
    and not incoming.is_retired
