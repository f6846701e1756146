-- The trigrams and the words of each of the texts.
select
    array_to_string(show_trgm(coalesce(text, '')), chr(31)) as trigrams,
    substr(title_words(coalesce(text, ''))::text, 2) as words
from unnest(%(texts)s::text[]) with ordinality as texts (text, place)
order by place
