"""Finds, orders and counts the documents of one commit."""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import or_

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.directory import Commit
from pipeline.search_index.schema import FACETS, YEARLY_IN_DOLLARS
from pipeline.search_index.segment import Segment, bitmap, bitmap_of_flags, ids_of
from serving.search.facets import Counts, Values
from serving.search.matching import is_known, matching
from serving.search.query import Node, Phrase, Prefix, Term, leaves
from serving.search.ranking import rarities, scores
from serving.search.similar import similar

FEW = 64
"""Of fewer than one in so many documents, each is compared with a bound, and not the segment."""


@dataclass(frozen=True)
class Paid:
    """What a job pays a year, in hundredths: in its own currency if that is ``currency``, else at
    the reference rates in US dollars; null where the rates do not know the currency.

    Attributes:
        column: the column of numbers of what is paid in the job's own currency.
    """

    column: str
    currency: str
    least: int
    dollars: int | None


@dataclass(frozen=True)
class Conditions:
    """The filters of a query.

    Attributes:
        any_of: by the column, the values of which a document has one.
        at_least: by the column of numbers, the lowest value.
        paid: the lowest pay.
    """

    any_of: Mapping[str, Sequence[str]]
    at_least: Mapping[str, int]
    paid: Paid | None = None


@dataclass(frozen=True)
class Place:
    """A place in a list: just behind the document of this score, time and id, there or not."""

    score: float
    newest: int
    job_id: bytes


@dataclass(frozen=True)
class Hit:
    """A document in a list."""

    score: float
    segment: int
    doc: int


@dataclass(frozen=True)
class Found:
    """What matches a query, in each segment."""

    documents: Sequence[BitMap]
    scores: Sequence[NDArray[np.float64]] | None = None
    """In the order of the ids; without them, the newest are first."""

    @property
    def total(self) -> int:
        return sum(map(len, self.documents))


