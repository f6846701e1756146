-- How PostgreSQL understands a search, and the trigrams of its text.
select
    search_query(%(search)s::text)::text as query,
    show_trgm(%(search)s::text) as trigrams
