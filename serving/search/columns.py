"""The values of the jobs, by slot: the number that a job has while the process keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from operator import or_

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serving.search import bitmaps
from serving.search.bitmaps import Array, Bitmap, Slots
from serving.search.lexemes import split

FEW_VALUES = 256
"""Up to so many values, a bitmap of each is kept once it was asked for."""

Counts = list[tuple[str | None, int]]


class Column:
    """One value a job, null included, as its number in the list of the values."""

    def __init__(self, values: list[str | None], codes: Array) -> None:
        self.values = values
        self.codes = codes
        self._numbers = {value: code for code, value in enumerate(values)}
        self._bitmaps: dict[int, Bitmap] = {}

    @classmethod
    def of(cls, column: pa.ChunkedArray) -> Column:
        """Of texts as numbers in one dictionary."""
        encoded = column.combine_chunks()
        values = encoded.dictionary.to_pylist()
        codes = encoded.indices.fill_null(len(values))
        return cls([*values, None], codes.to_numpy())

    def replaced(self, slots: Array, size: int, new: Column) -> Column:
        """A copy for ``size`` jobs with the values of ``new`` at ``slots``."""
        values = self.values + [value for value in new.values if value not in self._numbers]
        numbers = {value: code for code, value in enumerate(values)}
        codes = np.zeros(size, np.int32)
        codes[: len(self.codes)] = self.codes
        codes[slots] = np.array([numbers[value] for value in new.values], np.int32)[new.codes]
        return Column(values, codes)

    def any_of(self, values: Iterable[str]) -> Bitmap:
        """The jobs with any of these values."""
        codes = [self._numbers[value] for value in values if value in self._numbers]
        if len(codes) == 1 or (codes and len(self.values) <= FEW_VALUES):
            return reduce(or_, map(self._bitmap, codes))
        chosen = np.zeros(len(self.values) + 1, np.bool_)
        chosen[codes] = True
        return bitmaps.of_flags(chosen[self.codes])

    def of_places(self, places: Bitmap) -> Bitmap:
        """The jobs whose value is in one of these places of the list of the values."""
        flags = np.zeros(len(self.values) + 1, np.bool_)
        known = bitmaps.flags_of(places)[: len(flags)]
        flags[: len(known)] = known
        return bitmaps.of_flags(flags[self.codes])

    def numbers(self, of_values: Mapping[str, int]) -> NDArray[np.int16]:
        """Of each job the number given for its value, or else 0."""
        numbers = np.zeros(len(self.values) + 1, np.int16)
        for value, number in of_values.items():
            numbers[self._numbers[value]] = number
        return numbers[self.codes]

    def counts(self, matching: Bitmap) -> Counts:
        """How many of the matching jobs have each value."""
        if len(self.values) <= FEW_VALUES:
            counts = [bitmaps.count(self._bitmap(n) & matching) for n in range(len(self.values))]
        else:
            codes = self.codes[bitmaps.slots_of(matching)]
            counts = np.bincount(codes, minlength=len(self.values)).tolist()
        return [(value, n) for value, n in zip(self.values, counts, strict=True) if n]

    def _bitmap(self, code: int) -> Bitmap:
        bitmap = self._bitmaps.get(code)
        if bitmap is None:
            bitmap = bitmaps.of_flags(self.codes == code)
            if len(self.values) <= FEW_VALUES:
                self._bitmaps[code] = bitmap
        return bitmap


class ArrayColumn:
    """Any number of values a job, as the set of the jobs of each value."""

    def __init__(self, size: int, jobs: Mapping[str, Bitmap]) -> None:
        self._size = size
        self._jobs = jobs

    @classmethod
    def of(cls, column: pa.ChunkedArray, slots: Array, size: int) -> ArrayColumn:
        """Of joined texts, whose jobs have these slots."""
        found: dict[str, list[Slots]] = {}
        first = 0
        for part in column.chunks:  # all values together would take much room
            read = split(part)
            codes = read.words.indices.to_numpy()
            ends = np.cumsum(np.bincount(codes, minlength=len(read.words.dictionary)))
            of_code = slots[first + read.texts[np.argsort(codes, kind="stable")]]
            groups = np.split(of_code, ends[:-1])
            for value, group in zip(read.words.dictionary.to_pylist(), groups, strict=False):
                if value:  # the empty text is what an empty array is joined to
                    found.setdefault(value, []).append(group)
            first += len(part)
        return cls(
            size, {v: bitmaps.of_slots(np.concatenate(groups), size) for v, groups in found.items()}
        )

    def replaced(self, slots: Array, size: int, new: ArrayColumn) -> ArrayColumn:
        """A copy for ``size`` jobs with the values of ``new`` at ``slots``."""
        nobody = np.array([], np.int64)
        jobs = {}
        for value in {**self._jobs, **new._jobs}:
            kept = self._jobs.get(value, bitmaps.empty(size))
            jobs[value] = bitmaps.replaced(kept, size, slots, nobody)
            if value in new._jobs:
                jobs[value] |= new._jobs[value]
        return ArrayColumn(size, jobs)

    def any_of(self, values: Iterable[str]) -> Bitmap:
        """The jobs with any of these values."""
        found = bitmaps.empty(self._size)
        for value in values:
            if value in self._jobs:
                found = found | self._jobs[value]
        return found

    def counts(self, matching: Bitmap) -> Counts:
        """How many of the matching jobs have each value."""
        counts = [(value, bitmaps.count(jobs & matching)) for value, jobs in self._jobs.items()]
        return [(value, n) for value, n in counts if n]


def most_frequent(counts: Counts, places: int) -> Counts:
    """The highest counts, and of equal ones the lowest values; null is the last of them."""

    def rank(entry: tuple[str | None, int]) -> tuple[int, bool, str]:
        value, jobs = entry
        return -jobs, value is None, value or ""

    return sorted(counts, key=rank)[:places]


def replaced(column: Array, slots: Array, size: int, new: Array) -> Array:
    """A copy for ``size`` jobs with ``new`` at ``slots``."""
    copy = np.zeros(size, column.dtype)
    copy[: len(column)] = column
    copy[slots] = new
    return copy
