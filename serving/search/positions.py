"""Where in the texts of their jobs words stand, and whether they do so in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from serving.search import bitmaps
from serving.search.bitmaps import Array, Slots
from serving.search.lists import bounds_of, ranges

Positions = NDArray[np.uint16]
"""Of a word in a text, from 1 on; a ``tsvector`` has none above 16383."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Standing:
    """Where a word stands: in each of its jobs, which are a bitmap or ascending slots, at
    ``counts`` of the ``positions``, which ascend."""

    jobs: Array
    counts: Slots
    positions: Positions

    @cached_property
    def _begins(self) -> Slots:
        return bounds_of(self.counts)

    def within(self, jobs: Slots) -> tuple[Slots, Positions]:
        """How often it stands in each of some of its jobs, and at which positions."""
        places = bitmaps.ranks if bitmaps.is_bitmap(self.jobs) else np.searchsorted
        entries = places(self.jobs, jobs)
        counts = self.counts[entries]
        return counts, self.positions[ranges(self._begins[entries], counts)]


def in_sequence(words: Sequence[tuple[Slots, Positions]], offsets: Sequence[int]) -> Flags:
    """In which jobs each word stands somewhere at its offset from the first: words as
    :meth:`Standing.within` tells of them, of the same jobs."""
    counts, positions = words[0]
    # A flag for each position up to the last one at which the first word stands in a job.
    sizes = positions[np.cumsum(counts) - 1].astype(np.int64) + 1
    bounds = bounds_of(sizes)
    bases = bounds[:-1]
    flags = np.zeros(bounds[-1], np.bool_)
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
