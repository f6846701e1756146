select coalesce(
    json_agg(
        json_build_object(
            'id', posting.posting_id,
            'source', posting.source,
            'publisher', posting.publisher,
            'title', posting.title,
            'apply_url', posting.apply_url,
            'source_url', posting.source_url,
            'posted_at', iso_utc(posting.posted_at),
            'posted_at_is_approximate', posting.posted_at_is_approximate,
            'first_seen_at', iso_utc(posting.first_seen_at),
            'last_seen_at', iso_utc(posting.last_seen_at),
            'status', posting.status,
            'status_reason', posting.status_reason,
            'closed_at', iso_utc(posting.closed_at),
            'repost_of', posting.repost_of,
            'run_id', posting.run_id,
            'merge_rule', posting.merge_rule,
            'merge_evidence', posting.merge_evidence,
            'merge_score', posting.merge_score,
            'merged_with', posting.merged_with,
            'merged_in_run', (
                select run_id from publishes where version = posting.merged_version
            )
        )
        order by posting.first_seen_at, posting.posting_id
    ),
    '[]'
)
from job_postings as posting
where posting.job_id = jobs.job_id
