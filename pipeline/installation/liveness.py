"""When a process that runs is taken for hung."""

from __future__ import annotations

import os
import time

PROBE_SECONDS = 5.0
"""How often a process is asked for a sign of life, and how long it may take to give one."""

SILENT_SECONDS = 30.0
"""How long a process that has answered before may be silent."""

START_SECONDS = 120.0
"""How long a process may take until it answers for the first time."""

MIN_MISSES = 4
"""How many probes in a row must have failed, however long the last one is ago: where this machine
slept, so did the prober."""

BUSY_FACTOR = 4.0
"""How much longer all of it may take while twice as many tasks want to run as there are cores."""


class Liveness:
    """The signs of life of one process since its start."""

    def __init__(self) -> None:
        self._has_answered = False
        self._misses = 0
        self._silent_since = time.monotonic()

    def note(self, answered: bool | None) -> None:
        """Take a probe into account; ``None`` where it could not be told."""
        if answered is False:
            self._misses += 1
            return
        self._has_answered |= answered is True
        self._misses = 0
        self._silent_since = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """The time since the last sign of life."""
        return time.monotonic() - self._silent_since

    @property
    def is_hung(self) -> bool:
        allowed = SILENT_SECONDS if self._has_answered else START_SECONDS
        return self._misses >= MIN_MISSES and self.silent_seconds > allowed * patience()


def patience() -> float:
    """By how much to wait longer at the moment: on a busy machine slow answers say nothing."""
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    return BUSY_FACTOR if busy else 1.0
