"""How well documents match a search."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.schema import COMPANY, DESCRIPTION, SKILLS, TITLE
from pipeline.search_index.segment import Segment, ids_of
from serving.search.query import Node, Phrase, Prefix, Term, leaves

WEIGHTS = {TITLE: 1.0, COMPANY: 0.5, SKILLS: 0.2, DESCRIPTION: 0.02}
"""Of a term in a field. Each is more than all after it together: a title that has a word comes
before any other text that has it, however often."""
_OF_MASKS = np.array(
    [sum(w for field, w in WEIGHTS.items() if mask & field) for mask in range(16)], np.float64
)


def scores(
    node: Node, segments: Sequence[Segment], found: Sequence[BitMap]
) -> list[NDArray[np.float64]]:
    """The scores of the documents in ``found``, for each segment in the order of their ids: for
    each term that is looked for, the weight of the fields that it stands in, times how rare it is
    (the inverse document frequency of Okapi BM25)."""
    terms = sorted({term for leaf in leaves(node) for term in _terms(leaf)})
    places = [[segment.text.find(term.encode()) for segment in segments] for term in terms]
    documents = sum(segment.size for segment in segments)
    result = [np.zeros(len(docs)) for docs in found]
    for of_segments in places:
        size = sum(
            int(segment.text.sizes[place])
            for segment, place in zip(segments, of_segments, strict=True)
            if place is not None
        )
        rarity = math.log(1 + (documents - size + 0.5) / (size + 0.5))
        for n, (segment, place) in enumerate(zip(segments, of_segments, strict=True)):
            if place is not None and len(result[n]):
                result[n] += rarity * _weights(segment, place, found[n])
    return result


def _terms(leaf: Term | Prefix | Phrase) -> tuple[str, ...]:
    match leaf:
        case Term(term):
            return (term,)
        case Phrase(terms):
            return terms
        case Prefix():
            return ()


def _weights(segment: Segment, term: int, found: BitMap) -> NDArray[np.float64]:
    ids, wanted = segment.text.ids(term), ids_of(found)
    if len(wanted) * 8 < len(ids):
        postings = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
        weights = _OF_MASKS[segment.masks(term)[postings]]
        return np.where(ids[postings] == wanted, weights, 0.0)
    weights = np.zeros(segment.size)
    weights[ids] = _OF_MASKS[segment.masks(term)]
    return weights[wanted]
