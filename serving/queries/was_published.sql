select exists (
    select from publishes
    where version = %(version)s
      and version || '-' || to_hex((extract(epoch from finished_at) * 1000000)::bigint)
          = %(revision)s
) as was_published
