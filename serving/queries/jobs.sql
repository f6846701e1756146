-- One statement, hence one snapshot: the total and the page never come from two publishes.
-- A page beyond the last one is a single row with the total and nulls.
--
-- `matching` is planned anew at each use. A frequent term is best read in the order of
-- jobs_newest until the page is full, but where few jobs match that would read the whole table;
-- those are all fetched by the text index and sorted. The planner's estimate is too far off for
-- phrases and for several words to be trusted with that choice, so the exact total makes it.
with matching as not materialized (
    select *
    from jobs
    where (%(search)s::text is null or search @@ websearch_to_tsquery('english', %(search)s))
        and (%(sources)s::text[] is null or sources && %(sources)s)
        and (%(employment_types)s::text[] is null or employment_type = any (%(employment_types)s))
        and (%(categories)s::text[] is null or category = any (%(categories)s))
        and (%(country)s::text is null or country = %(country)s)
        and (not %(remote_only)s::boolean or remote)
),
-- A total that is known for the version seen here is not counted again. Without a publish there
-- is no version, and everything is counted.
published as (
    select max(version) as version from publishes
),
counted as materialized (
    select
        version,
        case
            when version = %(known_version)s::bigint then %(known_total)s::bigint
            else (select count(*) from matching)
        end as total
    from published
),
page as (
    select many.*
    from counted
    cross join lateral (
        select *
        from matching
        where counted.total > 2000
        order by posted_at desc nulls last, job_id
        limit %(limit)s::bigint offset %(offset)s::bigint
    ) as many
    union all
    select few.*
    from counted
    cross join lateral (
        select *
        from (
            select * from matching where counted.total between 1 and 2000 offset 0
        ) as all_of_few
        order by posted_at desc nulls last, job_id
        limit %(limit)s::bigint offset %(offset)s::bigint
    ) as few
)
select
    counted.version, counted.total, page.job_id, page.source, page.sources, page.title, page.company, page.city,
    page.country, page.remote, page.employment_type, page.category,
    trim_scale(page.salary_min)::text as salary_min,
    trim_scale(page.salary_max)::text as salary_max,
    page.salary_currency, page.salary_period, page.salary_is_predicted,
    page.apply_url, page.source_url, page.posted_at
from counted
left join page on true
order by page.posted_at desc nulls last, page.job_id
