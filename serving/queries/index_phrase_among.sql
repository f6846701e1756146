-- Which of these jobs match the query.
select
    published_edition() as edition,
    (
        select string_agg(int8send(hashtextextended(job_id, 0)), ''::bytea)
        from jobs
        where job_id = any (%(ids)s::text[]) and search @@ %(query)s::tsquery
    ) as keys
