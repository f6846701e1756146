"""How alike two adverts' texts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import polars as pl
from rensa import RMinHash, RMinHashLSH

from pipeline.transform.cleaning.text import fold

MIN_BODY_CHARS = 400
"""A shorter text, or a source's snippet, is no evidence that two bodies are the same."""

SAME_BODY = 0.8
"""Jaccard similarity of three-word shingles from which two bodies are the same. Published
measurements inside a company-and-title block: word-Jaccard of at least 0.95 for the same role and
at most 0.48 for different ones. One replaced word costs three shingles, so that 0.95 of the words
is about 0.85 of the shingles; the rest is room for a source's own header or footer."""

OTHER_BODY = 0.4
"""Similarity below which two full bodies advertise two openings, whatever their titles say."""

_SHINGLE_WORDS = 3
_ALL_PAIRS_UP_TO = 48
"""Distinct bodies of one block up to which every pair is compared (1,128 comparisons)."""
_MAX_NEIGHBOURS = 16
"""Comparisons a body in larger blocks, so that the time grows with the block and not its square."""
_HASHES, _BANDS = 64, 16

Shingles = frozenset[int]


def compared_text(description: pl.Expr) -> pl.Expr:
    """The description's words only, for shingling."""
    return fold(description)


def shingles(text: str) -> Shingles:
    """The hashes of the text's three-word sequences; they are comparable within one process."""
    words = text.split()
    if len(words) <= _SHINGLE_WORDS:
        return frozenset([hash(tuple(words))])
    return frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))


def jaccard(left: Shingles, right: Shingles) -> float:
    """Shared shingles by all shingles, from 0 to 1."""
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)


def alike(texts: Sequence[str], sets: Sequence[Shingles]) -> Iterator[tuple[float, int, int]]:
    """Pairs ``(similarity, i, j)`` with ``i < j`` of texts that are the same body, in no order.

    Small blocks are compared pair by pair. In larger ones MinHash proposes at most 16 earlier
    neighbours of each text, and each is measured exactly.
    """
    pairs = (
        combinations(range(len(texts)), 2) if len(texts) <= _ALL_PAIRS_UP_TO else _proposed(texts)
    )
    for i, j in pairs:
        smaller, larger = sorted((len(sets[i]), len(sets[j])))
        if smaller >= SAME_BODY * larger and (score := jaccard(sets[i], sets[j])) >= SAME_BODY:
            yield score, i, j


def _proposed(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    index = RMinHashLSH(threshold=SAME_BODY, num_perm=_HASHES, num_bands=_BANDS)
    for j, text in enumerate(texts):
        words = text.split()
        sketch = RMinHash(num_perm=_HASHES, seed=1)
        sketch.update([" ".join(words[at : at + _SHINGLE_WORDS]) for at in range(len(words))])
        neighbours = sorted(index.query(sketch))
        yield from ((i, j) for i in neighbours[:_MAX_NEIGHBOURS])
        if len(neighbours) < _MAX_NEIGHBOURS:
            index.insert(j, sketch)
