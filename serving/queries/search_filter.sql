(%(search)s::text is null or search @@ search_query(%(search)s::text))
