"""A segment: some documents with everything that finds, orders, counts and shows them.

A document is a published job, its *doc id* its place in the segment: the newest has 0, and the
order of the doc ids is that of the list. A segment is never changed. What is no longer so of its
documents is said by the commit, which has the set of those that are live.
"""

from __future__ import annotations

import threading
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import xxhash
from cachetools import LRUCache
from numpy.typing import NDArray
from pyroaring import BitMap

from pipeline.search_index.arrays import Array, ArraysWriter, map_arrays
from pipeline.search_index.schema import KEYWORDS, NUMBERS

LONG = 1_000
"""Longer postings lists are written as compressed bitmaps (https://roaringbitmap.org), which are
met and counted in microseconds; shorter ones as plain doc ids, of which one is as soon made."""
KEPT_BYTES = 16_000_000
"""What a process keeps of the bitmaps of one field that it has read."""

Ids = NDArray[np.uint32]

_WORDS = (
    b'{"id":"","source":"","sources":["adzuna","jsearch","remoteok"],"title":"Senior Engineer",'
    b'"company":"","location":{"city":null,"country":"US","remote":false},"employment_type":'
    b'"FULLTIME","category":"backend","skills":["Kubernetes","Python"],"salary_min":null,'
    b'"salary_max":null,"salary_currency":null,"salary_period":null,"salary_is_predicted":false,'
    b'"apply_url":"https://www.","source_url":"https://","posted_at":"2026-01-01T00:00:00Z",'
    b'"posted_at_is_approximate":false,"status":"open"}'
)
"""What summaries have in common: each is compressed by itself, with this before it."""


def compressed(text: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=_WORDS)
    return packer.compress(text) + packer.flush()


def decompressed(packed: bytes) -> bytes:
    return zlib.decompressobj(-15, zdict=_WORDS).decompress(packed)


def bitmap(ids: Array) -> BitMap:
    """The set of these ids."""
    return BitMap(array("I", np.ascontiguousarray(ids, np.uint32).tobytes()))


def ids_of(found: BitMap) -> Ids:
    """The ids in the set, ascending."""
    return np.frombuffer(found.to_array(), np.uint32)


def bitmap_of_flags(flags: NDArray[np.bool_]) -> BitMap:
    """The places of the flags that are set. To write Roaring's portable format
    (https://github.com/RoaringBitmap/RoaringFormatSpec) takes a tenth of adding each place."""
    keys, sizes, parts = [], [], []
    for key, begin in enumerate(range(0, len(flags), 65_536)):
        block = flags[begin : begin + 65_536]
        size = int(np.count_nonzero(block))
        if not size:
            continue
        if size > 4_096:
            bits = np.zeros(8_192, np.uint8)
            packed = np.packbits(block, bitorder="little")
            bits[: len(packed)] = packed
            parts.append(bits.tobytes())
        else:
            parts.append(np.flatnonzero(block).astype("<u2").tobytes())
        keys.append(key)
        sizes.append(size - 1)
    if not keys:
        return BitMap()
    head = np.array([12_346, len(keys)], "<u4").tobytes()
    head += np.array([keys, sizes], "<u2").T.tobytes()
    begins = len(head) + 4 * len(keys) + np.cumsum([0, *map(len, parts[:-1])])
    return BitMap.deserialize(b"".join([head, begins.astype("<u4").tobytes(), *parts]))


