-- The trigrams and the words of each of the texts.
select
    array_to_string(show_trgm(coalesce(text, '')), chr(31)) as trigrams,
    array_to_string(tsvector_to_array(title_words(coalesce(text, ''))), chr(31)) as words
from unnest(%(texts)s::text[]) with ordinality as texts (text, place)
order by place
