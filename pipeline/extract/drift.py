"""How a response differs from what its source's file declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RESPONSE = "(answer)"
"""Stands for the response itself among the fields of a drift."""
MAX_DRIFT_FIELDS = 200
"""The most different fields that one fetch reports; a map with ids as its keys, sent as a
posting, would otherwise report each of them."""
UNKNOWN = "unknown field"
"""The difference that adds something and takes nothing away."""

_KINDS: Mapping[type, str] = {
    str: "text", bool: "true or false", int: "whole number", float: "number",
    dict: "object", list: "list", type(None): "null",
}  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """One way in which responses differ from what their source declares.

    ``count`` is the number of postings concerned, or of pages where ``field`` begins with
    :data:`RESPONSE`, and ``of`` how many were looked at. ``is_new`` says that no earlier fetch of
    the source showed it.
    """

    field: str
    what: str
    count: int
    example: str | None = None
    is_new: bool = True
    of: int = 0

    @property
    def concerns_all(self) -> bool:
        """Whether no posting or page is as declared: the source has changed, not one advert."""
        return self.what != UNKNOWN and self.count >= self.of


def kind(value: Any) -> str:
    """What a value of a JSON document is, in words."""
    return _KINDS.get(type(value), type(value).__name__)


def envelope_differences(response: Any, declared: Mapping[str, str]) -> list[tuple[str, str]]:
    """Where one response differs from its declared envelope, as pairs of field and difference.

    Args:
        declared: for each field of the envelope the kinds that it may have, ``object or null``,
            with ``absent`` among them where it may be left out. Fields of fields are written
            ``data.jobs``; the empty name is the response itself.
    """
    found = []
    children: defaultdict[str, set[str]] = defaultdict(set)
    for name, kinds in declared.items():
        parent, _, key = name.rpartition(".")
        if name:
            children[parent].add(key)
        holder = _at(response, parent)
        if name and not isinstance(holder, Mapping):
            continue
        actual = kind(response) if not name else kind(holder[key]) if key in holder else "absent"
        allowed = kinds.split(" or ")
        if actual not in allowed and not (actual == "whole number" and "number" in allowed):
            expected = " or ".join(kind for kind in allowed if kind != "absent")
            found.append((_field(name), f"{actual} instead of {expected}"))
    for parent, known in children.items():
        holder = _at(response, parent)
        if isinstance(holder, Mapping):
            found += [
                (_field(f"{parent}.{key}" if parent else str(key)), UNKNOWN)
                for key in holder
                if key not in known
            ]
    return sorted(found)


def _at(value: Any, path: str) -> Any:
    for key in path.split(".") if path else []:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _field(name: str) -> str:
    return f"{RESPONSE}.{name}"[:120] if name else RESPONSE
