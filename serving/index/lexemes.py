"""Every word of the jobs, with the jobs that it is in and where it stands there: an inverted index.

Rare words have a list of slots, four bytes each, all lists in one array; words of more than one
in 32 jobs have a bitmap, which is smaller then. What a publish changed is kept apart from what was
read first, so that following it costs what changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
AT_ONCE = 50_000
"""Phrases are looked for in so many jobs at a time, for the room that it takes."""

Number = NDArray[np.int32]
Positions = NDArray[np.uint16]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Split:
    """The values in texts that hold several: ``values`` with the text that each stands in, by its
    place. ``counts`` tells how many of ``positions`` each has, which ascend."""

    values: pa.DictionaryArray
    texts: Slots
    counts: Slots
    positions: Positions


def split(joined: pa.Array) -> Split:
    """Those in texts that join them by :data:`SEPARATOR`. Each has the position 0."""
    lists = pc.split_pattern(joined, SEPARATOR)
    texts = np.repeat(np.arange(len(joined)), pc.list_value_length(lists).to_numpy())
    counts, positions = np.ones(len(texts), np.int64), np.zeros(len(texts), np.uint16)
    return Split(lists.flatten().dictionary_encode(), texts, counts, positions)


def split_vectors(vectors: pa.Array) -> Split:
    """Those of each ``tsvector`` as PostgreSQL writes it, without weights and without the first
    quote: ``cat':3 'it''s':1,5``. No word of it holds a space."""
    lists = pc.split_pattern(pc.if_else(pc.equal(vectors, ""), None, vectors), " '")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    pairs = pc.split_pattern(lists.flatten(), "':", max_splits=1, reverse=True)
    numbers = pc.split_pattern(pc.list_element(pairs, 1), ",")
    return Split(
        pc.list_element(pairs, 0).dictionary_encode(),
        np.repeat(np.arange(len(vectors)), lengths),
        pc.list_value_length(numbers).to_numpy().astype(np.int64),
        numbers.flatten().cast(pa.uint16()).to_numpy(),
    )


