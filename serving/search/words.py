"""The jobs in which PostgreSQL finds a word or a phrase."""

from __future__ import annotations

import numpy as np
from cachetools import LRUCache

from serving.search import bitmaps
from serving.search.bitmaps import Array, Bitmap
from serving.search.lexemes import RARE, Lexemes
from serving.search.tsquery import Phrase, Word

PHRASES_BYTES = 64_000_000
"""What the jobs of phrases may take that are kept, those that were asked for last."""


class Words:
    """The jobs of one edition by word, and by phrase."""

    def __init__(self, lexemes: Lexemes) -> None:
        self.lexemes = lexemes
        self._phrases: LRUCache[Phrase, Array] = LRUCache(
            PHRASES_BYTES, getsizeof=lambda found: int(found.nbytes)
        )

    def has(self, phrase: Phrase) -> bool:
        """Whether the jobs of this phrase are kept."""
        return phrase in self._phrases

    def bitmap(self, atom: Word | Phrase) -> Bitmap:
        """The jobs that it is in."""
        if isinstance(atom, Word):
            found = self.lexemes.having(atom.lexeme)
        elif atom in self._phrases:
            found = self._phrases[atom]
        else:
            found = self.find(atom, self.candidates(atom))
            self.keep(atom, found)
        return bitmaps.of_either(found, self.lexemes.size)

    def candidates(self, phrase: Phrase) -> Bitmap:
        """The jobs that have all words of a phrase."""
        return self.lexemes.having_all([word.lexeme for word in phrase.words])

    def find(self, phrase: Phrase, candidates: Bitmap) -> Array:
        """What to keep of a phrase. Threads may call this at once."""
        lexemes = [word.lexeme for word in phrase.words]
        slots = self.lexemes.in_sequence(lexemes, phrase.offsets, candidates)
        rare = len(slots) * RARE <= self.lexemes.size
        return slots.astype(np.int32) if rare else bitmaps.of_slots(slots, self.lexemes.size)

    def keep(self, phrase: Phrase, found: Array) -> None:
        self._phrases[phrase] = found
