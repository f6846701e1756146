"""The jobs in which PostgreSQL finds a word or a phrase, kept once it was asked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cachetools import LRUCache

from serving.index import bitmaps
from serving.index.bitmaps import Array, Bitmap, Slots

RECENT_BYTES = 64_000_000
"""What the lists of words may take that were not learned for being frequent."""
SEPARATOR = "\x1f"


def grouped(joined: pa.ChunkedArray, slots: Slots) -> dict[str, Slots]:
    """The values in texts that hold several, with the slots of the texts that hold each."""
    found: dict[str, list[Slots]] = {}
    first = 0
    for part in joined.chunks:  # a part at a time, as all values together would take much room
        lists = pc.split_pattern(part, SEPARATOR)
        encoded = lists.flatten().dictionary_encode()
        codes = encoded.indices.to_numpy()
        of_part = slots[first : first + len(part)]
        of_code = np.repeat(of_part, pc.list_value_length(lists).to_numpy())[
            np.argsort(codes, kind="stable")
        ]
        ends = np.cumsum(np.bincount(codes, minlength=len(encoded.dictionary)))
        groups = np.split(of_code, ends[:-1])
        for value, group in zip(encoded.dictionary.to_pylist(), groups, strict=False):
            if value:  # the empty text is what an empty array is joined to
                found.setdefault(value, []).append(group)
        first += len(part)
    return {value: np.concatenate(groups) for value, groups in found.items()}


class WordLists:
    """The lists of one edition, by atom (:mod:`serving.index.words`). Those that were learned
    stay; of the others, as many as there is room for. A rare word's is an array of slots."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._learned: dict[str, Array] = {}
        self._recent: LRUCache[str, Array] = LRUCache(
            RECENT_BYTES, getsizeof=lambda found: int(found.nbytes)
        )

    def __contains__(self, atom: str) -> bool:
        return atom in self._learned or atom in self._recent

    def has_learned(self, atom: str) -> bool:
        return atom in self._learned

    def bitmap(self, atom: str) -> Bitmap:
        """The jobs of a list that is kept.

        Raises:
            KeyError: it is not.
        """
        found = self._learned[atom] if atom in self._learned else self._recent[atom]
        return found if found.dtype == np.uint64 else bitmaps.of_slots(found, self._size)

    def keep(self, atom: str, slots: Slots, *, learned: bool = False) -> None:
        """Keep a list."""
        found = self._kept(slots)
        if learned:
            self._learned[atom] = found
        elif found.nbytes <= RECENT_BYTES:
            self._recent[atom] = found

    def _kept(self, slots: Slots) -> Array:
        rare = len(slots) * 32 < self._size
        return slots.astype(np.int32) if rare else bitmaps.of_slots(slots, self._size)

    def copy(self) -> WordLists:
        """A copy for another thread: reading a list, too, changes which were used last."""
        words = WordLists(self._size)
        words._learned.update(self._learned)
        words._recent.update(self._recent)
        return words

    @property
    def phrases(self) -> list[str]:
        """The atoms that are not single words."""
        return [atom for atom in (*self._learned, *self._recent) if _lexeme(atom) is None]

    def updated(
        self, size: int, changed: Slots, lexemes: pa.ChunkedArray, phrases: Mapping[str, Slots]
    ) -> WordLists:
        """The lists of a later edition of ``size`` slots.

        Args:
            changed: the slots whose text is another now.
            lexemes: all words of each of those, joined.
            phrases: which of those match each of :attr:`phrases`. Lists of others are dropped.
        """
        words = WordLists(size)
        having = grouped(lexemes, changed)
        is_changed = np.zeros(size, np.bool_)
        is_changed[changed] = True
        nobody = np.array([], np.int64)
        for kept, learned in ((self._learned, True), (self._recent, False)):
            for atom, found in kept.items():
                lexeme = _lexeme(atom)
                if lexeme is not None:
                    added = having.get(lexeme, nobody)
                elif atom in phrases:
                    added = phrases[atom]
                else:
                    continue
                if found.dtype == np.uint64:
                    new: Array = bitmaps.replaced(found, size, changed, added)
                else:
                    unchanged = found[~is_changed[found]]
                    new = np.concatenate([unchanged, added.astype(np.int32)])
                (words._learned if learned else words._recent)[atom] = new
        return words


def _lexeme(atom: str) -> str | None:
    """The word that a one-word atom is about."""
    inside = atom[1:-1].replace("''", "").replace("\\\\", "")
    if "'" in inside or not atom.startswith("'"):
        return None
    return atom[1:-1].replace("''", "'").replace("\\\\", "\\")
