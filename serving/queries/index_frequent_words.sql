-- The words, and then the phrases of two words of titles, that PostgreSQL knows to be in more
-- than this share of the jobs, the most frequent first, as queries.
with words as (
    select array_to_tsvector(array[word])::text as query, share
    from pg_stats
    cross join lateral unnest(most_common_elems::text::text[], most_common_elem_freqs)
        as frequent (word, share)
    where schemaname = any (current_schemas(false)) and tablename = 'jobs'
        and attname = 'search' and word is not null
),
titles as (
    select title, share
    from pg_stats
    cross join lateral unnest(most_common_vals::text::text[], most_common_freqs)
        as frequent (title, share)
    where schemaname = any (current_schemas(false)) and tablename = 'jobs'
        and attname = 'title'
),
phrases as (
    select search_query('"' || word || ' ' || next_word || '"')::text as query, sum(share) as share
    from titles
    cross join lateral (
        select word, lead(word) over (order by place) as next_word
        from regexp_split_to_table(replace(title, '"', ' '), '\s+') with ordinality
            as words (word, place)
    ) as pairs
    where next_word is not null
    group by query
)
select query
from (
    select 1 as turn, query, share from words
    union all
    select 2, query, share from phrases where query ~ '^''[^'']+'' <-> ''[^'']+''$'
) as frequent
where share > %(share)s::float8
order by turn, share desc
