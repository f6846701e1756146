-- Each column is compared by itself when a job is published.
alter table jobs drop column content_hash;
