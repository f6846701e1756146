"""When a process that runs is taken for hung."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import psutil

PROBE_SECONDS = 3.0
"""How often a process is asked for a sign of life, and how long it may take to give one."""

SILENT_SECONDS = 30.0
"""How long a process that has answered before may be silent."""

START_SECONDS = 120.0
"""How long a process may take until it answers for the first time."""

IDLE_SECONDS = 8.0
"""How long it may be silent if it does not work meanwhile either. One that a busy machine slows
down works; one that waits for a lock that nobody releases does not."""

START_IDLE_SECONDS = 30.0
"""The same until it answers for the first time: it may wait for others that start."""

WORKS_SHARE = 0.02
"""Whoever uses less than this share of one processor does not work."""

MIN_MISSES = 3
"""How many probes in a row must have failed, however long the last one is ago: where this machine
slept, so did the prober."""

STOPPED_SECONDS = 5.0
"""How long a process that is not asked for a sign of life may be stopped by a signal."""

BUSY_FACTOR = 4.0
"""How much longer all of it may take while twice as many tasks want to run as there are cores."""


class Liveness:
    """The signs of life of one process since its start."""

    def __init__(self) -> None:
        self._has_answered = False
        self._misses = 0
        self._silent_since = self._idle_since = self._looked_at = time.monotonic()
        self._processor_seconds: float | None = None

    def note(self, answered: bool | None, processor_seconds: float | None = None) -> None:
        """Take a probe into account.

        Args:
            answered: None where it could not be told.
            processor_seconds: how much processor time the process has used since its start; None
                where it is not known, and it counts as working.
        """
        now = time.monotonic()
        if answered is False:
            self._misses += 1
        else:
            self._has_answered |= answered is True
            self._misses = 0
            self._silent_since = now
        if answered is not False or self._has_worked(processor_seconds, now - self._looked_at):
            self._idle_since = now
        self._processor_seconds, self._looked_at = processor_seconds, now

    def _has_worked(self, processor_seconds: float | None, seconds: float) -> bool:
        if processor_seconds is None or self._processor_seconds is None:
            return True
        return processor_seconds - self._processor_seconds >= WORKS_SHARE * seconds

    @property
    def silent_seconds(self) -> float:
        """The time since the last sign of life."""
        return time.monotonic() - self._silent_since

    @property
    def is_hung(self) -> bool:
        if self._misses < MIN_MISSES:
            return False
        silent, idle = SILENT_SECONDS, IDLE_SECONDS
        if not self._has_answered:
            silent, idle = START_SECONDS, START_IDLE_SECONDS
        return (
            self.silent_seconds > silent * patience() or time.monotonic() - self._idle_since > idle
        )


def patience() -> float:
    """By how much to wait longer at the moment: on a busy machine slow answers say nothing."""
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    return BUSY_FACTOR if busy else 1.0


def processor_seconds(process: psutil.Process) -> float | None:
    """How much processor time the process has used; None where that cannot be told."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return None
    return float(used.user + used.system)


class Stopped:
    """Which of some processes were stopped by a signal and stay so: nobody continues what runs
    without a terminal. One that a debugger holds is not among them."""

    def __init__(self) -> None:
        self._since: dict[psutil.Process, float] = {}

    def among(self, processes: Iterable[psutil.Process]) -> list[psutil.Process]:
        """Those that were so in each look of the last :data:`STOPPED_SECONDS`."""
        now = time.monotonic()
        self._since = {
            process: self._since.get(process, now) for process in processes if _is_stopped(process)
        }
        return [one for one, since in self._since.items() if now - since >= STOPPED_SECONDS]


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False
