"""How many of the found documents have each value of a column."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.schema import KEYWORDS
from pipeline.search_index.segment import Segment, ids_of

FACET_VALUES = 100
"""As many values are counted at most, the most frequent ones."""
FEW_VALUES = 256
"""Up to so many values, the set of each is met with what was found."""

Counts = list[tuple[str | None, int]]

_MANY = {keyword.name: keyword.many for keyword in KEYWORDS}
_COUNTS_NONE = {keyword.name: keyword.counts_none for keyword in KEYWORDS}


class Values:
    """The values of a column in all segments: those of the largest in their order, then others."""

    def __init__(self, keyword: str, segments: Sequence[Segment]) -> None:
        self._keyword = keyword
        self._segments = segments
        largest = max(segments, key=lambda segment: segment.size)
        self._base = largest.keywords[keyword]
        self._others: list[bytes] = []
        numbers: dict[bytes, int] = {}
        self._numbers = []
        for segment in segments:
            field = segment.keywords[keyword]
            if field is self._base:
                own = list(range(len(field.terms)))
            else:
                own = []
                for term in field.terms:
                    number = self._base.find(term)
                    if number is None:
                        number = numbers.setdefault(term, len(self._base.terms) + len(numbers))
                    own.append(number)
            self._numbers.append(np.array([*own, -1], np.int64))
        self._others = list(numbers)

    def counts(self, found: Sequence[BitMap]) -> Counts:
        """The most frequent values with their counts; of equal counts the lowest value first,
        and null last.

        Args:
            found: for each segment.
        """
        size = len(self._base.terms) + len(self._others)
        counts = np.zeros(size + 1, np.int64)
        for segment, numbers, documents in zip(self._segments, self._numbers, found, strict=True):
            counts[numbers] += self._of_segment(segment, documents)
        missing = int(counts[size])
        chosen = self._most_frequent(counts[:size])
        ranked: Counts = [(self._value(number), int(counts[number])) for number in chosen]
        if missing and _COUNTS_NONE[self._keyword]:
            ranked.append((None, missing))
        ranked.sort(key=lambda entry: (-entry[1], entry[0] is None, entry[0] or ""))
        return ranked[:FACET_VALUES]

    def _of_segment(self, segment: Segment, found: BitMap) -> NDArray[np.int64]:
        field = segment.keywords[self._keyword]
        lists = len(field.sizes)
        if lists <= FEW_VALUES or _MANY[self._keyword]:
            counted = (field.bitmap(n).intersection_cardinality(found) for n in range(lists))
            return np.fromiter(counted, np.int64, lists)
        ordinals = segment.ordinals(self._keyword)[ids_of(found)]
        return np.bincount(ordinals, minlength=lists)

    def _most_frequent(self, counts: NDArray[np.int64]) -> list[int]:
        """The numbers of the values that may be among the most frequent."""
        given = np.flatnonzero(counts)
        if len(given) <= FACET_VALUES:
            return [int(number) for number in given]
        place = len(given) - FACET_VALUES
        least = np.partition(counts[given], place)[place]
        more = given[counts[given] > least]
        tied = given[counts[given] == least]
        base = len(self._base.terms)
        # Those of the largest segment are in the order of their values.
        return [int(n) for n in (*more, *tied[tied < base][:FACET_VALUES], *tied[tied >= base])]

    def _value(self, number: int) -> str:
        base = len(self._base.terms)
        found = self._base.terms[number] if number < base else self._others[number - base]
        return found.decode()
