SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA dagster;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
CREATE FUNCTION public.array_text(words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN array_to_string(words, ' '::text);
CREATE FUNCTION public.folded(name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
begin
    if octet_length(name) <> length(name) then
        name := regexp_replace(
            normalize(name, nfkd),
            '[\u0300-\u036F\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20F0\uFE20-\uFE2F]', '', 'g'
        );
        name := translate(lower(normalize(name, nfc)), 'øłđıðħ', 'oldidh');
        name := replace(replace(replace(replace(name, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
    end if;
    name := regexp_replace(replace(lower(name), '&', ' and '), '[''.’]', '', 'g');
    return trim(regexp_replace(
        name,
        '[\s!"$%(-*,-/:-@[-`{-~\u0080-\u00BF\u2000-\u206F\u3000-\u3004\u3008-\u3020\u30FB]+',
        ' ', 'g'
    ));
end
$_$;
CREATE FUNCTION public.plain_letters(words text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
begin
    if octet_length(words) = length(words) then
        return words;
    end if;
    words := regexp_replace(
        words,
        '[\u00AD\u034F\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F'
            '\uFE00-\uFE0F\uFEFF\uFFF9-\uFFFB\U000E0000-\U000E007F]',
        '', 'g'
    );
    words := replace(replace(words, '™', ' '), '℠', ' ');
    -- To look first takes a third of the time, and most texts are so.
    if words is nfkc normalized then
        return words;
    end if;
    return normalize(words, nfkc);
end
$$;
CREATE FUNCTION public.name_key(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN "left"(COALESCE(NULLIF(public.folded(public.plain_letters(name)), ''::text), lower(name)), 200);
CREATE FUNCTION public.without_legal_form(name text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
begin
    name := regexp_replace(
        name,
        '( (and )?(inc|incorporated|llc|l l c|ltd|limited|corp|corporation|co|company|gmbh|mbh|g mbh'
            '|ag|kg|kgaa|ohg|ek|eg|ev|ug|haftungsbeschrankt|se|sa|s a|sas|sasu|sarl|eurl|scop|bv|b v'
            '|nv|n v|ab|oy|oyj|as|a s|asa|aps|plc|pty|pvt|private limited|public limited|llp|lp|spa'
            '|srl|srls|sl|slu|sau|pte|ltda|lda|kk|sp zoo|sp z oo|sp z o o|sp j|doo|d o o|dd|kft|zrt'
            '|sro|s r o|ood|eood|bvba|cvba|bhd|sdn|pjsc|ojsc|jsc|tbk|ou|uab|sia|ооо|оао|зао|пао|ао'
            '))+$',
        ''
    );
    name := regexp_replace(name, '^(the|pt|ооо|оао|зао|пао|ао|тов) (?=.)', '');
    name := regexp_replace(
        name, '^((株式会社|有限会社|合同会社|주식회사) ?|[株有주] )(?=.)', ''
    );
    return regexp_replace(
        name,
        '(.)( ?(株式会社|有限会社|合同会社|股份有限公司|有限责任公司|有限公司|주식회사)| [株有주])$',
        '\1'
    );
end
$_$;
CREATE FUNCTION public.company_key(name text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN COALESCE(NULLIF(public.without_legal_form(public.name_key(name)), ''::text), public.name_key(name));
CREATE FUNCTION public.company_keys(names text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT public.company_key(name.name) AS company_key FROM unnest(company_keys.names) name(name));
CREATE FUNCTION public.iso_utc(moment timestamp with time zone) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (TRIM(BOTH '"'::text FROM (to_json((moment AT TIME ZONE 'UTC'::text)))::text) || 'Z'::text);
CREATE FUNCTION public.name_keys(names text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT public.name_key(name.name) AS name_key FROM unnest(name_keys.names) name(name));
CREATE FUNCTION public.newest(posted_at timestamp with time zone) RETURNS timestamp with time zone
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(posted_at, '-infinity'::timestamp with time zone);
CREATE FUNCTION public.note_move() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.moved_version := new.changed_version;
    return new;
end
$$;
CREATE FUNCTION public.notify_published() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    perform pg_notify('published', published_edition());
    return null;
end
$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.publishes (
    version bigint NOT NULL,
    run_id text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone NOT NULL,
    duration_seconds double precision NOT NULL,
    full_refresh boolean NOT NULL,
    transform_version text NOT NULL,
    fetched jsonb NOT NULL,
    new bigint NOT NULL,
    updated bigint NOT NULL,
    removed bigint NOT NULL,
    skipped bigint NOT NULL,
    irrelevant bigint NOT NULL,
    rejected bigint NOT NULL,
    total bigint NOT NULL,
    closed bigint NOT NULL,
    reopened bigint NOT NULL
);
CREATE FUNCTION public.published_edition() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    BEGIN ATOMIC
 SELECT ((publishes.version || '-'::text) || to_hex(((EXTRACT(epoch FROM publishes.finished_at) * (1000000)::numeric))::bigint))
    FROM public.publishes
   ORDER BY publishes.version DESC
  LIMIT 1;
END;
CREATE FUNCTION public.remember_withdrawn_override() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into withdrawn_overrides (posting_id)
    values (old.posting_id), (old.other_posting_id)
    on conflict do nothing;
    return null;
end
$$;
CREATE FUNCTION public.search_names(words text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
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
CREATE FUNCTION public.search_text(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN public.search_names(public.plain_letters(words));
CREATE FUNCTION public.search_text_with_go(words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(public.search_text(words), '\mgo\M(?![- ]to\M)'::text, 'golang'::text, 'gi'::text);
CREATE FUNCTION public.search_query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN websearch_to_tsquery('english'::regconfig, public.search_text_with_go(words));
CREATE FUNCTION public.title_words(title text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_tsvector('english'::regconfig, public.search_text_with_go(title));
CREATE FUNCTION public.yearly_salary(salary_min numeric, salary_max numeric, period text) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (COALESCE(salary_max, salary_min) * (CASE period WHEN 'HOUR'::text THEN 2080 WHEN 'DAY'::text THEN 260 WHEN 'WEEK'::text THEN 52 WHEN 'MONTH'::text THEN 12 ELSE 1 END)::numeric);
CREATE TABLE public.complete_fetches (
    source text NOT NULL,
    fetched_at timestamp with time zone NOT NULL,
    reaches_back_to timestamp with time zone
);
CREATE TABLE public.irrelevant_postings (
    posting_id text NOT NULL
);
CREATE TABLE public.job_postings (
    posting_id text NOT NULL,
    job_id text NOT NULL,
    source text NOT NULL,
    source_id text NOT NULL,
    title text NOT NULL,
    company text,
    description text,
    description_is_snippet boolean NOT NULL,
    tags text[] NOT NULL,
    skills text[] NOT NULL,
    location_text text,
    city text,
    region text,
    country text,
    remote boolean NOT NULL,
    employment_type text,
    salary_min double precision,
    salary_max double precision,
    salary_currency text,
    salary_period text,
    salary_is_predicted boolean NOT NULL,
    publisher text,
    apply_url text,
    source_url text,
    posted_at timestamp with time zone,
    expires_at timestamp with time zone,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    run_id text NOT NULL,
    category text NOT NULL,
    category_reason text NOT NULL,
    keys text[] NOT NULL,
    merge_rule text NOT NULL,
    merge_evidence text,
    merge_score double precision,
    merged_with text,
    merged_version bigint,
    status text NOT NULL,
    status_reason text NOT NULL,
    closed_at timestamp with time zone,
    review_at timestamp with time zone,
    repost_of text,
    apply_urls text[] DEFAULT '{}'::text[] NOT NULL,
    posted_at_is_approximate boolean DEFAULT false NOT NULL
)
WITH (fillfactor='80', toast_tuple_target='256');
CREATE TABLE public.job_reviews (
    job_id text NOT NULL,
    review_at timestamp with time zone NOT NULL
);
CREATE TABLE public.jobs (
    job_id text NOT NULL,
    source text NOT NULL,
    sources text[] NOT NULL,
    title text NOT NULL,
    company text,
    description text,
    description_is_snippet boolean NOT NULL,
    tags text[] NOT NULL,
    skills text[] NOT NULL,
    category text NOT NULL,
    category_reason text NOT NULL,
    city text,
    region text,
    country text,
    remote boolean NOT NULL,
    employment_type text,
    salary_min numeric(14,2),
    salary_max numeric(14,2),
    salary_currency text,
    salary_period text,
    salary_is_predicted boolean NOT NULL,
    apply_url text,
    source_url text,
    posted_at timestamp with time zone,
    expires_at timestamp with time zone,
    first_seen_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    status text NOT NULL,
    status_reason text NOT NULL,
    closed_at timestamp with time zone,
    posting_count bigint NOT NULL,
    content_hash text NOT NULL,
    created_version bigint NOT NULL,
    changed_version bigint NOT NULL,
    search tsvector GENERATED ALWAYS AS ((((setweight(public.title_words(title), 'A'::"char") || setweight(to_tsvector('english'::regconfig, public.search_text(COALESCE(company, ''::text))), 'B'::"char")) || setweight(public.title_words(((public.array_text(skills) || ' '::text) || public.array_text(tags))), 'C'::"char")) || setweight(to_tsvector('english'::regconfig, public.search_text(COALESCE(description, ''::text))), 'D'::"char"))) STORED NOT NULL,
    reposted_at timestamp with time zone,
    moved_version bigint,
    posted_at_is_approximate boolean DEFAULT false NOT NULL,
    CONSTRAINT jobs_country_check CHECK ((country ~ '^[A-Z]{2}$'::text))
)
WITH (toast_tuple_target='256');
ALTER TABLE ONLY public.jobs ALTER COLUMN sources SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN title SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN company SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN tags SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN skills SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN category_reason SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN apply_url SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN source_url SET STORAGE MAIN;
ALTER TABLE ONLY public.jobs ALTER COLUMN status_reason SET STORAGE MAIN;
CREATE TABLE public.posting_overrides (
    posting_id text NOT NULL,
    other_posting_id text NOT NULL,
    action text NOT NULL,
    note text,
    decided_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT posting_overrides_action_check CHECK ((action = ANY (ARRAY['join'::text, 'split'::text]))),
    CONSTRAINT posting_overrides_check CHECK ((other_posting_id <> posting_id))
);
ALTER TABLE public.publishes ALTER COLUMN version ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.publishes_version_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rejected_postings (
    source text NOT NULL,
    source_id text NOT NULL,
    reason text NOT NULL,
    raw text NOT NULL,
    first_seen_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL,
    run_id text NOT NULL
);
CREATE TABLE public.removed_jobs (
    job_id text NOT NULL,
    removed_version bigint NOT NULL,
    removed_at timestamp with time zone NOT NULL,
    merged_into text
);
CREATE TABLE public.run_leases (
    token bigint NOT NULL,
    run_id text NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.run_leases ALTER COLUMN token ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.run_leases_token_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.schema_migrations (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.sources (
    source text NOT NULL,
    title text NOT NULL,
    attribution text NOT NULL,
    read_up_to text,
    staged bigint NOT NULL,
    last_fetch_at timestamp with time zone,
    last_fetch_status text,
    last_fetch_reason text,
    last_success_at timestamp with time zone,
    quota_left bigint
);
CREATE TABLE public.withdrawn_overrides (
    posting_id text NOT NULL
);
INSERT INTO public.complete_fetches VALUES ('remoteok', '2026-02-06 10:30:00+00', NULL);
INSERT INTO public.complete_fetches VALUES ('remoteok', '2026-02-06 16:30:00+00', NULL);
INSERT INTO public.complete_fetches VALUES ('remoteok', '2026-02-06 22:30:00+00', NULL);
INSERT INTO public.irrelevant_postings VALUES ('jsearch_77');
INSERT INTO public.irrelevant_postings VALUES ('adzuna_11');
INSERT INTO public.job_postings VALUES ('jsearch_10', 'jsearch_10', 'jsearch', '10', 'SRE', 'Old Pier', NULL, false, '{}', '{}', NULL, 'Hull', NULL, 'GB', false, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, '2026-02-01 10:30:00+00', '2025-07-21 10:30:00+00', '2026-01-17 10:30:00+00', 'run-1', 'sre', 'title: sre', '{"title old pier | engineer reliability site","wording old pier | site reliability engineer"}', 'first', NULL, NULL, NULL, NULL, 'closed', 'It has expired, at the time that its source had given.', '2026-02-01 10:30:00+00', NULL, NULL, '{}', false);
INSERT INTO public.job_postings VALUES ('adzuna_8', 'adzuna_8', 'adzuna', '8', 'Cloud Engineer', 'Tidal', NULL, false, '{}', '{}', NULL, 'Bristol', NULL, 'GB', false, NULL, 41.25, 55, 'GBP', 'HOUR', true, NULL, NULL, NULL, '2026-02-06 10:30:00+00', NULL, '2026-02-06 10:30:00+00', '2026-02-06 16:30:00+00', 'run-2', 'cloud', 'title: cloud', '{"override adzuna_8 + jsearch_9","title tidal | cloud engineer","wording tidal | cloud engineer"}', 'first', NULL, NULL, NULL, NULL, 'open', 'Its source shows it.', NULL, '2026-03-08 16:30:00+00', NULL, '{}', false);
INSERT INTO public.job_postings VALUES ('jsearch_9', 'adzuna_8', 'jsearch', '9', 'Platform Engineer, Payments', 'Tidal', NULL, false, '{}', '{}', NULL, 'Leeds', NULL, 'GB', false, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL, '2026-02-06 10:30:00+00', '2026-02-06 16:30:00+00', 'run-2', 'platform', 'title: platform', '{"override adzuna_8 + jsearch_9","title tidal | engineer platform","wording tidal | platform engineer payments"}', 'override', 'a person joined them', NULL, 'adzuna_8', 2, 'open', 'Its source shows it.', NULL, '2026-03-08 16:30:00+00', NULL, '{}', false);
INSERT INTO public.job_postings VALUES ('remoteok_7', 'remoteok_7', 'remoteok', '7', 'Senior DevOps Engineer', 'Kelp Works', 'Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. ', false, '{}', '{}', NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, '2026-02-06 10:30:00+00', NULL, '2026-02-06 10:30:00+00', '2026-02-06 16:30:00+00', 'run-2', 'devops', 'title: devops', '{"title kelp works | devops engineer","wording kelp works | devops engineer"}', 'first', NULL, NULL, NULL, NULL, 'open', 'Its source shows it.', NULL, '2026-02-06 16:30:00+00', NULL, '{}', false);
INSERT INTO public.job_postings VALUES ('jsearch_a/b==', 'adzuna_1', 'jsearch', 'a/b==', 'Senior Backend Engineer', 'Harbour & Söhne', 'We run the booking system of forty harbours and keep it up at night. We run the booking sy…', true, '{}', '{}', NULL, 'Kiel', NULL, 'DE', false, NULL, NULL, NULL, NULL, NULL, false, 'LinkedIn', 'https://boards.greenhouse.io/harbour/jobs/5729825003', NULL, '2026-02-03 10:30:00+00', '2026-04-07 10:30:00+00', '2026-02-06 10:30:00+00', '2026-02-06 16:30:00+00', 'run-2', 'backend', 'title', '{"requisition greenhouse:5729825003","title harbour and sohne | backend engineer","wording harbour and sohne | backend engineer"}', 'requisition', 'both apply at greenhouse:5729825003', NULL, 'adzuna_1', 1, 'open', 'Its source shows it.', NULL, '2026-03-08 16:30:00+00', NULL, '{}', true);
INSERT INTO public.job_postings VALUES ('adzuna_1', 'adzuna_1', 'adzuna', '1', 'Senior Backend Engineer (Rust)', 'Harbour & Söhne GmbH', 'We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. ', false, '{"quo\"ted, {braced} \\ slashed","NULL"}', '{Kubernetes,Rust}', 'Kiel, Schleswig-Holstein', 'Kiel', 'Schleswig-Holstein', 'DE', false, 'FULLTIME', 72000, 85000.5, 'EUR', 'YEAR', false, NULL, 'https://boards.greenhouse.io/harbour/jobs/5729825003', 'https://www.adzuna.example/details/1', '2026-02-06 10:30:00+00', NULL, '2026-02-06 10:30:00+00', '2026-02-06 22:30:00+00', 'run-3', 'backend', 'title', '{"requisition greenhouse:5729825003","title harbour and sohne | backend engineer","wording harbour and sohne | backend engineer rust"}', 'first', NULL, NULL, NULL, NULL, 'open', 'Its source shows it.', NULL, '2026-03-08 22:30:00+00', NULL, '{https://boards.greenhouse.io/harbour/jobs/5729825003,"https://jobs.example/1?a=1,2"}', false);
INSERT INTO public.job_reviews VALUES ('jsearch_10', '2026-05-02 10:30:00+00');
INSERT INTO public.job_reviews VALUES ('adzuna_1', '2026-03-08 16:30:00+00');
INSERT INTO public.job_reviews VALUES ('adzuna_8', '2026-03-08 16:30:00+00');
INSERT INTO public.job_reviews VALUES ('remoteok_7', '2026-02-06 16:30:00+00');
INSERT INTO public.jobs VALUES ('adzuna_1', 'adzuna', '{adzuna,jsearch}', 'Senior Backend Engineer (Rust)', 'Harbour & Söhne GmbH', 'We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. We run the booking system of forty harbours and keep it up at night. ', false, '{"NULL","quo\"ted, {braced} \\ slashed"}', '{Kubernetes,Rust}', 'backend', 'title', 'Kiel', 'Schleswig-Holstein', 'DE', false, 'FULLTIME', 72000.00, 85000.50, 'EUR', 'YEAR', false, 'https://boards.greenhouse.io/harbour/jobs/5729825003', 'https://www.adzuna.example/details/1', '2026-02-06 10:30:00+00', '2026-04-07 10:30:00+00', '2026-02-06 10:30:00+00', '2026-11-25 17:41:32.561433+00', 'open', 'Its source shows it.', NULL, 2, 'cb0b9f07bc8c4b8c1ceeabbfc5b8684d', 1, 1, DEFAULT, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('jsearch_10', 'jsearch', '{jsearch}', 'SRE', 'Old Pier', NULL, false, '{}', '{}', 'sre', 'title: sre', 'Hull', NULL, 'GB', false, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, '2026-02-01 10:30:00+00', '2025-07-21 10:30:00+00', '2026-11-25 17:41:32.561433+00', 'closed', 'It has expired, at the time that its source had given.', '2026-02-01 10:30:00+00', 1, '190feafe0a9493a084a4d5bc42aee9d8', 1, 1, DEFAULT, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('adzuna_8', 'adzuna', '{adzuna,jsearch}', 'Cloud Engineer', 'Tidal', NULL, false, '{}', '{}', 'cloud', 'title: cloud', 'Bristol', NULL, 'GB', false, NULL, 41.25, 55.00, 'GBP', 'HOUR', true, NULL, NULL, '2026-02-06 10:30:00+00', NULL, '2026-02-06 10:30:00+00', '2026-11-25 17:41:32.745324+00', 'open', 'Its source shows it.', NULL, 2, 'a42476c9aeb33066c5d9102ae9b4ed34', 1, 2, DEFAULT, NULL, NULL, false);
INSERT INTO public.jobs VALUES ('remoteok_7', 'remoteok', '{remoteok}', 'Senior DevOps Engineer', 'Kelp Works', 'Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. Terraform, and the on-call of a small team. ', false, '{}', '{}', 'devops', 'title: devops', NULL, NULL, NULL, true, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, '2026-02-06 10:30:00+00', NULL, '2026-02-06 10:30:00+00', '2026-11-25 17:41:32.745324+00', 'open', 'Its source shows it.', NULL, 1, '92d7c558cea043c757029059d6da7199', 1, 2, DEFAULT, NULL, NULL, false);
INSERT INTO public.posting_overrides VALUES ('adzuna_8', 'jsearch_9', 'join', 'the recruiter says so', '2026-02-06 12:00:00+00');
INSERT INTO public.posting_overrides VALUES ('remoteok_7', 'adzuna_1', 'split', NULL, '2026-02-06 13:00:00+00');
INSERT INTO public.publishes OVERRIDING SYSTEM VALUE VALUES (1, 'run-1', '2026-02-06 10:30:00+00', '2026-11-25 17:41:32.638837+00', 25254692.638837, true, 'before-the-fields', '{"adzuna": 3, "jsearch": 3, "remoteok": 1}', 6, 0, 0, 1, 0, 1, 6, 0, 0);
INSERT INTO public.publishes OVERRIDING SYSTEM VALUE VALUES (2, 'run-2', '2026-02-06 16:30:00+00', '2026-11-25 17:41:32.783067+00', 25233092.783067, false, 'before-the-fields', '{"adzuna": 3, "jsearch": 3, "remoteok": 1}', 0, 2, 2, 5, 2, 0, 4, 0, 0);
INSERT INTO public.publishes OVERRIDING SYSTEM VALUE VALUES (3, 'run-3', '2026-02-06 22:30:00+00', '2026-11-25 17:41:32.908655+00', 25211492.908655, false, 'before-the-fields', '{"adzuna": 3, "jsearch": 3, "remoteok": 1}', 0, 0, 0, 1, 6, 0, 4, 0, 0);
INSERT INTO public.rejected_postings VALUES ('adzuna', '99', 'no title', '{}', '2026-02-06 10:30:00.123456+00', '2026-02-06 10:30:00.123456+00', 'run-1');
INSERT INTO public.removed_jobs VALUES ('adzuna_11', 2, '2026-11-25 17:41:32.745324+00', NULL);
INSERT INTO public.removed_jobs VALUES ('jsearch_9', 2, '2026-11-25 17:41:32.745324+00', 'adzuna_8');
INSERT INTO public.run_leases OVERRIDING SYSTEM VALUE VALUES (1, 'run-1', '2026-11-25 17:41:32.3594+00');
INSERT INTO public.run_leases OVERRIDING SYSTEM VALUE VALUES (2, 'run-2', '2026-11-25 17:41:32.650211+00');
INSERT INTO public.run_leases OVERRIDING SYSTEM VALUE VALUES (3, 'run-3', '2026-11-25 17:41:32.797672+00');
INSERT INTO public.schema_migrations VALUES (1, '0001_published_tables', '0a35db1e19a65abb36d79125380d024e810c56b23517ce5a5b2c16a362cc545b', '2026-11-25 17:41:32.300907+00');
INSERT INTO public.schema_migrations VALUES (2, '0002_search', 'ed5098fa879d1bde6ef9511d1eeea794c5e55568d28bd4bb841fecabc46c6349', '2026-11-25 17:41:32.322126+00');
INSERT INTO public.schema_migrations VALUES (3, '0003_lifecycle', 'a66a8e9ee9a5972eabd1d80675fdee9d22a89e86ccf958c0cff4d2aefbf98143', '2026-11-25 17:41:32.335589+00');
INSERT INTO public.schema_migrations VALUES (4, '0004_inline_summaries', 'e4dd7accf028c7d0137657af93cc85db1d4b3211030f3932306e8cf83b7e9d71', '2026-11-25 17:41:32.340168+00');
INSERT INTO public.schema_migrations VALUES (5, '0005_apply_urls', 'eb6191aa8ff78018bb62bbbace5752ed717d318f9b2999f7129f5b8c4103f75d', '2026-11-25 17:41:32.341912+00');
INSERT INTO public.schema_migrations VALUES (6, '0006_read_alike', 'e5224ff8fc5469b1e8bcb8c1e5f9192fe361e5f705c9e243afdbcaeca74d8c3c', '2026-11-25 17:41:32.343021+00');
INSERT INTO public.schema_migrations VALUES (7, '0007_run_leases', 'ec5ba4d456e579a015d6b3634432aab8adf66e1af47e534b1bbd2c5f6b8d3be4', '2026-11-25 17:41:32.348793+00');
INSERT INTO public.schema_migrations VALUES (8, '0008_approximate_dates', '1bef16db1afb59df3d89775dbcb108f1f83882e8f81580aaa75cbb651bb7715d', '2026-11-25 17:41:32.354495+00');
INSERT INTO public.sources VALUES ('adzuna', 'Adzuna', 'Jobs by Adzuna', '2', 3, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.sources VALUES ('jsearch', 'JSearch', 'Jobs by JSearch', '2', 3, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.sources VALUES ('remoteok', 'Remote OK', 'Jobs from Remote OK', '2', 1, NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.withdrawn_overrides VALUES ('remoteok_7');
INSERT INTO public.withdrawn_overrides VALUES ('jsearch_9');
SELECT pg_catalog.setval('public.publishes_version_seq', 3, true);
SELECT pg_catalog.setval('public.run_leases_token_seq', 3, true);
ALTER TABLE ONLY public.complete_fetches
    ADD CONSTRAINT complete_fetches_pkey PRIMARY KEY (source, fetched_at);
ALTER TABLE ONLY public.irrelevant_postings
    ADD CONSTRAINT irrelevant_postings_pkey PRIMARY KEY (posting_id);
ALTER TABLE ONLY public.job_postings
    ADD CONSTRAINT job_postings_pkey PRIMARY KEY (posting_id);
ALTER TABLE ONLY public.job_reviews
    ADD CONSTRAINT job_reviews_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.posting_overrides
    ADD CONSTRAINT posting_overrides_pkey PRIMARY KEY (posting_id, other_posting_id);
ALTER TABLE ONLY public.publishes
    ADD CONSTRAINT publishes_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.rejected_postings
    ADD CONSTRAINT rejected_postings_pkey PRIMARY KEY (source, source_id);
ALTER TABLE ONLY public.removed_jobs
    ADD CONSTRAINT removed_jobs_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.run_leases
    ADD CONSTRAINT run_leases_pkey PRIMARY KEY (token);
ALTER TABLE ONLY public.run_leases
    ADD CONSTRAINT run_leases_run_id_key UNIQUE (run_id);
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.sources
    ADD CONSTRAINT sources_pkey PRIMARY KEY (source);
ALTER TABLE ONLY public.withdrawn_overrides
    ADD CONSTRAINT withdrawn_overrides_pkey PRIMARY KEY (posting_id);
CREATE INDEX job_postings_job_id ON public.job_postings USING btree (job_id);
CREATE INDEX job_postings_keys ON public.job_postings USING gin (keys) WITH (fastupdate=off);
CREATE INDEX job_reviews_due ON public.job_reviews USING btree (review_at);
CREATE INDEX jobs_changed_version ON public.jobs USING btree (changed_version, job_id);
CREATE INDEX jobs_city ON public.jobs USING btree (public.name_key(city));
CREATE INDEX jobs_company ON public.jobs USING btree (public.company_key(company));
CREATE INDEX jobs_company_trigram ON public.jobs USING gin (company public.gin_trgm_ops);
CREATE INDEX jobs_counts ON public.jobs USING btree (category, country, employment_type, remote, status, sources);
CREATE INDEX jobs_dated ON public.jobs USING btree (COALESCE(posted_at, first_seen_at));
CREATE INDEX jobs_latest_found ON public.jobs USING btree (first_seen_at DESC, public.newest(posted_at) DESC, job_id DESC);
CREATE INDEX jobs_moved ON public.jobs USING btree (moved_version) WHERE (moved_version IS NOT NULL);
CREATE INDEX jobs_newest ON public.jobs USING btree (public.newest(posted_at) DESC, job_id DESC);
CREATE INDEX jobs_newest_advertised ON public.jobs USING btree (public.newest(posted_at) DESC, job_id DESC) WHERE (status <> 'closed'::text);
CREATE INDEX jobs_newest_employment_type ON public.jobs USING btree (employment_type, public.newest(posted_at) DESC, job_id DESC);
CREATE INDEX jobs_newest_remote ON public.jobs USING btree (public.newest(posted_at) DESC, job_id DESC) WHERE remote;
CREATE INDEX jobs_salary ON public.jobs USING btree (salary_currency, public.yearly_salary(salary_min, salary_max, salary_period));
CREATE INDEX jobs_search ON public.jobs USING gin (search);
CREATE INDEX jobs_skills ON public.jobs USING gin (skills);
CREATE INDEX jobs_sources ON public.jobs USING gin (sources);
CREATE INDEX jobs_title_trigram ON public.jobs USING gin (title public.gin_trgm_ops);
CREATE INDEX jobs_title_words ON public.jobs USING gin (public.title_words(title));
CREATE UNIQUE INDEX posting_overrides_pair ON public.posting_overrides USING btree (LEAST(posting_id, other_posting_id), GREATEST(posting_id, other_posting_id));
CREATE INDEX publishes_run_id ON public.publishes USING btree (run_id);
CREATE INDEX rejected_postings_posting_id ON public.rejected_postings USING btree ((((source || '_'::text) || source_id)));
CREATE INDEX removed_jobs_version ON public.removed_jobs USING btree (removed_version, job_id);
CREATE TRIGGER note_move BEFORE UPDATE OF posted_at ON public.jobs FOR EACH ROW WHEN ((public.newest(new.posted_at) > public.newest(old.posted_at))) EXECUTE FUNCTION public.note_move();
CREATE TRIGGER notify_published AFTER INSERT ON public.publishes FOR EACH STATEMENT EXECUTE FUNCTION public.notify_published();
CREATE TRIGGER remember_withdrawn AFTER DELETE OR UPDATE ON public.posting_overrides FOR EACH ROW EXECUTE FUNCTION public.remember_withdrawn_override();
ALTER TABLE ONLY public.job_reviews
    ADD CONSTRAINT job_reviews_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(job_id) ON DELETE CASCADE;
