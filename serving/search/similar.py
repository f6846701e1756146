"""Titles and companies that are spelled like a search, for one that matches next to nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_
from weakref import WeakKeyDictionary

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray
from pyroaring import BitMap
from rapidfuzz.distance import OSA

from pipeline.search_index.builder import trigrams
from pipeline.search_index.segment import Segment, ids_of

MAX_COMPARED = 2_000
"""So many words of a segment are compared with one of a search: those that share the most
trigrams with it."""
KEPT_WORDS = 2_000
"""Of a segment, as many words are kept with those that are spelled like them."""
_TRIGRAMS_OF_A_SLIP = 4
"""One slip, such as two letters in the other order, changes at most so many trigrams of a word."""

_lock = threading.Lock()
_spellings: WeakKeyDictionary[Segment, LRUCache[str, list[tuple[int, float]]]] = WeakKeyDictionary()


def slips(word: str) -> int:
    """How many letters may be missing, too many, others or swapped with the next: as Lucene's
    ``fuzziness: AUTO``."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def spelled_like(word: str, segment: Segment) -> Iterator[tuple[int, float]]:
    """The places of the words in ``segment.spellings`` that are the word but for a few slips, and
    how similar each is: 1 for the word itself."""
    wanted = trigrams(word)
    lists = [
        segment.trigrams.ids(place)
        for trigram in wanted
        if (place := segment.trigrams.find(trigram.encode())) is not None
    ]
    if not lists:
        return
    places, shared = np.unique(np.concatenate(lists), return_counts=True)
    least = max(1, len(wanted) - _TRIGRAMS_OF_A_SLIP * slips(word))
    order = np.argsort(-shared[shared >= least], kind="stable")[:MAX_COMPARED]
    for place in places[shared >= least][order].tolist():
        known = segment.spellings.terms[place].decode()
        distance = OSA.distance(word, known, score_cutoff=slips(word))
        if distance <= slips(word):
            yield place, 1 - distance / max(len(word), len(known))


def _kept_spellings(word: str, segment: Segment) -> list[tuple[int, float]]:
    """:func:`spelled_like`, the least similar first, kept for the words that come again."""
    with _lock:
        kept = _spellings.setdefault(segment, LRUCache(KEPT_WORDS))
        found = kept.get(word)
    if found is None:
        found = sorted(spelled_like(word, segment), key=lambda one: one[1])
        with _lock:
            kept[word] = found
    return found


def similar(
    words: Sequence[str], segment: Segment, matched: BitMap, among: BitMap
) -> tuple[BitMap, NDArray[np.float64]]:
    """The documents whose title and company together have each word, or one that is spelled like
    it, and with a score of 1 those that ``matched`` the search.

    Returns:
        The documents, and in the order of their ids how similar they are: the mean over the words.
    """
    spelled = [_kept_spellings(word, segment) for word in words]
    sets = [
        BitMap.union(BitMap(), *(segment.spellings.bitmap(place) for place, _ in places))
        for places in spelled
    ]
    spelled_so = reduce(and_, sets, among) if sets else BitMap()
    found = spelled_so | (matched & among)
    ids = ids_of(found)
    scores = np.zeros(len(ids))
    for places in spelled:
        best = np.zeros(len(ids))
        for place, score in places:
            best[np.searchsorted(ids, ids_of(segment.spellings.bitmap(place) & found))] = score
        scores += best / len(spelled)
    scores[np.searchsorted(ids, ids_of(matched & among))] = 1.0
    return found, scores
