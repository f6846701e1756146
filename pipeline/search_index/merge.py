"""Several segments made one, without the documents that are no longer live."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.arrays import Array, ArraysWriter
from pipeline.search_index.builder import TextWriter, write_trigrams
from pipeline.search_index.schema import KEYWORDS, NUMBERS
from pipeline.search_index.segment import (
    InvertedField,
    InvertedFieldWriter,
    Segment,
    bounds_of,
    ids_of,
    ranges,
    write_ids,
    write_texts,
)

POSTINGS_AT_ONCE = 4_000_000
"""So many are held in memory."""
DOCUMENTS_AT_ONCE = 20_000

Numbers = NDArray[np.int64]


def merge(path: Path, segments: Sequence[Segment], live: Sequence[BitMap]) -> None:
    """Write one segment of the live documents of several, which have different ids."""
    order = _order(segments, [ids_of(docs) for docs in live])
    new_docs = []
    for place, segment in enumerate(segments):
        docs = np.full(segment.size, -1, np.int64)
        of_segment = np.flatnonzero(order[:, 0] == place)
        docs[order[of_segment, 1]] = of_segment
        new_docs.append(docs)
    with ArraysWriter(path) as writer:
        write_ids(writer, [segments[place].ids[doc] for place, doc in order.tolist()])
        _write_stored(writer, segments, order)
        for number in NUMBERS:
            values = np.empty(len(order), np.int64)
            for segment, docs in zip(segments, new_docs, strict=True):
                values[docs[docs >= 0]] = segment.numbers[number.name][docs >= 0]
            writer.append(f"number.{number.name}", values)
        for keyword in KEYWORDS:
            fields = [segment.keywords[keyword.name] for segment in segments]
            _Merged(f"keyword.{keyword.name}", fields, new_docs, len(order)).write(writer)
            if not keyword.many:
                _write_ordinals(writer, keyword.name, segments, new_docs, len(order))
        _write_text(writer, segments, new_docs, len(order))
        spellings = [segment.spellings for segment in segments]
        merged = _Merged("spellings", spellings, new_docs, len(order))
        merged.write(writer)
        write_trigrams(writer, merged.terms)


def _order(segments: Sequence[Segment], live: Sequence[Array]) -> Numbers:
    """Rows of a segment's place and a doc id, in the order of the list."""
    places = np.repeat(np.arange(len(live)), [len(docs) for docs in live])
    docs = np.concatenate([np.zeros(0, np.int64), *live]).astype(np.int64)
    newest = np.concatenate(
        [np.zeros(0, np.int64)]
        + [s.numbers["newest"][ids] for s, ids in zip(segments, live, strict=True)]
    )
    order = np.argsort(~newest, kind="stable")
    rows = np.stack([places[order], docs[order]], axis=1)
    begins = np.flatnonzero(np.diff(newest[order], prepend=newest[order[:1]] + 1))
    lengths = np.diff(np.append(begins, len(rows)))
    for begin, length in zip(begins[lengths > 1], lengths[lengths > 1], strict=True):
        tied = rows[begin : begin + length].tolist()
        tied.sort(key=lambda row: segments[row[0]].ids[row[1]], reverse=True)
        rows[begin : begin + length] = tied
    return rows


def _write_stored(writer: ArraysWriter, segments: Sequence[Segment], order: Numbers) -> None:
    written = 0
    writer.append("stored.octets", b"")
    writer.append("stored.bounds", np.zeros(1, np.int64))
    for begin in range(0, len(order), DOCUMENTS_AT_ONCE):
        rows = order[begin : begin + DOCUMENTS_AT_ONCE].tolist()
        packed = [segments[place].packed(doc) for place, doc in rows]
        ends = written + bounds_of(np.array([len(text) for text in packed]))[1:]
        writer.append("stored.octets", b"".join(packed))
        writer.append("stored.bounds", ends)
        written = int(ends[-1])


