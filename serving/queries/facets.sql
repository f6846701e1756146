-- How many of the matching jobs have each value of the facets asked for, the 100 most frequent.
with matching as not materialized (
    select *
    from jobs
    where
        --> filters
        and
        --> search_filter
),
counts (facet, value, jobs) as (
    select 'category', category, count(*) from matching
    where 'category' = any (%(facets)s::text[]) group by category
    union all
    select 'source', advertised, count(*) from matching cross join unnest(sources) as advertised
    where 'source' = any (%(facets)s::text[]) group by advertised
    union all
    select 'country', country, count(*) from matching
    where 'country' = any (%(facets)s::text[]) group by country
    union all
    select 'employment_type', employment_type, count(*) from matching
    where 'employment_type' = any (%(facets)s::text[]) group by employment_type
    union all
    select 'remote', remote::text, count(*) from matching
    where 'remote' = any (%(facets)s::text[]) group by remote
    union all
    select 'status', status, count(*) from matching
    where 'status' = any (%(facets)s::text[]) group by status
    union all
    select 'city', city, count(*) from matching
    where 'city' = any (%(facets)s::text[]) group by city
    union all
    select 'company', company, count(*) from matching
    where 'company' = any (%(facets)s::text[]) group by company
    union all
    select 'skills', skill, count(*) from matching cross join unnest(skills) as skill
    where 'skills' = any (%(facets)s::text[]) group by skill
),
places as (
    select *, row_number() over (partition by facet order by jobs desc, value collate "C") as place
    from counts
)
select
    published_edition() as edition,
    coalesce(
        (
            select json_object_agg(facet, entries)
            from (
                select
                    facet,
                    json_agg(json_build_object('value', value, 'jobs', jobs) order by place)
                        as entries
                from places
                where place <= 100
                group by facet
            ) as facets
        ),
        '{}'
    )::text as facets