def _ranges(begins: Slots, counts: Slots) -> Slots:
    """The numbers from each of ``begins`` on, as many as it counts."""
    return np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def _bounds(counts: Array) -> Slots:
    """Where each of several lists of so many begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


@dataclass(frozen=True)
class _Part:
    """What some jobs in a row brought: of each of ``words``, the places of ``jobs_of`` jobs, each
    with its ``counts`` of positions less one; a word has ``positions_of`` of them in all."""

    first: int
    jobs: int
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
        self._jobs = 0

    def add(self, read: Split, jobs: int) -> None:
        """The words of the next jobs."""
        of_entries = read.values.indices.to_numpy()
        if len(read.values.dictionary) <= 1 << 16:
            of_entries = of_entries.astype(np.uint16)  # those are sorted ten times as fast
        order = np.argsort(of_entries, kind="stable")
        size = len(read.values.dictionary)
        small = np.uint16 if jobs <= 1 << 16 else np.int32
        counts = read.counts[order]
        begins = (np.cumsum(read.counts) - read.counts)[order]
        bounds = _bounds(np.bincount(of_entries, minlength=size))
        self._parts.append(
            _Part(
                self._jobs,
                jobs,
                _numbered(read.values, self._numbers),
                np.diff(bounds),
                read.texts[order].astype(small),
                (counts - 1).astype(np.uint8),
                np.diff(_bounds(counts)[bounds]),
                read.positions[_ranges(begins, counts)],
            )
        )
        self._jobs += jobs

    def lexemes(self) -> Lexemes:
        """What was collected, which is forgotten."""
        totals, all_positions = np.zeros((2, len(self._numbers)), np.int64)
        for part in self._parts:
            totals[part.words] += part.jobs_of
            all_positions[part.words] += part.positions_of
        is_rare = totals * RARE <= self._jobs
        lists = _Lists(_bounds(np.where(is_rare, totals, 0)), np.empty(0, np.int32))
        slots = np.empty(lists.bounds[-1], np.int32)
        places = _Places(
            _bounds(totals),
            np.empty(totals.sum(), np.uint8),
            _bounds(all_positions),
            np.empty(all_positions.sum(), np.uint16),
        )
        filled = lists.bounds[:-1].copy()
        counted = places.bounds[:-1].copy()
        placed = places.bounds_of_positions[:-1].copy()
        frequent = np.flatnonzero(~is_rare)
        row_of = np.cumsum(~is_rare) - 1
        octets = np.zeros((len(frequent), 8 * len(bitmaps.empty(self._jobs))), np.uint8)
        self._parts.reverse()
        while self._parts:
            part = self._parts.pop()
            places.counts[_ranges(counted[part.words], part.jobs_of)] = part.counts
            places.positions[_ranges(placed[part.words], part.positions_of)] = part.positions
            counted[part.words] += part.jobs_of
            placed[part.words] += part.positions_of
            of_rare = is_rare[part.words]
            in_rare = np.repeat(of_rare, part.jobs_of)
            words, jobs_of = part.words[of_rare], part.jobs_of[of_rare]
            at = _ranges(filled[words], jobs_of)
            slots[at] = part.first + part.places[in_rare].astype(np.int32)
            filled[words] += jobs_of
            begin = part.first % 8
            flags = np.zeros((len(frequent), begin + part.jobs), np.bool_)
            rows = np.repeat(row_of[part.words[~of_rare]], part.jobs_of[~of_rare])
            flags[rows, begin + part.places[~in_rare].astype(np.int32)] = True
            bits = np.packbits(flags, axis=1, bitorder="little")
            octets[:, part.first // 8 : part.first // 8 + bits.shape[1]] |= bits
        whole = octets.view(np.uint64)
        of_frequent = {int(number): whole[row] for row, number in enumerate(frequent)}
        return Lexemes(
            self._jobs,
            self._numbers,
            _Lists(lists.bounds, slots),
            of_frequent,
            places,
            np.zeros(self._jobs, np.bool_),
            _Recent.empty(),
        )


def _numbered(encoded: pa.DictionaryArray, numbers: dict[str, int]) -> Number:
    """The number of each value of the dictionary; new ones are given to new words."""
    values = encoded.dictionary.to_pylist()
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int32)


@dataclass(frozen=True)
class _Lists:
    """Lists of slots, that of word ``n`` from ``bounds[n]`` to ``bounds[n + 1]``."""

    bounds: Slots
    slots: Number

    def of(self, number: int) -> Number:
        if number + 1 >= len(self.bounds):
            return self.slots[:0]
        return self.slots[self.bounds[number] : self.bounds[number + 1]]


@dataclass(frozen=True)
class _Standing:
    """Where a word stands: in each of its jobs, which are a bitmap or ascending slots, at
    ``counts`` of the ``positions`` from ``begins`` on."""

    jobs: Array
    counts: Slots
    begins: Slots
    positions: Positions

    def within(self, jobs: Slots) -> tuple[Slots, Positions]:
        """How often it stands in each of some of its jobs, and at which positions."""
        is_bitmap = self.jobs.dtype == np.uint64
        entries = bitmaps.ranks(self.jobs, jobs) if is_bitmap else np.searchsorted(self.jobs, jobs)
        counts = self.counts[entries]
        return counts, self.positions[_ranges(self.begins[entries], counts)]


def _in_sequence(words: Sequence[tuple[Slots, Positions]], offsets: Sequence[int]) -> Flags:
    """In which jobs each word stands somewhere at its offset from the first: words as
    :meth:`_Standing.within` tells of them."""
    counts, positions = words[0]
    # A flag for each position up to the last one at which the first word stands in a job.
    sizes = positions[np.cumsum(counts) - 1].astype(np.int64) + 1
    bases = np.cumsum(sizes) - sizes
    flags = np.zeros(sizes.sum(), np.bool_)
    flags[np.repeat(bases, counts) + positions] = True
    for (counts, positions), offset in zip(words[1:], offsets[1:], strict=True):
        begins = positions.astype(np.int64) - offset
        inside = (begins >= 0) & (begins < np.repeat(sizes, counts))
        begins = (begins + np.repeat(bases, counts))[inside]
        begins = begins[flags[begins]]
        flags = np.zeros(len(flags), np.bool_)
        flags[begins] = True
    found: Flags = np.logical_or.reduceat(flags, bases)
    return found


@dataclass(frozen=True)
class _Places:
    """How many ``positions``, less one, a word has in each of its jobs, and which. Both are in the
    order of words and slots; those of word ``n`` are within the n-th and the next bound."""

    bounds: Slots
    counts: NDArray[np.uint8]
    bounds_of_positions: Slots
    positions: Positions

    def of(self, number: int, jobs: Array) -> _Standing:
        """Where a word stands that has these jobs."""
        counts = self.counts[self.bounds[number] : self.bounds[number + 1]].astype(np.int64) + 1
        begins = self.bounds_of_positions[number] + np.cumsum(counts) - counts
        return _Standing(jobs, counts, begins, self.positions)


@dataclass(frozen=True)
class _Recent:
    """The slot and the position of each time that a word is there; those of word ``n`` are from
    ``bounds[n]`` to ``bounds[n + 1]``."""

    bounds: Slots
    slots: Number
    positions: Positions

    @classmethod
    def empty(cls) -> _Recent:
        return cls(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint16))

    def slots_of(self, number: int) -> Number:
        return self.slots[self._of(number)]

    def of(self, number: int) -> _Standing:
        slots, positions = self.slots_of(number), self.positions[self._of(number)]
        order = np.lexsort((positions, slots))
        slots, counts = np.unique(slots, return_counts=True)
        return _Standing(slots, counts, np.cumsum(counts) - counts, positions[order])

    def _of(self, number: int) -> slice:
        if number + 1 >= len(self.bounds):
            return slice(0)
        return slice(self.bounds[number], self.bounds[number + 1])

    def replaced(
        self, is_gone: Flags, words: Number, slots: Slots, positions: Positions
    ) -> _Recent:
        """Without the slots that are gone, and with these words in other slots."""
        before = np.repeat(np.arange(len(self.bounds) - 1), np.diff(self.bounds))
        kept = ~is_gone[self.slots]
        all_words = np.concatenate([before[kept], words])
        order = np.argsort(all_words, kind="stable")
        return _Recent(
            _bounds(np.bincount(all_words)),
            np.concatenate([self.slots[kept], slots.astype(np.int32)])[order],
            np.concatenate([self.positions[kept], positions])[order],
        )


@dataclass(frozen=True)
class Lexemes:
    """The words of the jobs of one edition, of ``size`` slots.

    ``numbers`` is shared with later editions, which only add to it. ``lists``, ``frequent`` and
    ``places`` were read first, and are true of the slots that are not ``stale``; ``recent`` is
    true of the others.
    """

    size: int
    numbers: dict[str, int]
    lists: _Lists
    frequent: Mapping[int, Bitmap]
    places: _Places
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
        recent = self.recent.slots_of(number)
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
            having = self.having(lexeme)
            if having.dtype != np.uint64:
                having = bitmaps.of_slots(having, self.size)
            found &= having
        return found

    def in_sequence(self, lexemes: Sequence[str], offsets: Sequence[int]) -> Slots:
        """The jobs in which each of the words stands somewhere at its offset from the first."""
        slots = bitmaps.slots_of(self.having_all(lexemes))
        is_first = slots < len(self.stale)
        is_first[is_first] = ~self.stale[slots[is_first]]
        found = [slots[:0]]
        for jobs, of in ((slots[is_first], self._first), (slots[~is_first], self.recent.of)):
            if len(jobs):
                words = [of(self.numbers[lexeme]) for lexeme in lexemes]
                for some in np.split(jobs, range(AT_ONCE, len(jobs), AT_ONCE)):
                    stand = _in_sequence([word.within(some) for word in words], offsets)
                    found.append(some[stand])
        return np.concatenate(found)

    def _first(self, number: int) -> _Standing:
        jobs: Array | None = self.frequent.get(number)
        return self.places.of(number, self.lists.of(number) if jobs is None else jobs)

    def updated(self, size: int, changed: Slots, read: Split) -> Lexemes:
        """Those of a later edition of ``size`` slots, in which the jobs ``changed`` have these
        words."""
        stale = self.stale.copy()
        stale[changed[changed < len(stale)]] = True
        is_changed = np.zeros(size, np.bool_)
        is_changed[changed] = True
        words = _numbered(read.values, self.numbers)[read.values.indices.to_numpy()]
        recent = self.recent.replaced(
            is_changed,
            np.repeat(words, read.counts),
            np.repeat(changed[read.texts], read.counts),
            read.positions,
        )
        return Lexemes(size, self.numbers, self.lists, self.frequent, self.places, stale, recent)

    @property
    def changed(self) -> int:
        """How many jobs have changed since they were read first."""
        return int(self.stale.sum()) + self.size - len(self.stale)
