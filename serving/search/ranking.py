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


def terms_of(node: Node) -> list[str]:
    """The terms that a search is ranked by, in one order."""
    return sorted({term for leaf in leaves(node) for term in _terms(leaf)})


def rarities(node: Node, segments: Sequence[Segment]) -> list[float]:
    """How rare each of the terms is: the inverse document frequency of Okapi BM25. Each publish
    and each merge changes it a little, so a list is ranked by that of its first page to the end."""
    documents = sum(segment.size for segment in segments)
    found = []
    for term in terms_of(node):
        places = [(segment, segment.text.find(term.encode())) for segment in segments]
        size = sum(int(segment.text.sizes[at]) for segment, at in places if at is not None)
        found.append(round(math.log(1 + (documents - size + 0.5) / (size + 0.5)), 3))
    return found


def scores(
    node: Node,
    segments: Sequence[Segment],
    found: Sequence[BitMap],
    rarities: Sequence[float],
) -> list[NDArray[np.float64]]:
    """The scores of the documents in ``found``, for each segment in the order of their ids: for
    each of the terms, the weight of the fields that it stands in, times how rare it is."""
    result = [np.zeros(len(docs)) for docs in found]
    for term, rarity in zip(terms_of(node), rarities, strict=True):
        for n, segment in enumerate(segments):
            place = segment.text.find(term.encode())
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
