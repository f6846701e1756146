"""A search, as PostgreSQL understands it, over the sets of jobs that its words are found in.

https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY: lexemes in
quotes, joined by ``!``, ``<->`` or ``<N>``, ``&`` and ``|``, from the tightest to the loosest.
``websearch_to_tsquery`` writes nothing but words and phrases around ``<->``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from serving.search.bitmaps import Bitmap

_TOKEN = re.compile(r"\s*('(?:[^'\\]|''|\\.)*'|<(?:-|\d+)>|[!&|()])", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """The jobs whose text has this lexeme, written as PostgreSQL does between quotes."""

    lexeme: str


@dataclass(frozen=True)
class Phrase:
    """The jobs in whose text words stand at ``offsets`` from the first, whose offset is 0."""

    words: tuple[Word, ...]
    offsets: tuple[int, ...]


@dataclass(frozen=True)
class Operation:
    operator: Literal["!", "&", "|"]
    operands: tuple[Node, ...]


Node = Word | Phrase | Operation


def parse(tsquery: str) -> Node | None:
    """The tree of a tsquery that PostgreSQL has written; none of the empty one.

    Raises:
        ValueError: it is not such a text, or has a phrase of other than words.
    """
    tokens: list[str] = []
    place = 0
    text = tsquery.rstrip()
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ValueError("not a tsquery")
        tokens.append(token[1])
        place = token.end()
    if not tokens:
        return None
    tokens.reverse()
    node = _either(tokens)
    if tokens:
        raise ValueError("not a tsquery")
    return node


def _either(tokens: list[str]) -> Node:
    return _joined(tokens, "|", _both)


def _both(tokens: list[str]) -> Node:
    return _joined(tokens, "&", _phrase)


def _joined(
    tokens: list[str], operator: Literal["&", "|"], operand: Callable[[list[str]], Node]
) -> Node:
    operands = [operand(tokens)]
    while tokens and tokens[-1] == operator:
        tokens.pop()
        operands.append(operand(tokens))
    return operands[0] if len(operands) == 1 else Operation(operator, tuple(operands))


def _phrase(tokens: list[str]) -> Node:
    node = _negated(tokens)
    while tokens and tokens[-1].startswith("<"):
        distance = tokens.pop()[1:-1]
        node = _followed(node, 1 if distance == "-" else int(distance), _negated(tokens))
    return node


def _followed(first: Node, distance: int, second: Node) -> Phrase:
    (words, offsets), (others, behind) = map(_sequence, (first, second))
    begin = offsets[-1] + distance
    return Phrase(words + others, offsets + tuple(begin + offset for offset in behind))


def _sequence(node: Node) -> tuple[tuple[Word, ...], tuple[int, ...]]:
    if isinstance(node, Word):
        return (node,), (0,)
    if isinstance(node, Phrase):
        return node.words, node.offsets
    raise ValueError("a phrase of other than words")


def _negated(tokens: list[str]) -> Node:
    first = tokens.pop() if tokens else ""
    if first == "!":
        return Operation("!", (_negated(tokens),))
    if first == "(":
        node = _either(tokens)
        if not tokens or tokens.pop() != ")":
            raise ValueError("not a tsquery")
        return node
    if not first.startswith("'"):
        raise ValueError("not a tsquery")
    return Word(first[1:-1])


def phrases(node: Node) -> Iterator[Phrase]:
    """The phrases in ``node``."""
    if isinstance(node, Phrase):
        yield node
    elif isinstance(node, Operation):
        for operand in node.operands:
            yield from phrases(operand)


def matching(node: Node, found: Callable[[Word | Phrase], Bitmap]) -> Bitmap:
    """The jobs that match, of which a complement holds numbers that are no job's."""
    if isinstance(node, Word | Phrase):
        return found(node)
    first, *rest = (matching(operand, found) for operand in node.operands)
    if node.operator == "!":
        return ~first
    for other in rest:
        first = first & other if node.operator == "&" else first | other
    return first
