select
    published_edition() as revision,
    job_id,
    (
        --> postings_of_job
    )::text as postings
from jobs
--> job_with_id
