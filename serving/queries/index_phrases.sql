-- The jobs that match each of the queries, of those that changed after a version.
select
    published_edition() as edition,
    query,
    (
        select string_agg(int8send(hashtextextended(job_id, 0)), ''::bytea)
        from jobs
        where search @@ query::tsquery and changed_version > %(after)s::bigint
    ) as keys
from unnest(%(queries)s::text[]) as query
