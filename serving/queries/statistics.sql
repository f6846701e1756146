-- The published jobs that are not closed, counted by what they have in common.
with advertised as not materialized (
    select * from jobs where status <> 'closed'
),
salaries as (
    select
        salary_currency as currency, salary_is_predicted as predicted, count(*) as jobs,
        percentile_cont(array[0.25, 0.5, 0.75]) within group (
            order by yearly_salary(salary_min, salary_max, salary_period)::float8
        ) as quartiles
    from advertised
    where salary_currency is not null
        and yearly_salary(salary_min, salary_max, salary_period) is not null
    group by salary_currency, salary_is_predicted
)
select
    published_edition() as revision,
    json_build_object(
        'total', (select count(*) from advertised),
        'by_day', (
            select coalesce(json_agg(json_build_object('value', day, 'jobs', jobs) order by day), '[]')
            from (
                select (posted_at at time zone 'UTC')::date as day, count(*) as jobs
                from advertised
                where posted_at is not null
                group by day
                order by day desc
                limit 90
            ) as days
        ),
        'by_category', (
            select coalesce(
                json_agg(json_build_object('value', category, 'jobs', jobs) order by jobs desc, category),
                '[]'
            )
            from (select category, count(*) as jobs from advertised group by category) as counts
        ),
        'by_source', (
            select coalesce(
                json_agg(json_build_object('value', source, 'jobs', jobs) order by jobs desc, source),
                '[]'
            )
            from (
                select unnest(sources) as source, count(*) as jobs from advertised group by 1
            ) as counts
        ),
        'by_country', (
            select coalesce(
                json_agg(json_build_object('value', country, 'jobs', jobs) order by jobs desc, country),
                '[]'
            )
            from (select country, count(*) as jobs from advertised group by country) as counts
        ),
        'by_skill', (
            select coalesce(
                json_agg(json_build_object('value', skill, 'jobs', jobs) order by jobs desc, skill),
                '[]'
            )
            from (
                select unnest(skills) as skill, count(*) as jobs
                from advertised
                group by 1
                order by jobs desc, skill
                limit 100
            ) as counts
        ),
        'salaries', (
            select coalesce(
                json_agg(
                    json_build_object(
                        'currency', currency,
                        'predicted', predicted,
                        'jobs', jobs,
                        'lower_quartile', quartiles[1],
                        'median', quartiles[2],
                        'upper_quartile', quartiles[3]
                    )
                    order by currency, predicted
                ),
                '[]'
            )
            from salaries
        )
    )::text as statistics
