"""Lists of numbers, one for each word, all in one array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from serving.search.bitmaps import Array, Slots


def ranges(begins: Slots, counts: Slots) -> Slots:
    """The numbers from each of ``begins`` on, as many as it counts."""
    return np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def bounds_of(counts: Array) -> Slots:
    """Where each of several lists of so many begins, and where the last ends."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


@dataclass(frozen=True)
class Lists:
    """The list of word ``n`` are the values from ``bounds[n]`` to ``bounds[n + 1]``."""

    bounds: Slots
    values: NDArray[Any]

    @classmethod
    def none(cls, dtype: DTypeLike) -> Lists:
        return cls(np.zeros(1, np.int64), np.zeros(0, dtype))

    def of(self, word: int) -> NDArray[Any]:
        """The list of a word, empty if it has none."""
        if word + 1 >= len(self.bounds):
            return self.values[:0]
        return self.values[self.bounds[word] : self.bounds[word + 1]]


class Filling:
    """Fills lists whose lengths are known, each from its front on."""

    def __init__(self, lengths: Slots, dtype: DTypeLike) -> None:
        bounds = bounds_of(lengths)
        self.lists = Lists(bounds, np.empty(bounds[-1], dtype))
        self._filled = bounds[:-1].copy()

    def add(self, words: Array, lengths: Slots, values: Array) -> None:
        """Add so many of the values to each of some different words."""
        self.lists.values[ranges(self._filled[words], lengths)] = values
        self._filled[words] += lengths
