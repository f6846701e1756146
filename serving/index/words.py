"""A search, as PostgreSQL understands it, over the sets of jobs that its words are found in.

https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY: lexemes in
quotes, joined by ``!``, ``<->`` or ``<N>``, ``&`` and ``|``, from the tightest to the loosest.
What stands around ``<->`` needs the positions of words, which PostgreSQL alone knows, so that it
is one atom here, as a single lexeme is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from serving.index.bitmaps import Bitmap

_TOKEN = re.compile(r"\s*('(?:[^'\\]|''|\\.)*'|<(?:-|\d+)>|[!&|()])", re.DOTALL)


@dataclass(frozen=True)
class Atom:
    """The jobs for which PostgreSQL finds this tsquery true."""

    text: str


@dataclass(frozen=True)
class Operation:
    operator: Literal["!", "&", "|"]
    operands: tuple[Node, ...]


Node = Atom | Operation


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
    node = _negated(tokens)
    if not tokens or not tokens[-1].startswith("<"):
        return node
    text = _text(node)
    while tokens and tokens[-1].startswith("<"):
        text += f" {tokens.pop()} {_text(_negated(tokens))}"
    return Atom(text)


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
    return Atom(first)


def _text(node: Node) -> str:
    if isinstance(node, Atom):
        return (
            node.text if node.text.startswith("'") and " <" not in node.text else f"({node.text})"
        )
    if node.operator == "!":
        return f"!{_text(node.operands[0])}"
    return f"({f' {node.operator} '.join(map(_text, node.operands))})"


def atoms(node: Node) -> Iterator[str]:
    """The texts of the atoms below ``node``."""
    if isinstance(node, Atom):
        yield node.text
    else:
        for operand in node.operands:
            yield from atoms(operand)


def matching(node: Node, found: Callable[[str], Bitmap]) -> Bitmap:
    """The jobs that match, of which a complement holds numbers that are no job's."""
    if isinstance(node, Atom):
        return found(node.text)
    first, *rest = (matching(operand, found) for operand in node.operands)
    if node.operator == "!":
        return ~first
    for other in rest:
        first = first & other if node.operator == "&" else first | other
    return first
