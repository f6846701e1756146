"""Every word of the jobs, with the jobs that it is in and where it stands: an inverted index.

Rare words have a list of slots, four bytes each, all lists in one array; words of more than one
in 32 jobs have a bitmap, which is smaller then. What a publish changed is kept apart from what was
read first, so that following it costs what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from serving.search import bitmaps
from serving.search.bitmaps import Array, Bitmap, Slots
from serving.search.lists import Filling, Lists, bounds_of, ranges
from serving.search.positions import Flags, Positions, Standing, in_sequence

SEPARATOR = "\x1f"
RARE = 32
"""A word of at most every so many jobs has a list."""
AT_ONCE = 50_000
"""Phrases are looked for in so many jobs at a time, for the room that it takes."""

Number = NDArray[np.int32]


@dataclass(frozen=True)
class Split:
    """The words of ``size`` texts: ``words`` with the text that each is in, by its place, and
    at how many of the ``positions`` it stands there, in ``counts``."""

    size: int
    words: pa.DictionaryArray
    texts: Slots
    counts: Slots
    positions: Positions


def split(joined: pa.Array) -> Split:
    """Those of texts that join them by :data:`SEPARATOR`. Each has the position 0."""
    lists = pc.split_pattern(joined, SEPARATOR)
    texts = np.repeat(np.arange(len(joined)), pc.list_value_length(lists).to_numpy())
    counts, positions = np.ones(len(texts), np.int64), np.zeros(len(texts), np.uint16)
    return Split(len(joined), lists.flatten().dictionary_encode(), texts, counts, positions)


def split_vectors(vectors: pa.Array) -> Split:
    """Those of each ``tsvector`` as PostgreSQL writes it, without weights and without the first
    quote: ``cat':3 'it''s':1,5``. No word of it holds a space."""
    lists = pc.split_pattern(pc.if_else(pc.equal(vectors, ""), None, vectors), " '")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    pairs = pc.split_pattern(lists.flatten(), "':", max_splits=1, reverse=True)
    numbers = pc.split_pattern(pc.list_element(pairs, 1), ",")
    return Split(
        len(vectors),
        pc.list_element(pairs, 0).dictionary_encode(),
        np.repeat(np.arange(len(vectors)), lengths),
        pc.list_value_length(numbers).to_numpy().astype(np.int64),
        numbers.flatten().cast(pa.uint16()).to_numpy(),
    )


def _numbered(encoded: pa.DictionaryArray, numbers: dict[str, int]) -> Number:
    """The number of each word of the dictionary; new ones are given to new words."""
    words = encoded.dictionary.to_pylist()
    return np.array([numbers.setdefault(word, len(numbers)) for word in words], np.int32)


@dataclass(frozen=True)
class _Part:
    """What some jobs in a row brought: each of ``words`` is in ``jobs_of`` of them, at ``places``
    among them, and stands in each at ``counts`` of the positions, less one; at ``positions_of``
    in all."""

    first: int
    size: int
    words: Number
    jobs_of: Slots
    places: Array
    counts: NDArray[np.uint8]
    positions_of: Slots
    positions: Positions


