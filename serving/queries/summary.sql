-- A job as lists show it.
(
    select row_to_json(summary)
    from (
        select
            --> list_columns
    ) as summary
)
