"""A search, as PostgreSQL understands it, over the sets of jobs that its words are found in.

https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY: lexemes in
quotes, joined by ``!``, ``<->`` or ``<N>``, ``&`` and ``|``, from the tightest to the loosest.
What stands around ``<->`` needs the positions of words, which PostgreSQL alone knows, so that it
is one phrase here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Literal

from serving.index.bitmaps import Bitmap

_TOKEN = re.compile(r"\s*('(?:[^'\\]|''|\\.)*'|<(?:-|\d+)>|[!&|()])", re.DOTALL)


@dataclass(frozen=True)
class Word:
    """The jobs whose text has this lexeme, which is ``text`` as PostgreSQL writes it."""

    text: str

    @property
    def lexeme(self) -> str:
        return self.text[1:-1].replace("''", "'").replace("\\\\", "\\")


@dataclass(frozen=True)
class Phrase:
    """The jobs for which PostgreSQL finds the tsquery ``text`` true: its operands, at distances."""

    text: str
    operands: tuple[Node, ...]


@dataclass(frozen=True)
class Operation:
    operator: Literal["!", "&", "|"]
    operands: tuple[Node, ...]


Node = Word | Phrase | Operation


def parse(tsquery: str) -> Node | None:
    """The tree of a tsquery that PostgreSQL has written; none of the empty one.

    Raises:
        ValueError: it is not such a text.
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
    operands = [_negated(tokens)]
    text = _text(operands[0])
    while tokens and tokens[-1].startswith("<"):
        distance = tokens.pop()
        operands.append(_negated(tokens))
        text += f" {distance} {_text(operands[-1])}"
    return operands[0] if len(operands) == 1 else Phrase(text, tuple(operands))


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
    return Word(first)


def _text(node: Node) -> str:
    if isinstance(node, Word):
        return node.text
    if isinstance(node, Phrase):
        return f"({node.text})"
    if node.operator == "!":
        return f"!{_text(node.operands[0])}"
    return f"({f' {node.operator} '.join(map(_text, node.operands))})"


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


def possible(node: Node, found: Callable[[Word], Bitmap]) -> Bitmap | None:
    """Jobs that hold all that match, by their words alone; none if those tell nothing."""
    if isinstance(node, Word):
        return found(node)
    if isinstance(node, Operation) and node.operator == "!":
        return None
    parts = [possible(operand, found) for operand in node.operands]
    known = [part for part in parts if part is not None]
    if isinstance(node, Operation) and node.operator == "|":
        return reduce(or_, known) if len(known) == len(parts) else None
    return reduce(and_, known) if known else None
