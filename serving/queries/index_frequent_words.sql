-- The words that PostgreSQL knows to be in more than this share of the jobs, the most frequent
-- first, as queries.
select array_to_tsvector(array[word])::text as query
from pg_stats
cross join lateral unnest(most_common_elems::text::text[], most_common_elem_freqs)
    as frequent (word, share)
where schemaname = any (current_schemas(false)) and tablename = 'jobs' and attname = 'search'
    and word is not null and share > %(share)s::float8
order by share desc
