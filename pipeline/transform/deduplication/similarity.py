"""How similar two adverts' texts are."""

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


def similar(texts: Sequence[str], sets: Sequence[Shingles]) -> Iterator[tuple[float, int, int]]:
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


class Bodies:
    """The texts of the postings in blocks as words, and their shingles where needed."""

    def __init__(self, ordered: pl.DataFrame, blocks: list[list[int]]) -> None:
        needed = sorted({row for members in blocks for row in members})
        read = ordered[needed].select(
            text=fold(pl.col("description")),
            full=~pl.col("description_is_snippet")
            & (pl.col("description").str.len_chars() >= MIN_BODY_CHARS),
        )
        self._texts: dict[int, str | None] = dict(zip(needed, read["text"], strict=True))
        self._full: dict[int, bool | None] = dict(zip(needed, read["full"], strict=True))
        self._shingles: dict[int, Shingles] = {}

    def text(self, row: int) -> str | None:
        """The text, if it is long and whole enough to be evidence."""
        return self._texts[row] if self._full[row] else None

    def shingles(self, row: int) -> Shingles:
        if row not in self._shingles:
            self._shingles[row] = shingles(self._texts[row] or "")
        return self._shingles[row]

    def shown(self, row: int) -> str | None:
        """The text, be it a snippet."""
        return self._texts[row]

    def are_one(self, left: int, right: int) -> bool:
        """Whether both are whole texts and the same body."""
        one, other = self.text(left), self.text(right)
        return bool(one and other) and (
            one == other or jaccard(self.shingles(left), self.shingles(right)) >= SAME_BODY
        )

    def may_be_one(self, left: int, right: int) -> bool:
        """False if both are whole texts that have little in common."""
        if not (self._full[left] and self._full[right]):
            return True
        return jaccard(self.shingles(left), self.shingles(right)) >= OTHER_BODY
