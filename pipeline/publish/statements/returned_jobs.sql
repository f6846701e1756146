delete from removed_jobs
where job_id in (select job_id from new_jobs)