class Reading:
    """Collects the words of all jobs, whose slots are in the order they are read in."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._parts: list[_Part] = []
        self._size = 0

    def add(self, read: Split) -> None:
        """The words of the next jobs."""
        words = read.words.indices.to_numpy()
        different = len(read.words.dictionary)
        if different <= 1 << 16:
            words = words.astype(np.uint16)  # those are sorted ten times as fast
        order = np.argsort(words, kind="stable")
        bounds = bounds_of(np.bincount(words, minlength=different))
        counts = read.counts[order]
        begins = bounds_of(read.counts)[order]
        self._parts.append(
            _Part(
                self._size,
                read.size,
                _numbered(read.words, self._numbers),
                np.diff(bounds),
                read.texts[order].astype(np.uint16 if read.size <= 1 << 16 else np.int32),
                (counts - 1).astype(np.uint8),
                np.diff(bounds_of(counts)[bounds]),
                read.positions[ranges(begins, counts)],
            )
        )
        self._size += read.size

    def lexemes(self) -> Lexemes:
        """What was collected, which is forgotten."""
        jobs_of, positions_of = np.zeros((2, len(self._numbers)), np.int64)
        for part in self._parts:
            jobs_of[part.words] += part.jobs_of
            positions_of[part.words] += part.positions_of
        is_rare = jobs_of * RARE <= self._size
        slots = Filling(np.where(is_rare, jobs_of, 0), np.int32)
        bits = _FillingBitmaps(np.flatnonzero(~is_rare), len(is_rare), self._size)
        counts, positions = Filling(jobs_of, np.uint8), Filling(positions_of, np.uint16)
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            counts.add(part.words, part.jobs_of, part.counts)
            positions.add(part.words, part.positions_of, part.positions)
            rare = is_rare[part.words]
            in_rare = np.repeat(rare, part.jobs_of)
            of_rare = part.first + part.places[in_rare].astype(np.int32)
            slots.add(part.words[rare], part.jobs_of[rare], of_rare)
            bits.add(part, ~rare, part.places[~in_rare])
        return Lexemes(
            self._size,
            self._numbers,
            slots.lists,
            bits.bitmaps(),
            counts.lists,
            positions.lists,
            np.zeros(self._size, np.bool_),
            _Recent.none(),
        )


class _FillingBitmaps:
    """Fills the bitmaps of some words, with one part after the other."""

    def __init__(self, numbers: Slots, words: int, size: int) -> None:
        self._numbers = numbers
        self._row_of = np.zeros(words, np.int64)
        self._row_of[numbers] = np.arange(len(numbers))
        self._octets = np.zeros((len(numbers), 8 * len(bitmaps.empty(size))), np.uint8)

    def add(self, part: _Part, chosen: Flags, places: Array) -> None:
        """The ``places`` of the words of a part that are ``chosen``."""
        begin = part.first % 8
        flags = np.zeros((len(self._numbers), begin + part.size), np.bool_)
        rows = np.repeat(self._row_of[part.words[chosen]], part.jobs_of[chosen])
        flags[rows, begin + places.astype(np.int32)] = True
        bits = np.packbits(flags, axis=1, bitorder="little")
        first = part.first // 8
        self._octets[:, first : first + bits.shape[1]] |= bits

    def bitmaps(self) -> dict[int, Bitmap]:
        """By the number of the word."""
        whole = self._octets.view(np.uint64)
        return {int(number): whole[row] for row, number in enumerate(self._numbers)}


@dataclass(frozen=True)
class _Recent:
    """The slot and the position of each time that a word is there."""

    slots: Lists
    positions: Lists

    @classmethod
    def none(cls) -> _Recent:
        return cls(Lists.none(np.int32), Lists.none(np.uint16))

    def standing(self, number: int) -> Standing:
        """Where a word stands."""
        slots, positions = self.slots.of(number), self.positions.of(number)
        order = np.lexsort((positions, slots))
        slots, counts = np.unique(slots, return_counts=True)
        return Standing(slots, counts, positions[order])

    def replaced(self, is_gone: Flags, words: Number, slots: Slots, positions: Array) -> _Recent:
        """Without the slots that are gone, and with these words in other slots."""
        kept = ~is_gone[self.slots.values]
        lengths = np.diff(bounds_of(kept)[self.slots.bounds])
        added = np.bincount(words, minlength=len(lengths))
        lengths = np.pad(lengths, (0, len(added) - len(lengths)))
        order = np.argsort(words, kind="stable")
        at = np.cumsum(lengths)[words[order]]
        bounds = bounds_of(lengths + added)
        return _Recent(
            Lists(bounds, np.insert(self.slots.values[kept], at, slots[order])),
            Lists(bounds, np.insert(self.positions.values[kept], at, positions[order])),
        )


@dataclass(frozen=True)
class Lexemes:
    """The words of the jobs of one edition, of ``size`` slots.

    ``numbers`` is shared with later editions, which only add to it. ``lists`` of rare words,
    bitmaps of ``frequent`` ones, and in the order of their slots the ``counts`` of ``positions``,
    less one, were read first, and are true of the slots that are not ``stale``; ``recent`` is
    true of the others.
    """

    size: int
    numbers: dict[str, int]
    lists: Lists
    frequent: Mapping[int, Bitmap]
    counts: Lists
    positions: Lists
    stale: Flags
    recent: _Recent

    @cached_property
    def _fresh(self) -> Bitmap:
        return ~bitmaps.of_flags(self.stale)

    def having(self, lexeme: str) -> Array:
        """The jobs that this word is in, as a bitmap, or as slots if they are few."""
        number = self.numbers.get(lexeme)
        if number is None:
            return np.zeros(0, np.int32)
        recent = self.recent.slots.of(number)
        if number in self.frequent:
            found = bitmaps.of_slots(recent, self.size)
            first = self.frequent[number] & self._fresh
            found[: len(first)] |= first
            return found
        few = self.lists.of(number)
        return np.concatenate([few[~self.stale[few]], np.unique(recent)])

    def having_all(self, lexemes: Sequence[str]) -> Bitmap:
        """The jobs that all of these words are in."""
        found = ~bitmaps.empty(self.size)
        for lexeme in lexemes:
            found &= bitmaps.of_either(self.having(lexeme), self.size)
        return found

    def in_sequence(
        self, lexemes: Sequence[str], offsets: Sequence[int], candidates: Bitmap
    ) -> Slots:
        """Of some jobs that all of these words are in, those in which each word stands somewhere
        at its offset from the first."""
        slots = bitmaps.slots_of(candidates)
        is_first = slots < len(self.stale)
        is_first[is_first] = ~self.stale[slots[is_first]]
        found = [slots[:0]]
        for jobs, standing in (
            (slots[is_first], self._standing),
            (slots[~is_first], self.recent.standing),
        ):
            if len(jobs):
                words = [standing(self.numbers[lexeme]) for lexeme in lexemes]
                for some in np.split(jobs, range(AT_ONCE, len(jobs), AT_ONCE)):
                    follow = in_sequence([word.within(some) for word in words], offsets)
                    found.append(some[follow])
        return np.concatenate(found)

    def _standing(self, number: int) -> Standing:
        """Where a word stood in the slots that were read first."""
        jobs: Array | None = self.frequent.get(number)
        return Standing(
            self.lists.of(number) if jobs is None else jobs,
            self.counts.of(number).astype(np.int64) + 1,
            self.positions.of(number),
        )

    def updated(self, size: int, changed: Slots, read: Split) -> Lexemes:
        """Those of a later edition of ``size`` slots, in which the jobs ``changed`` have these
        words."""
        stale = self.stale.copy()
        stale[changed[changed < len(stale)]] = True
        is_changed = np.zeros(size, np.bool_)
        is_changed[changed] = True
        words = _numbered(read.words, self.numbers)[read.words.indices.to_numpy()]
        recent = self.recent.replaced(
            is_changed,
            np.repeat(words, read.counts),
            np.repeat(changed[read.texts], read.counts),
            read.positions,
        )
        return replace(self, size=size, stale=stale, recent=recent)

    @property
    def changed(self) -> int:
        """How many jobs have changed since they were read first."""
        return int(self.stale.sum()) + self.size - len(self.stale)
