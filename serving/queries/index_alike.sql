-- Which of the texts read like a search, and how much so.
select text, word_similarity(%(search)s::text, text)::float8 as score
from unnest(%(texts)s::text[]) as texts (text)
where %(search)s::text <%% text
