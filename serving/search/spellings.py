"""The different titles and companies: which have the words of a search, and which read like it.

Texts that read alike share trigrams. Those are PostgreSQL's
(https://www.postgresql.org/docs/current/pgtrgm.html), and how alike two texts are PostgreSQL says
too; here are the few texts that it need be asked about.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from serving.search import bitmaps
from serving.search.lexemes import Lexemes, Reading, Split, split, split_vectors
from serving.search.words import Words

THRESHOLD = 0.6
"""``pg_trgm.word_similarity_threshold``: texts as alike as this share as much of the trigrams."""
MOST_COMPARED = 2_000
"""As many texts are compared with a search, those that share the most trigrams with it."""


@dataclass(frozen=True)
class Spellings:
    """Different texts, their trigrams and their words."""

    texts: Sequence[str | None]
    trigrams: Lexemes
    words: Words

    @classmethod
    def none(cls) -> Spellings:
        return cls([], Reading().lexemes(), Words(Reading().lexemes()))

    def new(self, texts: Sequence[str | None]) -> Sequence[str | None]:
        """Those of ``texts``, which are these and others after them, that are not known."""
        return texts[len(self.texts) :]

    def updated(
        self, texts: Sequence[str | None], trigrams: Sequence[str], words: Sequence[str]
    ) -> Spellings:
        """With the new ones of ``texts``: their trigrams, joined, and their words as vectors."""

        def added(known: Lexemes, read: Split) -> Lexemes:
            if self.texts:
                return known.updated(len(texts), np.arange(len(self.texts), len(texts)), read)
            reading = Reading()
            reading.add(read)
            return reading.lexemes()

        return Spellings(
            texts,
            added(self.trigrams, split(pa.array(trigrams, pa.string()))),
            Words(added(self.words.lexemes, split_vectors(pa.array(words, pa.string())))),
        )

    def like(self, trigrams: Iterable[str]) -> list[str]:
        """The texts that may be as alike as :data:`THRESHOLD` to one of these trigrams."""
        shared = np.zeros(len(self.texts), np.int32)
        wanted = set(trigrams)
        for trigram in wanted:
            having = self.trigrams.having(trigram)
            if bitmaps.is_bitmap(having):
                having = bitmaps.slots_of(having)
            shared[having] += 1
        least = max(1, math.ceil(THRESHOLD * len(wanted)))
        found = np.flatnonzero(shared >= least)
        if len(found) > MOST_COMPARED:
            found = found[np.argsort(-shared[found], kind="stable")[:MOST_COMPARED]]
        return [text for text in (self.texts[place] for place in found.tolist()) if text]
