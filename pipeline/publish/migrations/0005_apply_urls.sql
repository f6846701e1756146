alter table job_postings add column apply_urls text[] not null default '{}';
comment on column job_postings.apply_urls is 'Further addresses that the advert can be applied at, beside apply_url.';
