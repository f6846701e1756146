insert into job_postings (
    posting_id, job_id, source, source_id, title, company, description, description_is_snippet,
    tags, skills, location_text, city, region, country, remote, employment_type, salary_min,
    salary_max, salary_currency, salary_period, salary_is_predicted, publisher, apply_url,
    apply_urls, source_url, posted_at, posted_at_is_approximate, expires_at, first_seen_at,
    last_seen_at, run_id, category,
    category_reason, keys, merge_rule, merge_evidence, merge_score, merged_with, merged_version,
    status, status_reason, closed_at, review_at, repost_of
)
select
    incoming.posting_id, incoming.job_id, incoming.source, incoming.source_id, incoming.title,
    incoming.company, incoming.description, incoming.description_is_snippet, incoming.tags,
    incoming.skills, incoming.location_text, incoming.city, incoming.region, incoming.country,
    incoming.remote, incoming.employment_type, incoming.salary_min, incoming.salary_max,
    incoming.salary_currency, incoming.salary_period, incoming.salary_is_predicted,
    incoming.publisher, incoming.apply_url, incoming.apply_urls, incoming.source_url,
    incoming.posted_at, incoming.posted_at_is_approximate, incoming.expires_at,
    incoming.first_seen_at, incoming.last_seen_at, incoming.run_id,
    incoming.category, incoming.category_reason, incoming.keys, incoming.merge_rule,
    incoming.merge_evidence, incoming.merge_score, incoming.merged_with,
    case when incoming.merged_with is not null then %(version)s::bigint end,
    incoming.status, incoming.status_reason, incoming.closed_at, incoming.review_at,
    incoming.repost_of
from incoming_postings as incoming
where not exists (
    select from job_postings as published where published.posting_id = incoming.posting_id
)
