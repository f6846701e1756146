"""Which documents of a segment match a tree of terms."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.analyzer import LAST_POSITION
from pipeline.search_index.segment import Ids, Segment, bitmap, bounds_of, ids_of, ranges
from serving.search.query import Both, Either, Node, Phrase, Prefix, Term, Without

AT_ONCE = 50_000
"""Phrases are looked for in so many documents at a time, for the memory that it takes."""
KEPT_PHRASES = 200
"""Of a segment, as many phrases are kept with what matches them."""

Flags = NDArray[np.bool_]

_lock = threading.Lock()
_phrases: WeakKeyDictionary[Segment, LRUCache[Phrase, BitMap]] = WeakKeyDictionary()


def is_known(phrase: Phrase, segment: Segment) -> bool:
    """Whether what matches a phrase was found before, and kept."""
    with _lock:
        return phrase in _phrases.get(segment, ())


def matching(node: Node, segment: Segment, live: BitMap) -> BitMap:
    """The documents that match, not to be changed; some of them may not be ``live``."""
    match node:
        case Term(term):
            place = segment.text.find(term.encode())
            return BitMap() if place is None else segment.text.bitmap(place)
        case Prefix(letters):
            return segment.text.any_of(segment.text.find_prefix(letters.encode()))
        case Phrase():
            return _of_phrase(node, segment)
        case Both(operands):
            # What is excluded is taken from what is found: a set of all others is large.
            found = [matching(o, segment, live) for o in operands if not isinstance(o, Without)]
            first = reduce(and_, sorted(found, key=len)) if found else live
            excluded = (o.operand for o in operands if isinstance(o, Without))
            return reduce(lambda kept, o: kept - matching(o, segment, live), excluded, first)
        case Either(operands):
            return reduce(or_, (matching(operand, segment, live) for operand in operands))
        case Without(operand):
            return live - matching(operand, segment, live)


def _of_phrase(phrase: Phrase, segment: Segment) -> BitMap:
    with _lock:
        kept = _phrases.setdefault(segment, LRUCache(KEPT_PHRASES))
        found = kept.get(phrase)
    if found is None:
        found = _in_sequence(phrase, segment)
        with _lock:
            kept[phrase] = found
    return found


def _in_sequence(phrase: Phrase, segment: Segment) -> BitMap:
    places = [segment.text.find(term.encode()) for term in phrase.terms]
    terms = [place for place in places if place is not None]
    if len(terms) < len(places):
        return BitMap()
    bitmaps = sorted((segment.text.bitmap(term) for term in set(terms)), key=len)
    candidates = ids_of(reduce(and_, bitmaps))
    if not len(candidates):
        return BitMap()
    occurrences = {term: _Occurrences(segment, term) for term in set(terms)}
    found = [candidates[:0]]
    for some in np.split(candidates, range(AT_ONCE, len(candidates), AT_ONCE)):
        if len(some):
            words = [occurrences[term].within(some) for term in terms]
            found.append(some[_follow(words, phrase.offsets)])
    return bitmap(np.concatenate(found))


class _Occurrences:
    """Where a term stands in each of its documents."""

    def __init__(self, segment: Segment, term: int) -> None:
        self._ids = segment.text.ids(term)
        counts, self._positions = segment.positions(term)
        self._counts = counts.astype(np.int64) + 1
        self._begins = bounds_of(self._counts)

    def within(self, documents: Ids) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
        """How often it stands in each of some of its documents, and at which positions."""
        postings = np.searchsorted(self._ids, documents)
        counts = self._counts[postings]
        return counts, self._positions[ranges(self._begins[postings], counts)]


def _follow(
    words: Sequence[tuple[NDArray[np.int64], NDArray[np.uint16]]], offsets: Sequence[int]
) -> Flags:
    """In which of some documents each word stands somewhere at its offset from the first.

    Args:
        words: what :meth:`_Occurrences.within` returns for each, of the same documents.
    """
    begins: NDArray[np.int64] | None = None
    for (counts, positions), offset in zip(words, offsets, strict=True):
        documents = np.repeat(np.arange(len(counts)), counts)
        inside = (positions >= offset) & (positions < LAST_POSITION)
        # Where the phrase begins if this word is in its place: document and position, ascending.
        own = (documents[inside] << 16) + positions[inside] - offset
        begins = own if begins is None else _common(begins, own)
    found = np.zeros(len(words[0][0]), np.bool_)
    if begins is not None:
        found[begins >> 16] = True
    return found


def _common(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers in both, each of which ascends. A stable sort merges the two in linear time."""
    both = np.sort(np.concatenate([one, other]), kind="stable")
    common: NDArray[np.int64] = both[1:][both[1:] == both[:-1]]
    return common