def bounds_of(lengths: Array) -> NDArray[np.int64]:
    """Where each of several lists begins that follow each other, and where the last ends."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def ranges(begins: Array, lengths: Array) -> NDArray[np.int64]:
    """The numbers from each of ``begins`` on, as many as ``lengths`` says, in one array."""
    lengths = lengths.astype(np.int64)
    first = begins.astype(np.int64) - (np.cumsum(lengths) - lengths)
    return np.repeat(first, lengths) + np.arange(lengths.sum())


class Texts(Sequence[bytes]):
    """Many short byte strings in one array."""

    def __init__(self, octets: Array, bounds: Array) -> None:
        self._octets = octets.data
        self._bounds = bounds

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, place: int) -> bytes:  # type: ignore[override] # no slices
        return bytes(self._octets[self._bounds[place] : self._bounds[place + 1]])

    def __iter__(self) -> Iterator[bytes]:
        for begin, end in pairwise(self._bounds.tolist()):
            yield bytes(self._octets[begin:end])


def write_texts(writer: ArraysWriter, name: str, texts: Sequence[bytes]) -> None:
    """Write what :class:`Texts` reads."""
    writer.append(f"{name}.octets", b"".join(texts))
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    writer.append(f"{name}.bounds", bounds_of(lengths))


class InvertedField:
    """The dictionary of a field, its terms in the order of their bytes, and for each term its
    postings list: the ids of what holds it. A term is its place in the dictionary; there may be
    one more list behind the last term."""

    def __init__(self, arrays: Mapping[str, Array], name: str) -> None:
        self._arrays = {
            key: arrays[f"{name}.{key}"]
            for key in ("sizes", "list_bounds", "lists", "long", "set_bounds", "sets")
        }
        self.terms = Texts(arrays[f"{name}.terms.octets"], arrays[f"{name}.terms.bounds"])
        self.sizes: NDArray[np.uint32] = self._arrays["sizes"]
        """How long each list is."""
        self._sets = self._arrays["sets"].data
        self._lock = threading.Lock()
        self._read: LRUCache[int, BitMap] = LRUCache(KEPT_BYTES, getsizeof=self._bytes_of_set)

    def find(self, term: bytes) -> int | None:
        """The place of a term in the dictionary."""
        place = bisect_left(self.terms, term)
        return place if place < len(self.terms) and self.terms[place] == term else None

    def find_prefix(self, prefix: bytes) -> range:
        """The terms that begin so."""
        end = prefix.rstrip(b"\xff")
        end = end[:-1] + bytes([end[-1] + 1]) if end else b""
        first = bisect_left(self.terms, prefix)
        return range(first, bisect_left(self.terms, end) if end else len(self.terms))

    def ids(self, term: int) -> Ids:
        """The postings list of a term, ascending."""
        if self.sizes[term] > LONG:
            return ids_of(self.bitmap(term))
        begin, end = self._arrays["list_bounds"][term : term + 2].tolist()
        found: Ids = self._arrays["lists"][begin:end]
        return found

    def bitmap(self, term: int) -> BitMap:
        """The postings list of a term as a set, not to be changed."""
        if self.sizes[term] <= LONG:
            return bitmap(self.ids(term))
        with self._lock:
            found = self._read.get(term)
            if found is None:
                found = self._read[term] = self._deserialized(term)
        return found

    def any_of(self, terms: range) -> BitMap:
        """What holds any of some terms that follow each other."""
        begin, end = (int(self._arrays["list_bounds"][t]) for t in (terms.start, terms.stop))
        found = bitmap(np.unique(self._arrays["lists"][begin:end]))
        first, last = np.searchsorted(self._arrays["long"], [terms.start, terms.stop])
        for term in self._arrays["long"][first:last].tolist():
            found |= self.bitmap(term)
        return found

    def postings(self, terms: range) -> tuple[NDArray[np.int64], Ids]:
        """The lists of some terms that follow each other: of each posting the term and the id."""
        of_terms = np.repeat(
            np.arange(terms.start, terms.stop), self.sizes[terms.start : terms.stop]
        )
        is_long = self.sizes[of_terms] > LONG
        found = np.empty(len(of_terms), np.uint32)
        begin, end = (int(self._arrays["list_bounds"][t]) for t in (terms.start, terms.stop))
        found[~is_long] = self._arrays["lists"][begin:end]
        first, last = np.searchsorted(self._arrays["long"], [terms.start, terms.stop])
        if last > first:
            longs = self._arrays["long"][first:last].tolist()
            found[is_long] = np.concatenate([ids_of(self._deserialized(t)) for t in longs])
        return of_terms, found

    def _deserialized(self, term: int) -> BitMap:
        place = np.searchsorted(self._arrays["long"], term)
        begin, end = self._arrays["set_bounds"][place : place + 2].tolist()
        return BitMap.deserialize(bytes(self._sets[begin:end]))

    @staticmethod
    def _bytes_of_set(found: BitMap) -> int:
        return int(found.get_statistics()["n_bytes_array_containers"]
                   + found.get_statistics()["n_bytes_bitset_containers"] + 200)  # fmt: skip


class InvertedFieldWriter:
    """Writes what :class:`InvertedField` reads, one part of the dictionary after the other."""

    def __init__(self, writer: ArraysWriter, name: str) -> None:
        self._writer = writer
        self._name = name
        self._terms = 0
        self._in_lists = 0
        self._in_sets = 0
        for key, dtype in (
            ("sizes", np.uint32), ("lists", np.uint32), ("long", np.int64), ("sets", np.uint8),
        ):  # fmt: skip
            writer.append(f"{name}.{key}", np.zeros(0, dtype))
        for key in ("list_bounds", "set_bounds"):
            writer.append(f"{name}.{key}", np.zeros(1, np.int64))

    def add(self, sizes: Array, ids: Array) -> None:
        """The lists of the next terms, so long, in one array; each ascends."""
        is_long = sizes > LONG
        listed = np.where(is_long, 0, sizes)
        self._append("sizes", sizes)
        self._append("lists", ids[~np.repeat(is_long, sizes)])
        self._append("list_bounds", self._in_lists + np.cumsum(listed, dtype=np.int64))
        self._in_lists += int(listed.sum())
        longs = np.flatnonzero(is_long)
        self._append("long", self._terms + longs)
        bounds = bounds_of(sizes)
        for term in longs.tolist():
            packed = bitmap(ids[bounds[term] : bounds[term + 1]]).serialize()
            self._append("sets", np.frombuffer(packed, np.uint8))
            self._in_sets += len(packed)
            self._append("set_bounds", np.array([self._in_sets]))
        self._terms += len(sizes)

    def _append(self, key: str, values: Array) -> None:
        self._writer.append(f"{self._name}.{key}", values)


class Segment:
    """A segment that is mapped."""

    def __init__(self, path: Path) -> None:
        """Raises:
        FileNotFoundError: there is no such file.
        CorruptFileError: it cannot be trusted.
        """
        self.name = path.name
        self.arrays = map_arrays(path)
        self.ids = Texts(self.arrays["ids.octets"], self.arrays["ids.bounds"])
        self._stored = Texts(self.arrays["stored.octets"], self.arrays["stored.bounds"])
        self.size = len(self.ids)
        """How many documents it has, live or not."""
        self.numbers: dict[str, NDArray[np.int64]] = {
            number.name: self.arrays[f"number.{number.name}"] for number in NUMBERS
        }
        self.keywords = {
            keyword.name: InvertedField(self.arrays, f"keyword.{keyword.name}")
            for keyword in KEYWORDS
        }
        """By value; behind the last, of a column with one value a document, those without."""
        self.text = InvertedField(self.arrays, "text")
        self.spellings = InvertedField(self.arrays, "spellings")
        """The words of titles and companies, not stemmed."""
        self.trigrams = InvertedField(self.arrays, "trigrams")
        """Of the words in ``spellings``, by their places there."""

    @property
    def octets(self) -> int:
        """Its size on disk, but for its table of contents."""
        return sum(array.nbytes for array in self.arrays.values())

    def stored(self, doc: int) -> bytes:
        """The document as lists show it, in JSON."""
        return decompressed(self._stored[doc])

    def packed(self, doc: int) -> bytes:
        """:meth:`stored` as it is written."""
        return self._stored[doc]

    def find(self, job_id: bytes) -> int | None:
        """The doc id of a job."""
        key = np.uint64(xxhash.xxh3_64_intdigest(job_id))
        hashes = self.arrays["ids.hashes"]
        place = int(np.searchsorted(hashes, key))
        while place < self.size and hashes[place] == key:
            doc = int(self.arrays["ids.docs"][place])
            if self.ids[doc] == job_id:
                return doc
            place += 1
        return None

    def ordinals(self, keyword: str) -> NDArray[np.uint32]:
        """The value of each document, of a column with one value a document."""
        return self.arrays[f"keyword.{keyword}.ordinals"]

    @cached_property
    def posting_bounds(self) -> NDArray[np.int64]:
        """Where the postings of each term of the text begin among those of all."""
        return self.arrays["text.posting_bounds"]

    def masks(self, term: int) -> NDArray[np.uint8]:
        """Of each posting of a term of the text, in which fields of the document it stands."""
        begin, end = self.posting_bounds[term : term + 2].tolist()
        return self.arrays["text.masks"][begin:end]

    def positions(self, term: int) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """Of a term of the text, how many positions each posting has, less one, and the positions
        of all postings."""
        begin, end = self.posting_bounds[term : term + 2].tolist()
        first, last = self.arrays["text.position_bounds"][term : term + 2].tolist()
        return self.arrays["text.counts"][begin:end], self.arrays["text.positions"][first:last]


def write_ids(writer: ArraysWriter, ids: Sequence[bytes]) -> None:
    """Write the ids of documents in the order of their doc ids."""
    write_texts(writer, "ids", ids)
    hashes = np.fromiter(map(xxhash.xxh3_64_intdigest, ids), np.uint64, len(ids))
    docs = np.argsort(hashes, kind="stable")
    writer.append("ids.hashes", hashes[docs])
    writer.append("ids.docs", docs.astype(np.uint32))
