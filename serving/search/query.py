"""What people type, as a tree over the terms of the index.

Words stand for all of them, ``or`` between two for either, ``-`` before one for none, and quotes
around some for a phrase; ``kube*`` is the beginning of a word. No text is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.search_index.analyzer import Analyzer

MIN_PREFIX_CHARS = 2
"""A shorter beginning is a word."""

_PARTS = re.compile(r'-*"[^"]*"?|[^\s"]+')
_BETWEEN_WORDS = re.compile(r"[^\w.+#'’\-\u2010\u2011]+")


@dataclass(frozen=True)
class Term:
    """The documents whose text has a term."""

    term: str


@dataclass(frozen=True)
class Prefix:
    """Those with a term that begins so."""

    letters: str


@dataclass(frozen=True)
class Phrase:
    """Those in whose text the terms stand at these offsets from the first, whose offset is 0."""

    terms: tuple[str, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class Both:
    """Those that all operands match."""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Either:
    """Those that any operand matches."""

    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Without:
    """Those that the operand does not match."""

    operand: Node


Node = Term | Prefix | Phrase | Both | Either | Without


def parse(search: str, analyzer: Analyzer) -> Node | None:
    """The tree of a search; None if no word of it is indexed."""
    alternatives: list[Node] = []
    operands: list[Node] = []
    plain: list[str] = []

    def end_words() -> None:
        operands.extend(_words(" ".join(plain), analyzer))
        plain.clear()

    for part in _PARTS.findall(search):
        if part.lower() == "or":
            end_words()
            if operands:
                alternatives.append(_both(operands))
                operands = []
            continue
        text = part.lstrip("-")
        excluded = (len(part) - len(text)) % 2 == 1
        if not excluded and not text.startswith('"') and not text.endswith("*"):
            plain.append(text)
            continue
        end_words()
        node = _one(text, analyzer)
        if node is not None:
            operands.append(Without(node) if excluded else node)
    end_words()
    if operands:
        alternatives.append(_both(operands))
    if not alternatives:
        return None
    return alternatives[0] if len(alternatives) == 1 else Either(tuple(alternatives))


def leaves(node: Node, *, wanted: bool = True) -> Iterator[Term | Prefix | Phrase]:
    """The terms, prefixes and phrases of a tree; those alone that a document is found by if
    they are ``wanted``."""
    match node:
        case Both(operands) | Either(operands):
            for operand in operands:
                yield from leaves(operand, wanted=wanted)
        case Without(operand):
            if not wanted:
                yield from leaves(operand, wanted=wanted)
        case _:
            yield node


def _both(operands: Sequence[Node]) -> Node:
    return operands[0] if len(operands) == 1 else Both(tuple(operands))


def _one(text: str, analyzer: Analyzer) -> Node | None:
    """A part that stands by itself: a phrase, a beginning, or a word that is excluded."""
    if text.startswith('"'):
        groups = list(_groups([text.strip('"')], analyzer))
        return groups[0] if groups else None
    if text.endswith("*"):
        words = analyzer.split(analyzer.plain(text, short=True))
        if len(words) == 1 and len(words[0]) >= MIN_PREFIX_CHARS:
            stem = analyzer.variant(analyzer.stem(words[0]))
            prefix = Prefix(words[0])
            return Either((prefix, Term(stem))) if stem else prefix
    nodes = list(_words(text, analyzer))
    return _both(nodes) if nodes else None


def _words(text: str, analyzer: Analyzer) -> Iterator[Node]:
    plain = analyzer.plain(text, short=True)
    return _groups(_BETWEEN_WORDS.split(plain), analyzer)


def _groups(pieces: Sequence[str], analyzer: Analyzer) -> Iterator[Node]:
    """A node for each piece of a text: its word, or the phrase of its words. Two pieces that are
    spelled as one word are one."""
    stems: list[str] = []
    piece_of: list[int] = []
    for place, piece in enumerate(pieces):
        for word in _without_halves(analyzer.words(piece, short=True), analyzer):
            stems.append(word if analyzer.is_pair(word) else analyzer.stem(word))
            piece_of.append(place)
    variants = {variant.begin: variant for variant in analyzer.variants(stems)}
    found: dict[int, list[tuple[int, str]]] = {}
    offset = place = 0
    while place < len(stems):
        variant = variants.get(place)
        term = variant.term if variant else analyzer.variant(stems[place])
        if term:
            found.setdefault(piece_of[place], []).append((offset, term))
        place = variant.end if variant else place + 1
        offset += 1
    for number, terms in found.items():
        yield _group(terms, pieces[number], analyzer)


def _group(terms: Sequence[tuple[int, str]], piece: str, analyzer: Analyzer) -> Node:
    first = terms[0][0]
    if len(terms) == 1:
        term = terms[0][1]
        return Prefix(term) if len(term) == 1 and analyzer.is_pair(term) else Term(term)
    phrase = Phrase(tuple(term for _, term in terms), tuple(offset - first for offset, _ in terms))
    joined = [analyzer.stem(word) for word in analyzer.joined(piece)]
    if len(joined) == 1 and " " not in piece.strip() and joined[0]:
        return Either((phrase, Term(analyzer.variant(joined[0]))))
    return phrase


def _without_halves(words: Sequence[str], analyzer: Analyzer) -> Iterator[str]:
    """Without the last character of a run that pairs hold already."""
    before = ""
    for word in words:
        is_half = len(word) == 1 and len(before) == 2 and before[1] == word
        if not (is_half and analyzer.is_pair(word)):
            yield word
        before = word
