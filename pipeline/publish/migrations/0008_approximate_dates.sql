-- Some sources tell only how old an advert is ("3 days ago").

alter table jobs add column posted_at_is_approximate boolean not null default false;
alter table job_postings add column posted_at_is_approximate boolean not null default false;
comment on column jobs.posted_at_is_approximate is 'The day alone is known, and that to a day or so: from an age such as "3 days ago".';
comment on column job_postings.posted_at_is_approximate is 'The day alone is known, and that to a day or so: from an age such as "3 days ago".';