class _Merged:
    """The dictionaries of several inverted fields as one: for each field the place that each of
    its terms has in it. Terms of which no document is live are left out."""

    def __init__(
        self, name: str, fields: Sequence[InvertedField], new_docs: Sequence[Numbers], size: int
    ) -> None:
        self.name = name
        self.fields = fields
        self.new_docs = new_docs
        self.size = size
        self.used = [
            _used(field, docs) if (docs < 0).any() else np.ones(len(field.terms), np.bool_)
            for field, docs in zip(fields, new_docs, strict=True)
        ]
        found = set[bytes]()
        for field, used in zip(fields, self.used, strict=True):
            found.update(term for term, is_used in zip(field.terms, used, strict=True) if is_used)
        self.terms = sorted(found)
        place_of = {term: place for place, term in enumerate(self.terms)}
        self.places = [
            np.fromiter((place_of.get(term, -1) for term in field.terms), np.int64, len(used))
            for field, used in zip(fields, self.used, strict=True)
        ]
        if fields and len(fields[0].sizes) > len(fields[0].terms):  # the list of those without
            self.places = [np.append(places, len(self.terms)) for places in self.places]
            self.lists = len(self.terms) + 1
        else:
            self.lists = len(self.terms)

    def write(self, writer: ArraysWriter) -> None:
        write_texts(writer, f"{self.name}.terms", self.terms)
        inverted = InvertedFieldWriter(writer, self.name)
        for part in self.parts():
            lists, docs = [], []
            for place, terms in self.ranges(part):
                of_terms, found = self.fields[place].postings(terms)
                lists.append(self.places[place][of_terms])
                docs.append(self.new_docs[place][found])
            of_lists, of_docs = np.concatenate(lists), np.concatenate(docs)
            kept = of_docs >= 0
            keys = np.sort(of_lists[kept] * self.size + of_docs[kept], kind="stable")
            sizes = np.bincount(keys // max(self.size, 1) - part.start, minlength=len(part))
            inverted.add(sizes, keys % max(self.size, 1))

    def parts(self) -> Iterator[range]:
        """The lists, in parts of some million postings."""
        sizes = np.zeros(self.lists, np.int64)
        for field, places in zip(self.fields, self.places, strict=True):
            np.add.at(sizes, places[places >= 0], field.sizes[: len(places)][places >= 0])
        return _in_parts(sizes)

    def ranges(self, part: range) -> Iterator[tuple[int, range]]:
        """For each field the terms whose place is in a part, with those before that have none."""
        for place, places in enumerate(self.places):
            ascending = np.maximum.accumulate(places) if len(places) else places
            first, last = np.searchsorted(ascending, [part.start, part.stop])
            yield place, range(int(first), int(last))


def _used(field: InvertedField, docs: Numbers) -> NDArray[np.bool_]:
    """Which terms have a document that is live."""
    used = np.zeros(len(field.sizes), np.bool_)
    for part in _in_parts(field.sizes):
        terms, found = field.postings(part)
        used[terms[docs[found] >= 0]] = True
    return used[: len(field.terms)]


def _in_parts(sizes: Array) -> Iterator[range]:
    """Lists of these sizes in parts of some million postings, of one list at least."""
    ends = np.cumsum(sizes, dtype=np.int64)
    begin = 0
    while begin < len(sizes):
        before = int(ends[begin - 1]) if begin else 0
        end = int(np.searchsorted(ends, before + POSTINGS_AT_ONCE, side="right"))
        yield range(begin, max(end, begin + 1))
        begin = max(end, begin + 1)


def _write_ordinals(
    writer: ArraysWriter,
    keyword: str,
    segments: Sequence[Segment],
    new_docs: Sequence[Numbers],
    size: int,
) -> None:
    merged = _Merged(keyword, [segment.keywords[keyword] for segment in segments], new_docs, size)
    ordinals = np.full(size, len(merged.terms), np.uint32)
    for segment, docs, places in zip(segments, new_docs, merged.places, strict=True):
        ordinals[docs[docs >= 0]] = places[segment.ordinals(keyword)[docs >= 0]]
    writer.append(f"keyword.{keyword}.ordinals", ordinals)


def _write_text(
    writer: ArraysWriter, segments: Sequence[Segment], new_docs: Sequence[Numbers], size: int
) -> None:
    merged = _Merged("text", [segment.text for segment in segments], new_docs, size)
    write_texts(writer, "text.terms", merged.terms)
    text = TextWriter(writer)
    for part in merged.parts():
        keys, masks, counts, begins, positions = [], [], [], [], []
        read = 0
        for place, terms in merged.ranges(part):
            arrays = segments[place].arrays
            of_terms, found = merged.fields[place].postings(terms)
            docs = new_docs[place][found]
            bounds = arrays["text.posting_bounds"][[terms.start, terms.stop]]
            first, last = arrays["text.position_bounds"][[terms.start, terms.stop]]
            of_segment = arrays["text.counts"][slice(*bounds)].astype(np.int64) + 1
            kept = docs >= 0
            keys.append((merged.places[place][of_terms] * size + docs)[kept])
            masks.append(arrays["text.masks"][slice(*bounds)][kept])
            counts.append(of_segment[kept])
            begins.append(read + bounds_of(of_segment)[:-1][kept])
            positions.append(arrays["text.positions"][first:last])
            read += last - first
        of_all = np.concatenate(keys)
        order = np.argsort(of_all, kind="stable")  # of runs that ascend: it merges them
        lengths = np.concatenate(counts)[order]
        text.add(
            np.bincount(of_all // max(size, 1) - part.start, minlength=len(part)),
            of_all[order] % max(size, 1),
            np.concatenate(masks)[order],
            lengths,
            np.concatenate(positions)[ranges(np.concatenate(begins)[order], lengths)],
        )
