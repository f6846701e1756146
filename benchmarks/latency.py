"""Latencies, summed up."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Latencies:
    """Percentiles in milliseconds, and the throughput."""

    count: int
    p50: float
    p99: float
    longest: float
    per_second: float
    taken: Sequence[float] = field(repr=False)
    """All of them, the shortest first."""

    @classmethod
    def of(cls, milliseconds: Sequence[float], seconds: float) -> Latencies:
        """Nearest-rank percentiles of requests that took ``seconds`` together."""
        taken = sorted(milliseconds)

        def percentile(share: float) -> float:
            return taken[math.ceil(share * len(taken)) - 1]

        return cls(
            len(taken), percentile(0.5), percentile(0.99), taken[-1], len(taken) / seconds, taken
        )

    def over(self, milliseconds: float) -> int:
        """How many took longer."""
        return self.count - bisect_right(self.taken, milliseconds)
