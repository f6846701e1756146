"""Latencies, summed up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Latencies:
    """Percentiles in milliseconds, and the throughput."""

    count: int
    p50: float
    p99: float
    longest: float
    per_second: float

    @classmethod
    def of(cls, milliseconds: Sequence[float], seconds: float) -> Latencies:
        """Nearest-rank percentiles of requests that all ended within ``seconds``."""
        taken = sorted(milliseconds)

        def percentile(share: float) -> float:
            return taken[math.ceil(share * len(taken)) - 1]

        return cls(len(taken), percentile(0.5), percentile(0.99), taken[-1], len(taken) / seconds)
