"""The jobs in which PostgreSQL finds a word or a phrase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from cachetools import LRUCache

from serving.index import bitmaps
from serving.index.bitmaps import Array, Bitmap, Slots
from serving.index.lexemes import RARE, Lexemes
from serving.index.tsquery import Phrase, Word

RECENT_BYTES = 64_000_000
"""What the phrases may take that were not learned for being frequent."""


class Words:
    """The jobs of one edition by word, all of them, and by phrase, as they were asked for: where
    in a text a word stands, PostgreSQL alone knows. Phrases that were learned stay; of the
    others, as many as there is room for."""

    def __init__(self, lexemes: Lexemes) -> None:
        self.lexemes = lexemes
        self._learned: dict[str, Array] = {}
        self._recent: LRUCache[str, Array] = LRUCache(
            RECENT_BYTES, getsizeof=lambda found: int(found.nbytes)
        )

    def has(self, phrase: Phrase) -> bool:
        return phrase.text in self._learned or phrase.text in self._recent

    def has_learned(self, phrase: Phrase) -> bool:
        return phrase.text in self._learned

    def bitmap(self, atom: Word | Phrase) -> Bitmap:
        """The jobs that it is in.

        Raises:
            KeyError: it is a phrase that is not kept.
        """
        if isinstance(atom, Word):
            found = self.lexemes.having(atom.lexeme)
        elif atom.text in self._learned:
            found = self._learned[atom.text]
        else:
            found = self._recent[atom.text]
        return found if found.dtype == np.uint64 else bitmaps.of_slots(found, self.lexemes.size)

    def keep(self, phrase: Phrase, slots: Slots, *, learned: bool = False) -> None:
        """Keep the jobs of a phrase."""
        rare = len(slots) * RARE <= self.lexemes.size
        found = slots.astype(np.int32) if rare else bitmaps.of_slots(slots, self.lexemes.size)
        if learned:
            self._learned[phrase.text] = found
        elif found.nbytes <= RECENT_BYTES:
            self._recent[phrase.text] = found

    def copy(self) -> Words:
        """A copy for another thread: reading a phrase, too, changes which were used last."""
        words = Words(self.lexemes)
        words._learned.update(self._learned)
        words._recent.update(self._recent)
        return words

    @property
    def phrases(self) -> Iterable[str]:
        """The texts of the phrases that are kept."""
        return [*self._learned, *self._recent]

    def updated(self, lexemes: Lexemes, changed: Slots, phrases: Mapping[str, Slots]) -> Words:
        """Those of a later edition.

        Args:
            changed: the slots whose text is another now.
            phrases: which of those match each of :attr:`phrases`. Others are dropped.
        """
        words = Words(lexemes)
        size = lexemes.size
        is_changed = np.zeros(size, np.bool_)
        is_changed[changed] = True
        for kept, found_in in ((words._learned, self._learned), (words._recent, self._recent)):
            for text in phrases.keys() & found_in.keys():
                found, added = found_in[text], phrases[text]
                if found.dtype == np.uint64:
                    kept[text] = bitmaps.replaced(found, size, changed, added)
                else:
                    unchanged = found[~is_changed[found]]
                    kept[text] = np.concatenate([unchanged, added.astype(np.int32)])
        return words
