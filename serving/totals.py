"""How many jobs match a search, remembered for as long as nothing is published.

Counting is most of what a frequent search costs. Published jobs change only together with a new
row of the table ``publishes``, in one transaction, so the total of one version stays exact; the
statement itself compares the version that it sees with the one that the total is known for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

CAPACITY = 1_000


class Totals:
    """The totals of the last :data:`CAPACITY` different searches, by their filters."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[int, int]] = OrderedDict()

    @staticmethod
    def _key(parameters: Mapping[str, Any]) -> str:
        filters = {k: v for k, v in parameters.items() if k not in ("limit", "offset")}
        return repr(sorted(filters.items()))

    def known(self, parameters: Mapping[str, Any]) -> dict[str, int | None]:
        """The parameters of ``jobs.sql`` that save the counting; null for a new search."""
        version, total = self._known.get(self._key(parameters), (None, None))
        return {"known_version": version, "known_total": total}

    def remember(self, parameters: Mapping[str, Any], version: int | None, total: int) -> None:
        """Keep what a statement answered. ``version`` is null before the first publish."""
        if version is None:
            return
        key = self._key(parameters)
        self._known[key] = (version, total)
        self._known.move_to_end(key)
        if len(self._known) > CAPACITY:
            self._known.popitem(last=False)
