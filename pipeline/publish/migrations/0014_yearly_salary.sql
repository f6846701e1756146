-- What has no period is no year's pay.
drop index jobs_salary;

create or replace function yearly_salary(salary_min numeric, salary_max numeric, period text)
    returns numeric
    language sql immutable parallel safe
    return coalesce(salary_max, salary_min) * case period
        when 'HOUR' then 2080 when 'DAY' then 260 when 'WEEK' then 52 when 'MONTH' then 12
        when 'YEAR' then 1
    end;

create index jobs_salary on jobs
    (salary_currency, yearly_salary(salary_min, salary_max, salary_period));