class Searcher:
    """Searches a commit, which never changes."""

    def __init__(self, commit: Commit) -> None:
        self.commit = commit
        self._segments = commit.segments
        self._values: dict[str, Values] = {}

    def is_quick(self, node: Node | None) -> bool:
        """Whether no phrase has to be looked for, and no beginning of many words."""
        for leaf in leaves(node, wanted=False) if node else ():
            if isinstance(leaf, Prefix):
                return False
            if isinstance(leaf, Phrase) and not all(is_known(leaf, s) for s in self._segments):
                return False
        return True

    def has_all_terms(self, node: Node | None) -> bool:
        """Whether each term that is looked for is in any document."""
        terms = (leaf.term for leaf in leaves(node) if isinstance(leaf, Term)) if node else ()
        return all(
            any(segment.text.find(term.encode()) is not None for segment in self._segments)
            for term in terms
        )

    def filter(self, conditions: Conditions) -> Found:
        """The documents that meet all conditions."""
        return Found(
            [
                _filtered(segment, live, conditions)
                for segment, live in zip(self._segments, self.commit.live, strict=True)
            ]
        )

    def search(self, node: Node | None, among: Found) -> Found:
        """Those that match a tree; none where no word of the search is indexed."""
        if node is None:
            return Found([BitMap()] * len(self._segments))
        return Found(
            [
                documents & matching(node, segment, live)
                for segment, live, documents in zip(
                    self._segments, self.commit.live, among.documents, strict=True
                )
            ]
        )

    def rarities(self, node: Node) -> list[float]:
        """What :meth:`ranked` ranks by, as the index is at present."""
        return rarities(node, self._segments)

    def ranked(self, node: Node, found: Found, rarities: Sequence[float]) -> Found:
        """The same documents, the best first."""
        return Found(found.documents, scores(node, self._segments, found.documents, rarities))

    def similar(self, words: Sequence[str], matched: Found, among: Found) -> Found:
        """Those that matched, with those whose title or company is spelled like the words."""
        both = [
            similar(words, segment, matches, documents)
            for segment, matches, documents in zip(
                self._segments, matched.documents, among.documents, strict=True
            )
        ]
        return Found([documents for documents, _ in both], [found for _, found in both])

    def moved(self, found: Found, since: int, until: int) -> Found:
        """Those that publishes after one version, up to another, moved towards the front of the
        list; what is new since then is not among them."""
        kept = []
        for segment, documents in zip(self._segments, found.documents, strict=True):
            moved = segment.numbers["moved_version"]
            is_moved = (moved > since) & (moved <= until)
            is_moved &= segment.numbers["created_version"] <= since
            kept.append(documents & bitmap(np.flatnonzero(is_moved)))
        return Found(kept)

    def page(self, found: Found, after: Place | None, offset: int, limit: int) -> list[Hit]:
        """The hits of a page."""
        if found.scores is not None:
            return list(islice(self.hits(found, after, offset), limit))
        rows = [
            (number, doc, int(self._segments[number].numbers["newest"][doc]))
            for number, documents in enumerate(found.documents)
            for doc in islice(
                documents.iter_equal_or_larger(self._behind(number, after)), offset + limit
            )
        ]
        if len([documents for documents in found.documents if documents]) > 1:
            rows.sort(key=lambda row: -row[2])
            rows = self._in_window(rows, offset, limit)
        else:
            rows = rows[offset:]
        return [Hit(0.0, number, doc) for number, doc, _ in rows]

    def _in_window(
        self, rows: list[tuple[int, int, int]], offset: int, limit: int
    ) -> list[tuple[int, int, int]]:
        """The rows of a page: of the segment, the doc id and the time, the newest first. Those of
        one time, which are in no order yet, are sorted by their ids where they reach the page."""
        window = rows[offset : offset + limit]
        if not window:
            return []
        first = bisect_left(rows, -window[0][2], key=lambda row: -row[2])
        end = bisect_right(rows, -window[-1][2], key=lambda row: -row[2])
        reached = sorted(
            rows[first:end],
            key=lambda row: (-row[2], _Descending(self._segments[row[0]].ids[row[1]])),
        )
        return reached[offset - first : offset - first + limit]

    def hits(self, found: Found, after: Place | None = None, offset: int = 0) -> Iterator[Hit]:
        """All documents in the order of the list, from behind a place on."""
        runs = [
            self._run(number, found, after)
            for number, documents in enumerate(found.documents)
            if documents
        ]
        if len(runs) == 1:
            return islice(runs[0], offset, None)
        return islice(heapq.merge(*runs, key=self._order), offset, None)

    def latest(self, found: Found, limit: int) -> list[Hit]:
        """Those that were first seen last, of one time in the order of the list."""
        rows = []
        for number, documents in enumerate(found.documents):
            ids = ids_of(documents)
            seen = self._segments[number].numbers["first_seen_since"][ids]
            order = np.argsort(-seen, kind="stable")[:limit]
            rows += [
                (-at, self._order(hit := Hit(0, number, doc)), hit)
                for at, doc in zip(seen[order].tolist(), ids[order].tolist(), strict=True)
            ]
        return [hit for _, _, hit in sorted(rows, key=lambda row: row[:2])[:limit]]

    def facets(self, found: Found, names: Sequence[str]) -> dict[str, Counts]:
        """How many of the documents have each of the most frequent values."""
        return {name: self._counts(FACETS[name], found) for name in names}

    def place(self, hit: Hit) -> Place:
        """The place just behind a hit."""
        segment = self._segments[hit.segment]
        newest = int(segment.numbers["newest"][hit.doc])
        return Place(hit.score, newest, segment.ids[hit.doc])

    def stored(self, hit: Hit) -> bytes:
        """A document as lists show it, in JSON."""
        return self._segments[hit.segment].stored(hit.doc)

    def job_id(self, hit: Hit) -> str:
        return self._segments[hit.segment].ids[hit.doc].decode()

    def attribution(self, hits: Sequence[Hit]) -> dict[str, str]:
        """What the sources of some documents ask to be shown beside them."""
        found = set()
        for number, segment in enumerate(self._segments):
            documents = BitMap(hit.doc for hit in hits if hit.segment == number)
            field = segment.keywords["sources"]
            found |= {
                term.decode()
                for place, term in enumerate(field.terms)
                if documents and not field.bitmap(place).isdisjoint(documents)
            }
        known = self.commit.attribution
        return {source: known[source] for source in sorted(found) if source in known}

    def _counts(self, keyword: str, found: Found) -> Counts:
        if not self._segments:
            return []
        if keyword not in self._values:
            self._values[keyword] = Values(keyword, self._segments)
        return self._values[keyword].counts(found.documents)

    def _run(self, number: int, found: Found, after: Place | None) -> Iterator[Hit]:
        """The hits of one segment."""
        documents = found.documents[number]
        begin = self._behind(number, after)
        if found.scores is None:
            return (Hit(0.0, number, doc) for doc in documents.iter_equal_or_larger(begin))
        ids, values = ids_of(documents), found.scores[number]
        if after is not None:
            is_behind = (values < after.score) | ((values == after.score) & (ids >= begin))
            ids, values = ids[is_behind], values[is_behind]
        order = np.argsort(-values, kind="stable")
        return (Hit(float(values[n]), number, int(ids[n])) for n in order)

    def _order(self, hit: Hit) -> tuple[float, int, _Descending]:
        place = self.place(hit)
        return -place.score, -place.newest, _Descending(place.job_id)

    def _behind(self, number: int, place: Place | None) -> int:
        """The first doc id behind a place in the order of the list."""
        if place is None:
            return 0
        segment = self._segments[number]
        newest, docs = segment.numbers["newest"], range(segment.size)
        first = bisect_left(docs, -place.newest, key=lambda doc: -int(newest[doc]))
        end = bisect_right(docs, -place.newest, lo=first, key=lambda doc: -int(newest[doc]))
        wanted = _Descending(place.job_id)
        return bisect_right(
            docs, wanted, lo=first, hi=end, key=lambda doc: _Descending(segment.ids[doc])
        )


