-- The jobs that were removed after a version.
select hashtextextended(job_id, 0) as key
from removed_jobs
where removed_version > %(after)s
