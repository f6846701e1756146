-- The GIN indexes of jobs, and the statements that create them. They cost most to add to row by
-- row, and they refuse no row: what they hold is short, whatever a source sends. That of the words
-- is created after the publish: pipeline/publish/text_index.py.
select
    indexrelid::regclass::text as name,
    pg_get_indexdef(indexrelid) as definition,
    relname <> 'jobs_words' as within_the_publish
from pg_index
join pg_class on pg_class.oid = indexrelid
join pg_am on pg_am.oid = relam
where indrelid = 'jobs'::regclass and amname = 'gin'
order by name
