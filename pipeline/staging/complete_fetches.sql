-- The fetches that showed all that the source had to show: complete, not empty, and not
-- suspiciously small beside the fetches before.
select
    started_at as fetched_at,
    case when rows >= $window then oldest_posted_at end as reaches_back_to
from (
    select
        started_at, rows, oldest_posted_at,
        median(rows) over (order by started_at rows between $history preceding and 1 preceding)
            as usual
    from staging.fetches
    where status = 'ok'
)
where rows > 0 and rows >= $least_share * coalesce(usual, 0)
order by started_at
