-- Names of cities and companies as they are compared.
select
    name_keys(%(cities)s::text[]) as cities,
    company_keys(%(companies)s::text[]) as companies
