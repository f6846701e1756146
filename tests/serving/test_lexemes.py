"""The inverted index tells the jobs of words and phrases, whatever was read and changed before."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.search import bitmaps, lexemes
from serving.search.lexemes import Lexemes, Reading, split_vectors
from serving.search.tsquery import matching, parse
from serving.search.words import Words
from tests.serving.published_rows import Connection

WORDS = ["go", "c++", "it''s", "site", "reliabl", "\\\\", "ä", "12", "a,b':3"]
jobs = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), max_size=40)
PHRASES = [(["site", "reliabl"], [0, 1]), (["go", "go", "12"], [0, 2, 3]), (["ä", "no"], [0, 1])]


def vectors(texts: list[list[str]]) -> pa.Array:
    """Texts, given as the lexeme at each position from 1 on, as PostgreSQL writes them."""
    return pa.array(
        [
            " ".join(
                f"'{word}':{','.join(str(n) for n, at in enumerate(text, 1) if at == word)}"
                for word in sorted(set(text))
            )[1:]
            for text in texts
        ],
        pa.string(),
    )


def having(found: Lexemes, word: str) -> list[int]:
    slots = found.having(word)
    return sorted((bitmaps.slots_of(slots) if slots.dtype == np.uint64 else slots).tolist())


def stands(text: list[str], words: list[str], offsets: list[int]) -> bool:
    return any(
        all(text[begin + n : begin + n + 1] == [w] for w, n in zip(words, offsets, strict=True))
        for begin in range(len(text))
    )


def check(found: Lexemes, texts: list[list[str]]) -> None:
    for word in [*WORDS, "unknown"]:
        assert having(found, word) == [slot for slot, text in enumerate(texts) if word in text]
    for words, offsets in PHRASES:
        assert sorted(found.in_sequence(words, offsets, found.having_all(words)).tolist()) == [
            slot for slot, text in enumerate(texts) if stands(text, words, offsets)
        ]


@pytest.mark.parametrize("rare", [1, 4, 10_000])
@given(
    parts=st.lists(jobs, max_size=4),
    changes=st.lists(
        st.dictionaries(st.integers(0, 200), st.lists(st.sampled_from(WORDS), max_size=12))
    ),
)
def test_words_are_found_where_they_are(
    rare: int, parts: list[list[list[str]]], changes: list[dict[int, list[str]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexemes, "RARE", rare)
        reading = Reading()
        for part in parts:
            reading.add(split_vectors(vectors(part)))
        found = reading.lexemes()
    texts = [text for part in parts for text in part]
    check(found, texts)
    for change in changes:
        # A job beyond the known ones is a new one, which takes the next slot.
        slots = []
        for place, text in change.items():
            slot = min(place, len(texts))
            texts[slot : slot + 1] = [text]
            if slot not in slots:
                slots.append(slot)
        read = split_vectors(vectors([texts[slot] for slot in slots]))
        before, found = found, found.updated(len(texts), np.array(slots, np.int64), read)
        check(found, texts)
        assert before.size <= found.size


PIECES = [
    "site", "reliability", "reliable", "sites", "the", "and", "on-call", "C++", "it's", ".NET",
    "https://jobs.example.org/it's?a=1", "someone@example.org", "9.5", "-40", "node.js", "a,b:3",
    "Zürich", "\\", "''", "well-known-name", "/usr/bin",
]  # fmt: skip


def test_phrases_are_found_where_postgresql_finds_them(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.search.lexemes.AT_ONCE", 7)
    chance = random.Random(1)
    texts = [" ".join(chance.choices(PIECES, k=chance.randrange(30))) for _ in range(400)]
    searches = [
        chance.choice(['"{}"', '-"{}" site', "{}"]).format(
            " ".join(chance.choices(PIECES, k=chance.randrange(1, 4)))
        )
        for _ in range(400)
    ]
    read = [
        row[0]
        for row in connection.execute(
            "select substr(setweight(title_words(text), 'D')::text, 2)"
            " from unnest(%s::text[]) with ordinality as texts (text, place) order by place",
            (texts,),
        )
    ]
    reading = Reading()
    reading.add(split_vectors(pa.array(read, pa.string())))
    words = Words(reading.lexemes())
    matches = 0
    for search in searches:
        (query,) = connection.execute("select search_query(%s)::text", (search,)).fetchone() or ()
        rows = connection.execute(
            "select place - 1 from unnest(%s::text[]) with ordinality as texts (text, place)"
            " where title_words(text) @@ %s::tsquery order by place",
            (texts, query),
        ).fetchall()
        tree = parse(query)
        found = bitmaps.empty(0) if tree is None else matching(tree, words.bitmap)
        slots = bitmaps.slots_of(found)
        assert slots[slots < len(texts)].tolist() == [place for (place,) in rows], search
        matches += len(rows)
    assert matches > 1000
