-- What the API needs to search, filter and page through the published jobs.

-- English text with the names that the parser of PostgreSQL would take apart as single words:
-- "C++" would be "c", ".NET" "net", and "Node.js" a host name. Used on both sides of a search.
-- The tests for single characters keep regular expressions off most texts.
create function search_text(words text) returns text
    language plpgsql immutable strict parallel safe
as $$
begin
    if strpos(words, '++') > 0 then
        words := regexp_replace(words, '\mc\+\+', ' cplusplus ', 'gi');
    end if;
    if strpos(words, '#') > 0 then
        words := regexp_replace(words, '\m([cf])#', ' \1sharp ', 'gi');
    end if;
    if strpos(words, '.') > 0 then
        words := regexp_replace(words, '\m(asp|vb|ado)\.net\M', ' \1 dotnet ', 'gi');
        words := regexp_replace(words, '(^|[^[:alnum:]_])\.net\M', '\1 dotnet ', 'gi');
        words := regexp_replace(words, '\m([a-z]+)\.js\M', ' \1js ', 'gi');
    end if;
    return words;
end
$$;

-- Text in which the word "go" is the language: a query, a title, a list of skills.
create function search_text_with_go(words text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(search_text(words), '\mgo\M(?![- ]to\M)', 'golang', 'gi');

create function search_query(words text) returns tsquery
    language sql immutable strict parallel safe
    return websearch_to_tsquery('english', search_text_with_go(words));

create function title_words(title text) returns tsvector
    language sql immutable strict parallel safe
    return to_tsvector('english', search_text_with_go(title));

alter table jobs drop column search;
alter table jobs add column search tsvector not null generated always as (
    setweight(title_words(title), 'A')
    || setweight(to_tsvector('english', search_text(coalesce(company, ''))), 'B')
    || setweight(title_words(array_text(skills) || ' ' || array_text(tags)), 'C')
    || setweight(to_tsvector('english', search_text(coalesce(description, ''))), 'D')
) stored;
create index jobs_search on jobs using gin (search);
create index jobs_title_words on jobs using gin (title_words(title));
create index jobs_company_trigram on jobs using gin (company gin_trgm_ops);

-- Newest first, the undated last, in one direction so that a page can begin after any job.
create function newest(posted_at timestamptz) returns timestamptz
    language sql immutable parallel safe
    return coalesce(posted_at, '-infinity'::timestamptz);

-- The upper end of a salary for a year of 260 days of 8 hours.
create function yearly_salary(salary_min numeric, salary_max numeric, period text) returns numeric
    language sql immutable parallel safe
    return coalesce(salary_max, salary_min) * case period
        when 'HOUR' then 2080 when 'DAY' then 260 when 'WEEK' then 52 when 'MONTH' then 12 else 1
    end;

drop index jobs_newest, jobs_employment_type, jobs_remote, jobs_category, jobs_country;
create index jobs_newest on jobs (newest(posted_at) desc, job_id desc);
create index jobs_newest_advertised on jobs (newest(posted_at) desc, job_id desc)
    where status <> 'closed';
create index jobs_newest_employment_type on jobs
    (employment_type, newest(posted_at) desc, job_id desc);
create index jobs_newest_remote on jobs (newest(posted_at) desc, job_id desc) where remote;
create index jobs_first_seen on jobs (first_seen_at);
create index jobs_city on jobs (lower(city));
create index jobs_company on jobs (lower(company));
create index jobs_skills on jobs using gin (skills);
create index jobs_salary on jobs
    (salary_currency, yearly_salary(salary_min, salary_max, salary_period));
-- Counts are read from this alone; equal entries share one, so that it stays small.
create index jobs_counts on jobs (category, country, employment_type, remote, status, sources);

-- Names the published state: the version, and when it came to be, so that the states of two
-- databases differ. Null before the first publish.
create function published_edition() returns text
    language sql stable parallel safe
begin atomic
    select version || '-' || to_hex((extract(epoch from finished_at) * 1000000)::bigint)
    from publishes order by version desc limit 1;
end;

create function notify_published() returns trigger
    language plpgsql
as $$
begin
    perform pg_notify('published', published_edition());
    return null;
end
$$;
create trigger notify_published after insert on publishes
    for each statement execute function notify_published();

-- 2026-02-06T10:30:00Z, with a fraction only where there is one.
create function iso_utc(moment timestamptz) returns text
    language sql stable strict parallel safe
    return trim('"' from to_json(moment at time zone 'UTC')::text) || 'Z';
