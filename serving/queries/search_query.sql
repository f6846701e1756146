-- How PostgreSQL understands a search.
select search_query(%(search)s::text)::text as query
