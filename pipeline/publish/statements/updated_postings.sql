update job_postings as published
set
    job_id = incoming.job_id, source = incoming.source, source_id = incoming.source_id,
    title = incoming.title, company = incoming.company, description = incoming.description,
    description_is_snippet = incoming.description_is_snippet, tags = incoming.tags,
    skills = incoming.skills, location_text = incoming.location_text, city = incoming.city,
    region = incoming.region, country = incoming.country, remote = incoming.remote,
    employment_type = incoming.employment_type, salary_min = incoming.salary_min,
    salary_max = incoming.salary_max, salary_currency = incoming.salary_currency,
    salary_period = incoming.salary_period, salary_is_predicted = incoming.salary_is_predicted,
    publisher = incoming.publisher, apply_url = incoming.apply_url,
    apply_urls = incoming.apply_urls,
    source_url = incoming.source_url, posted_at = incoming.posted_at,
    posted_at_is_approximate = incoming.posted_at_is_approximate,
    expires_at = incoming.expires_at, first_seen_at = incoming.first_seen_at,
    last_seen_at = incoming.last_seen_at, run_id = incoming.run_id,
    category = incoming.category, category_reason = incoming.category_reason,
    keys = incoming.keys, merge_rule = incoming.merge_rule,
    merge_evidence = incoming.merge_evidence, merge_score = incoming.merge_score,
    merged_with = incoming.merged_with,
    merged_version = case
        when (
            published.job_id, published.merge_rule, published.merge_evidence,
            published.merge_score, published.merged_with
        ) is not distinct from (
            incoming.job_id, incoming.merge_rule, incoming.merge_evidence,
            incoming.merge_score, incoming.merged_with
        ) then published.merged_version
        when incoming.merged_with is not null then %(version)s
    end,
    status = incoming.status, status_reason = incoming.status_reason,
    closed_at = incoming.closed_at, review_at = incoming.review_at,
    repost_of = incoming.repost_of
from incoming_postings as incoming
where published.posting_id = incoming.posting_id
    and (
        published.job_id, published.source, published.source_id, published.title,
        published.company, published.description, published.description_is_snippet,
        published.tags, published.skills, published.location_text, published.city,
        published.region, published.country, published.remote, published.employment_type,
        published.salary_min, published.salary_max, published.salary_currency,
        published.salary_period, published.salary_is_predicted, published.publisher,
        published.apply_url, published.apply_urls, published.source_url, published.posted_at,
        published.posted_at_is_approximate, published.expires_at,
        published.first_seen_at, published.category, published.category_reason, published.keys,
        published.merge_rule, published.merge_evidence, published.merge_score,
        published.merged_with, published.status, published.status_reason, published.closed_at,
        published.repost_of
    ) is distinct from (
        incoming.job_id, incoming.source, incoming.source_id, incoming.title, incoming.company,
        incoming.description, incoming.description_is_snippet, incoming.tags, incoming.skills,
        incoming.location_text, incoming.city, incoming.region, incoming.country,
        incoming.remote, incoming.employment_type, incoming.salary_min, incoming.salary_max,
        incoming.salary_currency, incoming.salary_period, incoming.salary_is_predicted,
        incoming.publisher, incoming.apply_url, incoming.apply_urls, incoming.source_url,
        incoming.posted_at, incoming.posted_at_is_approximate, incoming.expires_at,
        incoming.first_seen_at, incoming.category,
        incoming.category_reason, incoming.keys, incoming.merge_rule, incoming.merge_evidence,
        incoming.merge_score, incoming.merged_with, incoming.status, incoming.status_reason,
        incoming.closed_at, incoming.repost_of
    )
