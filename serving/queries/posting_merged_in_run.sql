select run_id from publishes where version = posting.merged_version
