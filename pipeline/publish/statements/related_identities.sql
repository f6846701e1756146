-- The postings that share a key or a job with the frontier, or are themselves in it. Three
-- statements in one, so that each has an index to itself.
select posting_id, job_id, keys
from job_postings
where keys && %(keys)s::text[]
union all
select posting_id, job_id, keys
from job_postings
where job_id = any (%(jobs)s::text[])
union all
select posting_id, job_id, keys
from job_postings
where posting_id = any (%(postings)s::text[])
