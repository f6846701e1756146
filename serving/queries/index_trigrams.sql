-- The trigrams of each of the texts.
select array_to_string(show_trgm(coalesce(text, '')), chr(31)) as trigrams
from unnest(%(texts)s::text[]) with ordinality as texts (text, place)
order by place
