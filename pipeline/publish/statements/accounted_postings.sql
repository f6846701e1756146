copy (
    select posting_id from job_postings
    union all
    select source || '_' || source_id from rejected_postings
    union all
    select posting_id from irrelevant_postings
) to stdout (format csv, force_quote *)
