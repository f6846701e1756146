-- The phrases of two words of titles that PostgreSQL knows to be in more than this share of the
-- jobs, the most frequent first, as queries.
with titles as (
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
from phrases
where query ~ '^''[^'']+'' <-> ''[^'']+''$' and share > %(share)s::float8
order by share desc
