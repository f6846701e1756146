-- The postings that are not published, and why, in the order of their ids.
with rejected as (
    (
        select source || '_' || source_id as posting_id, 'rejected' as kind, null as title, reason
        from rejected_postings
        where source || '_' || source_id > %(after)s::text
            and (%(posting_id)s::text is null or source || '_' || source_id = %(posting_id)s::text)
        order by source || '_' || source_id
        limit %(limit)s::bigint + 1
    )
    union all
    (
        select posting_id, 'irrelevant', title, reason
        from irrelevant_postings
        where posting_id > %(after)s::text
            and (%(posting_id)s::text is null or posting_id = %(posting_id)s::text)
        order by posting_id
        limit %(limit)s::bigint + 1
    )
)
select posting_id, kind, title, reason
from rejected
order by posting_id
limit %(limit)s::bigint + 1
