"""A posting of the simulated market: which opening, at which source, from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.simulator.openings import Opening

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
COPIES = 4
"""Postings that one opening can have at one source: two publishers, each with a repost."""


@dataclass(frozen=True)
class Listing:
    """One posting: an opening at one source from ``listed_from`` until ``listed_until`` (seconds
    since :data:`EPOCH`), except while it is ``hidden``. A repost is a fresh posting, with an id
    of its own, of an opening that the source has shown before."""

    opening: Opening
    source: str
    copy: int
    listed_from: int
    listed_until: int
    hidden: tuple[int, int] | None
    publisher: str

    @property
    def serial(self) -> int:
        """The posting's number within its source."""
        return self.opening.number * COPIES + self.copy

    @property
    def is_repost(self) -> bool:
        return self.copy >= 2

    def is_visible(self, at: int) -> bool:
        if self.hidden and self.hidden[0] <= at < self.hidden[1]:
            return False
        return self.listed_from <= at < self.listed_until

    def changed_since(self, since: int, at: int) -> bool:
        """Whether a reader who saw the source at ``since`` finds this posting new, edited or
        back at ``at``."""
        if not self.is_visible(at):
            return False
        revised_at = self.opening.revised_at
        return not self.is_visible(since) or (revised_at is not None and since < revised_at <= at)


def moment(second: int) -> datetime:
    """The time that is so many seconds after :data:`EPOCH`."""
    return EPOCH + timedelta(seconds=second)


def whole_seconds(at: datetime) -> int:
    """The seconds from :data:`EPOCH` to a time."""
    return int((at - EPOCH).total_seconds())


def seconds_before(now: datetime, days: int) -> int:
    """The seconds from :data:`EPOCH` to so many days ago."""
    return whole_seconds(now - timedelta(days=days))
