-- The postings that share a key or a job with the frontier, or are themselves in it.
select posting_id, job_id, keys
from job_postings
where keys && %(keys)s::text[]
    or job_id = any (%(jobs)s::text[])
    or posting_id = any (%(postings)s::text[])
