insert into complete_fetches (source, fetched_at, reaches_back_to)
select source, fetched_at, reaches_back_to
from incoming_fetches
on conflict (source, fetched_at) do update
set reaches_back_to = excluded.reaches_back_to
where complete_fetches.reaches_back_to is distinct from excluded.reaches_back_to
