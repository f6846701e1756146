select
    (select count(*) from staging.postings) as staged,
    (select count(*) from staging.postings where run_id = $run_id) as fetched,
    (select max(_dlt_load_id) from staging.postings) as read_up_to,
    (select max(finished_at) from staging.fetches where status in ('ok', 'partial'))
        as last_success_at,
    (select arg_max(quota_left, started_at) from staging.fetches) as quota_left,
    (select max(started_at) from staging.fetches) as last_fetch_at,
    (select arg_max(status, started_at) from staging.fetches) as last_fetch_status,
    (select arg_max_null(reason, started_at) from staging.fetches) as last_fetch_reason
