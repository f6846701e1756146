"""How many jobs match a query, and its facets, remembered for as long as nothing is published.

Counting is most of what a frequent search costs. Published jobs change only together with a new
row of the table ``publishes``, in one transaction, so what is known of one edition stays exact;
each statement compares the edition that it sees with the one that the total is known for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cachetools import LRUCache

CAPACITY = 2_000


class Totals:
    """What was counted for the last :data:`CAPACITY` different queries."""

    def __init__(self) -> None:
        self._totals: LRUCache[str, tuple[str, int]] = LRUCache(CAPACITY)

    @staticmethod
    def _key(filters: Mapping[str, Any]) -> str:
        return repr(sorted(filters.items()))

    def known(self, filters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of ``counted.sql`` that save the counting; null for a new query."""
        edition, total = self._totals.get(self._key(filters), (None, None))
        return {"known_edition": edition, "known_total": total}

    def remember(self, filters: Mapping[str, Any], edition: str | None, total: int) -> None:
        """Keep what a statement answered. ``edition`` is null before the first publish."""
        if edition is not None:
            self._totals[self._key(filters)] = (edition, total)
