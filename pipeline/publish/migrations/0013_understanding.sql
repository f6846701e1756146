-- What a posting says: role, workplace, eligibility, level, terms, pay, deadline, with evidence.

alter table job_postings
    add column cities text[] not null default '{}',
    add column countries text[] not null default '{}',
    add column workplace text,
    add column remote_eligibility text[] not null default '{}',
    add column eligible_countries text[] not null default '{}',
    add column employment_types text[] not null default '{}',
    add column seniority text,
    add column years_experience_min bigint,
    add column years_experience_max bigint,
    add column visa_sponsorship text,
    add column clearance_required text,
    add column salary_kind text,
    add column salary_text text,
    add column salary_ranges text[] not null default '{}',
    add column salary_yearly_min double precision,
    add column salary_yearly_max double precision,
    add column salary_usd_yearly_min double precision,
    add column salary_usd_yearly_max double precision,
    add column salary_eur_yearly_min double precision,
    add column salary_eur_yearly_max double precision,
    add column deadline date,
    add column evidence jsonb not null default '[]';

alter table jobs
    add column location_text text,
    add column cities text[] not null default '{}',
    add column countries text[] not null default '{}',
    add column workplace text,
    add column remote_eligibility text[] not null default '{}',
    add column eligible_countries text[] not null default '{}',
    add column employment_types text[] not null default '{}',
    add column seniority text,
    add column years_experience_min bigint,
    add column years_experience_max bigint,
    add column visa_sponsorship text,
    add column clearance_required text,
    add column salary_kind text,
    add column salary_text text,
    add column salary_ranges text[] not null default '{}',
    add column salary_yearly_min numeric,
    add column salary_yearly_max numeric,
    add column salary_usd_yearly_min numeric,
    add column salary_usd_yearly_max numeric,
    add column salary_eur_yearly_min numeric,
    add column salary_eur_yearly_max numeric,
    add column deadline date;

-- Why a posting that is no job in technology is not published.
alter table irrelevant_postings
    add column title text,
    add column reason text not null default '';
