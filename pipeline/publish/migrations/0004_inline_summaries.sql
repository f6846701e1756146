-- A page of jobs is read faster where only the long texts, description and search, are kept apart
-- from the row: each value that is costs a page four reads.
alter table jobs
    alter column source_url set storage main,
    alter column apply_url set storage main,
    alter column title set storage main,
    alter column company set storage main,
    alter column sources set storage main,
    alter column skills set storage main,
    alter column tags set storage main,
    alter column category_reason set storage main,
    alter column status_reason set storage main;
