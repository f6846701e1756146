"""Every word of the jobs, with the jobs that it is in: an inverted index.

Rare words have a list of slots, four bytes each, all lists in one array; words of more than one
in 32 jobs have a bitmap, which is smaller then. What a publish changed is kept apart from what was
read first, so that following it costs what changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from serving.index import bitmaps
from serving.index.bitmaps import Array, Bitmap, Slots

SEPARATOR = "\x1f"
RARE = 32
"""A word of at most every so many jobs has a list."""

Number = NDArray[np.int32]


def split(joined: pa.Array) -> tuple[pa.DictionaryArray, Slots]:
    """The values in texts that hold several, and the text that each stands in, by its place."""
    lists = pc.split_pattern(joined, SEPARATOR)
    texts = np.repeat(np.arange(len(joined)), pc.list_value_length(lists).to_numpy())
    return lists.flatten().dictionary_encode(), texts


@dataclass(frozen=True)
class _Part:
    """What some jobs in a row brought: of each of ``words``, the places of ``counts`` jobs."""

    first: int
    jobs: int
    words: Number
    counts: Slots
    places: Array


class Reading:
    """Collects the words of all jobs, whose slots are in the order they are read in."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._parts: list[_Part] = []
        self._jobs = 0

    def add(self, lexemes: pa.ChunkedArray) -> None:
        """The words of the next jobs, joined by :data:`SEPARATOR`."""
        for chunk in lexemes.chunks:
            encoded, texts = split(chunk)
            of_chunk = encoded.indices.to_numpy()
            if len(encoded.dictionary) <= 1 << 16:
                of_chunk = of_chunk.astype(np.uint16)  # those are sorted ten times as fast
            order = np.argsort(of_chunk, kind="stable")
            small = np.uint16 if len(chunk) <= 1 << 16 else np.int32
            self._parts.append(
                _Part(
                    self._jobs,
                    len(chunk),
                    _numbered(encoded, self._numbers),
                    np.bincount(of_chunk, minlength=len(encoded.dictionary)),
                    texts[order].astype(small),
                )
            )
            self._jobs += len(chunk)

    def lexemes(self) -> Lexemes:
        """What was collected, which is forgotten."""
        totals = np.zeros(len(self._numbers), np.int64)
        for part in self._parts:
            totals[part.words] += part.counts
        is_rare = totals * RARE <= self._jobs
        rare = np.where(is_rare, totals, 0)
        ends = np.concatenate([[0], np.cumsum(rare)])
        slots = np.empty(ends[-1], np.int32)
        filled = ends[:-1].copy()
        frequent = np.flatnonzero(~is_rare)
        row_of = np.cumsum(~is_rare) - 1
        octets = np.zeros((len(frequent), 8 * len(bitmaps.empty(self._jobs))), np.uint8)
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            of_rare = is_rare[part.words]
            in_rare = np.repeat(of_rare, part.counts)
            words, counts = part.words[of_rare], part.counts[of_rare]
            begins = filled[words] - (np.cumsum(counts) - counts)
            at = np.repeat(begins, counts) + np.arange(counts.sum())
            slots[at] = part.first + part.places[in_rare].astype(np.int32)
            filled[words] += counts
            begin = part.first % 8
            flags = np.zeros((len(frequent), begin + part.jobs), np.bool_)
            rows = np.repeat(row_of[part.words[~of_rare]], part.counts[~of_rare])
            flags[rows, begin + part.places[~in_rare].astype(np.int32)] = True
            bits = np.packbits(flags, axis=1, bitorder="little")
            octets[:, part.first // 8 : part.first // 8 + bits.shape[1]] |= bits
        whole = octets.view(np.uint64)
        of_frequent = {int(number): whole[row] for row, number in enumerate(frequent)}
        return Lexemes(
            self._jobs,
            self._numbers,
            _Lists(ends, slots),
            of_frequent,
            np.zeros(self._jobs, np.bool_),
            _Lists.empty(),
        )


def _numbered(encoded: pa.DictionaryArray, numbers: dict[str, int]) -> Number:
    """The number of each value of the dictionary; new ones are given to new words."""
    values = encoded.dictionary.to_pylist()
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)


@dataclass(frozen=True)
class _Lists:
    """Lists of slots, that of word ``n`` from ``ends[n]`` to ``ends[n + 1]``."""

    ends: Slots
    slots: Number

    @classmethod
    def empty(cls) -> _Lists:
        return cls(np.zeros(1, np.int64), np.zeros(0, np.int32))

    def of(self, number: int) -> Number:
        if number + 1 >= len(self.ends):
            return self.slots[:0]
        return self.slots[self.ends[number] : self.ends[number + 1]]

    def replaced(self, is_gone: NDArray[np.bool_], words: Number, slots: Slots) -> _Lists:
        """Without the slots that are gone, and with one of ``slots`` for each of ``words``."""
        before = np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends))
        kept = ~is_gone[self.slots]
        all_words = np.concatenate([before[kept], words])
        all_slots = np.concatenate([self.slots[kept], slots.astype(np.int32)])
        order = np.argsort(all_words, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(all_words))])
        return _Lists(ends, all_slots[order])


@dataclass(frozen=True)
class Lexemes:
    """The words of the jobs of one edition, of ``size`` slots.

    ``numbers`` is shared with later editions, which only add to it. ``lists`` and ``frequent``
    were read first, and are true of the slots that are not ``stale``; ``recent`` is true of the
    others.
    """

    size: int
    numbers: dict[str, int]
    lists: _Lists
    frequent: Mapping[int, Bitmap]
    stale: NDArray[np.bool_]
    recent: _Lists

    @cached_property
    def _fresh(self) -> Bitmap:
        return ~bitmaps.of_flags(self.stale)

    def having(self, lexeme: str) -> Array:
        """The jobs that this word is in, as a bitmap, or as slots if they are few."""
        number = self.numbers.get(lexeme)
        if number is None:
            return np.zeros(0, np.int32)
        recent = self.recent.of(number)
        if number in self.frequent:
            found = bitmaps.of_slots(recent, self.size)
            first = self.frequent[number] & self._fresh
            found[: len(first)] |= first
            return found
        few = self.lists.of(number)
        return np.concatenate([few[~self.stale[few]], recent])

    def updated(self, size: int, changed: Slots, lexemes: pa.ChunkedArray) -> Lexemes:
        """Those of a later edition of ``size`` slots, in which the jobs ``changed`` have these
        words."""
        stale = self.stale.copy()
        stale[changed[changed < len(stale)]] = True
        is_changed = np.zeros(size, np.bool_)
        is_changed[changed] = True
        encoded, texts = split(lexemes.combine_chunks())
        words = _numbered(encoded, self.numbers)[encoded.indices.to_numpy()]
        recent = self.recent.replaced(is_changed, words, changed[texts])
        return Lexemes(size, self.numbers, self.lists, self.frequent, stale, recent)

    @property
    def changed(self) -> int:
        """How many jobs have changed since they were read first."""
        return int(self.stale.sum()) + self.size - len(self.stale)
