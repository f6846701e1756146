-- The filters of a query, null where not given. The planner drops those.
status = any (%(statuses)s::text[])
and (%(sources)s::text[] is null or sources && %(sources)s::text[])
and (%(categories)s::text[] is null or category = any (%(categories)s::text[]))
and (%(employment_types)s::text[] is null or employment_type = any (%(employment_types)s::text[]))
and (%(countries)s::text[] is null or country = any (%(countries)s::text[]))
and (%(cities)s::text[] is null or name_key(city) = any (name_keys(%(cities)s::text[])))
and (
    %(companies)s::text[] is null
    or company_key(company) = any (company_keys(%(companies)s::text[]))
)
and (%(skills)s::text[] is null or skills && %(skills)s::text[])
and (not %(remote_only)s::boolean or remote)
and (
    %(posted_since)s::timestamptz is null
    or coalesce(posted_at, first_seen_at) >= %(posted_since)s::timestamptz
)
and (%(first_seen_since)s::timestamptz is null or first_seen_at >= %(first_seen_since)s::timestamptz)
and (%(salary_currency)s::text is null or salary_currency = %(salary_currency)s::text)
and (
    %(salary_min)s::numeric is null
    or yearly_salary(salary_min, salary_max, salary_period) >= %(salary_min)s::numeric
)
