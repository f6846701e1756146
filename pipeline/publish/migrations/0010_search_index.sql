-- Lists, searches and counts are answered by the search index (pipeline/search_index). What stays
-- here finds jobs by id, by what changed, by skill, by source and, for people who ask with SQL, by
-- words (jobs_search). Each index less makes every publish cheaper.
drop index
    jobs_title_trigram, jobs_company_trigram, jobs_title_words, jobs_city, jobs_company,
    jobs_newest, jobs_newest_advertised, jobs_newest_employment_type, jobs_newest_remote,
    jobs_latest_found, jobs_dated, jobs_moved;
