"""From documents to a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.search_index.analyzer import LAST_POSITION, Analyzer
from pipeline.search_index.arrays import Array, ArraysWriter
from pipeline.search_index.names import Names
from pipeline.search_index.schema import (
    COMPANY,
    DESCRIPTION,
    KEYWORDS,
    MISSING,
    NUMBERS,
    SKILLS,
    TITLE,
    Keyword,
)
from pipeline.search_index.segment import (
    InvertedFieldWriter,
    bounds_of,
    compressed,
    ranges,
    write_ids,
    write_texts,
)

BETWEEN_TEXTS = 100
"""Positions between two texts of a document, so that no phrase spans them."""
MAX_POSITIONS = 256
"""Of one term in one document: as many are counted in a byte."""
SHORT_TEXTS = 20_000
"""So many titles and skills are remembered with their terms: most come again."""
SPELLED_CHARS = 3
"""Shorter words are not looked for by their spelling."""


@dataclass(frozen=True)
class Document:
    """A published job as it is indexed.

    Attributes:
        stored: the job as lists show it, in JSON.
        values: by the column of :class:`~pipeline.search_index.schema.Keyword`.
        numbers: by the name of :class:`~pipeline.search_index.schema.Number`.
    """

    job_id: str
    stored: str
    title: str
    company: str | None
    skills: Sequence[str]
    tags: Sequence[str]
    description: str | None
    values: Mapping[str, str | Sequence[str] | None]
    numbers: Mapping[str, int | None]


class _Numbered(dict[str, int]):
    """Numbers new texts in the order in which they come."""

    def __missing__(self, text: str) -> int:
        number = len(self)
        self[text] = number
        return number


def build(path: Path, documents: Iterable[Document], analyzer: Analyzer) -> None:
    """Write a segment of documents with different ids, in memory: up to some ten thousand."""
    ordered = sorted(documents, key=place_in_list)
    names = Names(analyzer)
    with ArraysWriter(path) as writer:
        write_ids(writer, [document.job_id.encode() for document in ordered])
        write_texts(writer, "stored", [compressed(doc.stored.encode()) for doc in ordered])
        for number in NUMBERS:
            given = (document.numbers[number.name] for document in ordered)
            values = [MISSING if value is None else value for value in given]
            writer.append(f"number.{number.name}", np.array(values, np.int64))
        for keyword in KEYWORDS:
            _write_keyword(writer, keyword, ordered, keyword.key(names))
        _write_text(writer, ordered, analyzer)
        _write_spellings(writer, ordered, analyzer)


def place_in_list(document: Document) -> tuple[int, tuple[int, ...]]:
    """What documents are sorted by: the newest first, of one time the highest id."""
    newest = document.numbers["newest"]
    octets = document.job_id.encode()
    return -(MISSING if newest is None else newest), (*(-octet for octet in octets), 1)


def _write_keyword(
    writer: ArraysWriter,
    keyword: Keyword,
    documents: Sequence[Document],
    key: Callable[[str], str] | None,
) -> None:
    found = _Numbered()
    numbers: list[int] = []
    docs: list[int] = []
    missing: list[int] = []
    for doc, document in enumerate(documents):
        value = document.values[keyword.column]
        values = [value] if isinstance(value, str) else value or ()
        if not values:
            missing.append(doc)
        for each in dict.fromkeys(map(key, values) if key else values):
            numbers.append(found[each])
            docs.append(doc)
    terms, places = _sorted(found)
    write_texts(writer, f"keyword.{keyword.name}.terms", terms)
    of_values = places[np.array(numbers, np.int64)]
    inverted = InvertedFieldWriter(writer, f"keyword.{keyword.name}")
    order = np.argsort(of_values, kind="stable")
    sizes = np.bincount(of_values, minlength=len(terms))
    inverted.add(sizes, np.array(docs, np.uint32)[order])
    inverted.add(np.array([len(missing)]), np.array(missing, np.uint32))
    if not keyword.many:
        ordinals = np.full(len(documents), len(terms), np.uint32)
        ordinals[docs] = of_values
        writer.append(f"keyword.{keyword.name}.ordinals", ordinals)


def _sorted(found: Mapping[str, int]) -> tuple[list[bytes], NDArray[np.int64]]:
    """The texts in the order of their bytes, and by their numbers their places in it."""
    numbers = sorted((text.encode(), number) for text, number in found.items())
    places = np.zeros(len(numbers), np.int64)
    places[[number for _, number in numbers]] = np.arange(len(numbers))
    return [text for text, _ in numbers], places


def _write_text(writer: ArraysWriter, documents: Sequence[Document], analyzer: Analyzer) -> None:
    found = _Numbered({"": 0})
    terms: list[int] = []
    positions: list[int] = []
    lengths: list[int] = []
    begins: list[int] = []
    masks: list[int] = []
    docs: list[int] = []
    analyzed_short = lru_cache(SHORT_TEXTS)(partial(analyzer.terms, short=True))
    for doc, document in enumerate(documents):
        begin = 0
        for mask, text, short in _texts(document):
            analyzed = analyzed_short(text) if short else analyzer.terms(text)
            terms += map(found.__getitem__, analyzed.terms)
            positions += analyzed.positions
            lengths.append(len(analyzed.terms))
            masks.append(mask)
            docs.append(doc)
            begins.append(begin)
            begin += analyzed.end + BETWEEN_TEXTS
    del found[""]
    dictionary, places = _sorted({text: number - 1 for text, number in found.items()})
    numbers = np.array(terms, np.int64)
    is_term = numbers > 0
    of_texts = np.repeat(np.arange(len(lengths)), lengths)[is_term]
    at = np.array(positions, np.int64)[is_term] + np.array(begins, np.int64)[of_texts]
    at = np.minimum(at, LAST_POSITION)
    postings = places[numbers[is_term] - 1] * len(documents) + np.array(docs, np.int64)[of_texts]
    # One sort of one array: by term, document and position, with the field in the last bits.
    keys = np.sort(postings << 20 | at << 4 | np.array(masks, np.int64)[of_texts])
    write_texts(writer, "text.terms", dictionary)
    write_postings(TextWriter(writer), keys, len(dictionary), len(documents))


def write_postings(text: TextWriter, keys: NDArray[np.int64], terms: int, documents: int) -> None:
    """Write the postings of all terms. Each of ``keys``, which ascend, is a term times the number
    of documents plus the document, shifted by 20, plus the position, shifted by 4, plus the mask
    of the field."""
    postings = keys >> 20
    begins = np.flatnonzero(np.diff(postings, prepend=-1))
    masks = np.bitwise_or.reduceat(keys & 15, begins) if len(begins) else keys
    is_other = np.diff(keys >> 4, prepend=-1) != 0
    kept = keys[is_other]
    begins = np.flatnonzero(np.diff(kept >> 20, prepend=-1))
    counts = np.diff(np.append(begins, len(kept)))
    positions = kept >> 4 & LAST_POSITION
    if (counts > MAX_POSITIONS).any():
        counts = np.minimum(counts, MAX_POSITIONS)
        positions = positions[ranges(begins, counts)]
    of_postings = kept[begins] >> 20
    text.add(
        np.bincount(of_postings // documents, minlength=terms) if documents else np.zeros(0, int),
        of_postings % max(documents, 1),
        masks,
        counts,
        positions,
    )


class TextWriter:
    """Writes the postings of the text, one part of the dictionary after the other."""

    def __init__(self, writer: ArraysWriter) -> None:
        self._writer = writer
        self._inverted = InvertedFieldWriter(writer, "text")
        self._postings = self._positions = 0
        for name, dtype in (("masks", np.uint8), ("counts", np.uint8), ("positions", np.uint16)):
            writer.append(f"text.{name}", np.zeros(0, dtype))
        for name in ("posting_bounds", "position_bounds"):
            writer.append(f"text.{name}", np.zeros(1, np.int64))

    def add(self, sizes: Array, docs: Array, masks: Array, counts: Array, positions: Array) -> None:
        """The postings of the next terms, so many each: for each posting its document, its fields
        and how many of the positions are its."""
        self._inverted.add(sizes, docs)
        self._append("masks", masks)
        self._append("counts", counts - 1)
        self._append("positions", positions)
        ends = bounds_of(sizes)[1:]
        self._append("posting_bounds", self._postings + ends)
        self._append("position_bounds", self._positions + bounds_of(counts)[ends])
        self._postings += len(docs)
        self._positions += len(positions)

    def _append(self, name: str, values: Array) -> None:
        self._writer.append(f"text.{name}", values)


def _texts(document: Document) -> Iterable[tuple[int, str, bool]]:
    """The texts of a document: the field of each, and whether it is short."""
    yield TITLE, document.title, True
    if document.company:
        yield COMPANY, document.company, False
    for word in (*document.skills, *document.tags):
        yield SKILLS, word, True
    if document.description:
        yield DESCRIPTION, document.description, False


def _write_spellings(
    writer: ArraysWriter, documents: Sequence[Document], analyzer: Analyzer
) -> None:
    found = _Numbered()
    pairs: set[tuple[int, int]] = set()
    for doc, document in enumerate(documents):
        for word in analyzer.words(f"{document.title} {document.company or ''}", short=True):
            if len(word) >= SPELLED_CHARS and not analyzer.is_pair(word):
                pairs.add((found[word], doc))
    terms, places = _sorted(found)
    listed = np.array(sorted((int(places[word]), doc) for word, doc in pairs), np.int64)
    words, docs = listed.reshape(-1, 2).T
    write_texts(writer, "spellings.terms", terms)
    InvertedFieldWriter(writer, "spellings").add(np.bincount(words, minlength=len(terms)), docs)
    write_trigrams(writer, terms)


def trigrams(word: str) -> set[str]:
    """The trigrams of a word between blanks."""
    padded = f" {word} "
    return {padded[n : n + 3] for n in range(len(padded) - 2)}


def write_trigrams(writer: ArraysWriter, words: Sequence[bytes]) -> None:
    """Write the inverted field of the trigrams of words, by the places of the words."""
    found: dict[str, list[int]] = {}
    for place, word in enumerate(words):
        for trigram in trigrams(word.decode()):
            found.setdefault(trigram, []).append(place)
    terms = sorted(found, key=str.encode)
    write_texts(writer, "trigrams.terms", [term.encode() for term in terms])
    lists = [found[term] for term in terms]
    sizes = np.fromiter(map(len, lists), np.int64, len(lists))
    places = np.fromiter((place for group in lists for place in group), np.int64, sizes.sum())
    InvertedFieldWriter(writer, "trigrams").add(sizes, places)
