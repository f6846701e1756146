-- Words and names are found however their letters are written, and jobs by when they were found.
-- What calls another of these functions is in SQL, which binds it when it is created: PostgreSQL
-- looks up no names of this schema while it maintains an index.

-- Text as people read it: mathematical, full-width and composed letters as the plain ones (NFKC),
-- without what is not seen: soft hyphens, zero-width and bidirectional marks, variation selectors,
-- tags. A trade mark is no letter of the word before it. ASCII is as it is.
create function plain_letters(words text) returns text
    language plpgsql immutable strict parallel safe
as $$
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

-- What search_text was in 0002.
create function search_names(words text) returns text
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

create or replace function search_text(words text) returns text
    language sql immutable strict parallel safe
    return search_names(plain_letters(words));

-- Lower case without accents, ligatures and punctuation, "&" as "and".
create function folded(name text) returns text
    language plpgsql immutable strict parallel safe
as $$
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
$$;

-- A folded name of a company without its legal form; empty if it is nothing else.
create function without_legal_form(name text) returns text
    language plpgsql immutable strict parallel safe
as $$
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
$$;

-- Names as they are compared: bounded, as an index holds them, and never empty.
create function name_key(name text) returns text
    language sql immutable strict parallel safe
    return left(coalesce(nullif(folded(plain_letters(name)), ''), lower(name)), 200);

create function company_key(name text) returns text
    language sql immutable strict parallel safe
    return coalesce(nullif(without_legal_form(name_key(name)), ''), name_key(name));

create function name_keys(names text[]) returns text[]
    language sql immutable strict parallel safe
    return array(select name_key(name) from unnest(names) as name);

create function company_keys(names text[]) returns text[]
    language sql immutable strict parallel safe
    return array(select company_key(name) from unnest(names) as name);

drop index jobs_city, jobs_company, jobs_first_seen;
create index jobs_city on jobs (name_key(city));
create index jobs_company on jobs (company_key(company));
-- The latest found first, those of one time in the order of the list.
create index jobs_latest_found on jobs (first_seen_at desc, newest(posted_at) desc, job_id desc);
create index jobs_dated on jobs (coalesce(posted_at, first_seen_at));

-- Which publish moved a job towards the front of the list. Who reads the list meanwhile, and is past
-- its new place, has not seen it yet and gets it after the rest.
alter table jobs add column moved_version bigint;
comment on column jobs.moved_version is 'The publish that last gave it a later posting date; null if none did.';
create index jobs_moved on jobs (moved_version) where moved_version is not null;
create function note_move() returns trigger
    language plpgsql
as $$
begin
    new.moved_version := new.changed_version;
    return new;
end
$$;
create trigger note_move before update of posted_at on jobs
    for each row when (newest(new.posted_at) > newest(old.posted_at))
    execute function note_move();

-- Only where the plain letters are others does anything change.
update jobs set title = title
where concat_ws(' ', title, company, array_text(skills), array_text(tags), description)
    <> plain_letters(
        concat_ws(' ', title, company, array_text(skills), array_text(tags), description)
    );
