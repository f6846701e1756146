-- The job with this id or, if the id is that of a posting merged into another job, that job.
select
    job_id, source, sources, title, company, city, region, country, remote, employment_type,
    category, category_reason, tags, description,
    trim_scale(salary_min)::text as salary_min,
    trim_scale(salary_max)::text as salary_max,
    salary_currency, salary_period, salary_is_predicted, apply_url, source_url,
    posted_at, expires_at, first_seen_at, updated_at, postings.last_seen_at, postings.postings
from jobs
cross join lateral (
    select
        max(posting.last_seen_at) as last_seen_at,
        jsonb_agg(
            jsonb_build_object(
                'id', posting.posting_id,
                'source', posting.source,
                'publisher', posting.publisher,
                'title', posting.title,
                'apply_url', posting.apply_url,
                'source_url', posting.source_url,
                'posted_at', posting.posted_at,
                'first_seen_at', posting.first_seen_at,
                'last_seen_at', posting.last_seen_at,
                'merge_rule', posting.merge_rule,
                'merge_evidence', posting.merge_evidence
            )
            order by posting.first_seen_at, posting.posting_id
        ) as postings
    from job_postings as posting
    where posting.job_id = jobs.job_id
) as postings
where job_id = coalesce(
    (select job_id from jobs where job_id = %(id)s),
    (select job_id from job_postings where posting_id = %(id)s)
)