class _Descending:
    """Sorts bytes the other way round."""

    __slots__ = ("octets",)

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def __lt__(self, other: _Descending) -> bool:
        return self.octets > other.octets

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and self.octets == other.octets

    def __hash__(self) -> int:
        return hash(self.octets)


def _filtered(segment: Segment, live: BitMap, conditions: Conditions) -> BitMap:
    found = live
    for keyword, values in conditions.any_of.items():
        field = segment.keywords[keyword]
        places = (field.find(value.encode()) for value in set(values))
        sets = [field.bitmap(place) for place in places if place is not None]
        if not sets:
            return BitMap()
        found = found & reduce(or_, sets)
    for name, least in conditions.at_least.items():
        found = _at_least(segment, found, name, least)
    return found if conditions.paid is None else _paying(segment, found, conditions.paid)


def _at_least(segment: Segment, found: BitMap, name: str, least: int) -> BitMap:
    numbers = segment.numbers[name]
    if len(found) * FEW < segment.size:
        ids = ids_of(found)
        return bitmap(ids[numbers[ids] >= least])
    return found & bitmap_of_flags(numbers >= least)


def _paying(segment: Segment, found: BitMap, paid: Paid) -> BitMap:
    field = segment.keywords["salary_currency"]
    place = field.find(paid.currency.encode())
    own = BitMap() if place is None else found & field.bitmap(place)
    paying = _at_least(segment, own, paid.column, paid.least)
    if paid.dollars is None:
        return paying
    return paying | _at_least(segment, found - own, YEARLY_IN_DOLLARS, paid.dollars)
