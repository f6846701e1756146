-- For those who ask in SQL the words of a job are indexed without being stored, and by a statement
-- of their own after the publish that first fills the table (pipeline/publish/text_index.py): reading
-- the texts took more than half of a publish.
alter table jobs drop column search;

-- Of a text no more than the cleaning leaves of it: PostgreSQL refuses more than 1 MB of words.
-- The words of a job, as search_query asks for them:
-- where job_words(title, company, skills, tags, description) @@ search_query('kubernetes -aws')
create function job_words(
    title text, company text, skills text[], tags text[], description text
) returns tsvector
    language sql immutable parallel safe
    return setweight(title_words(title), 'A')
        || setweight(to_tsvector('english', search_text(coalesce(company, ''))), 'B')
        || setweight(title_words(array_text(skills) || ' ' || array_text(tags)), 'C')
        || setweight(to_tsvector('english', search_text(left(coalesce(description, ''), 100000))), 'D');
