-- The jobs of the feed that the index found, in its order, of one edition as in export_found.sql.
with found as materialized (
    select *
    from unnest(%(ids)s::text[]) with ordinality as found (found_id, place)
)
--> feed_rows
