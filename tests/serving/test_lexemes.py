"""The inverted index tells the jobs of each word, whatever was read and changed before."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.index import lexemes
from serving.index.bitmaps import slots_of
from serving.index.lexemes import SEPARATOR, Lexemes, Reading

WORDS = ["go", "c++", "it's", "site", "reliabl", "\\", "ä", "12"]
jobs = st.lists(st.sets(st.sampled_from(WORDS)), max_size=40)


def joined(texts: list[set[str]]) -> pa.Array:
    return pa.array([SEPARATOR.join(sorted(text)) for text in texts], pa.string())


def having(found: Lexemes, word: str) -> list[int]:
    slots = found.having(word)
    return sorted((slots_of(slots) if slots.dtype == np.uint64 else slots).tolist())


def expected(texts: list[set[str]], word: str) -> list[int]:
    return [slot for slot, text in enumerate(texts) if word in text]


@pytest.mark.parametrize("rare", [1, 4, 10_000])
@given(
    parts=st.lists(jobs, max_size=4),
    changes=st.lists(st.dictionaries(st.integers(0, 200), st.sets(st.sampled_from(WORDS)))),
)
def test_words_are_found_in_the_jobs_that_have_them(
    rare: int, parts: list[list[set[str]]], changes: list[dict[int, set[str]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexemes, "RARE", rare)
        reading = Reading()
        for part in parts:
            reading.add(pa.chunked_array([joined(part)]))
        found = reading.lexemes()
    texts = [text for part in parts for text in part]
    for word in [*WORDS, "unknown"]:
        assert having(found, word) == expected(texts, word)
    for change in changes:
        # A job beyond the known ones is a new one, which takes the next slot.
        slots = []
        for place, text in change.items():
            slot = min(place, len(texts))
            texts[slot : slot + 1] = [text]
            if slot not in slots:
                slots.append(slot)
        new = pa.chunked_array([joined([texts[slot] for slot in slots])])
        before, found = found, found.updated(len(texts), np.array(slots, np.int64), new)
        for word in [*WORDS, "unknown"]:
            assert having(found, word) == expected(texts, word)
        assert before.size <= found.size
