"""A posting of the simulated market: which opening, at which source, from when to when."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from pipeline.simulator.openings import Opening, scatter

SourceName = Literal["remoteok", "jsearch", "adzuna"]

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
COPIES = 4
"""Postings that one opening can have at one source: two publishers, each with a repost."""

_FIRST_IDS = {"remoteok": 1_000_000, "adzuna": 3_000_000_000}


@dataclass(frozen=True)
class Listing:
    """One posting: an opening at one source from ``listed_from`` until ``listed_until`` (seconds
    since :data:`EPOCH`), except while it is ``hidden``. A repost is a fresh posting, with an id
    of its own, of an opening that the source has shown before."""

    opening: Opening
    source: SourceName
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

    @property
    def source_id(self) -> str:
        """The posting's id in the source's own style."""
        if self.source == "jsearch":
            serial = self.serial.to_bytes(8, "big")
            check = scatter(self.serial).to_bytes(8, "big")
            return base64.urlsafe_b64encode(bytes(map(_xor, serial, check)) + check).decode()
        return str(_FIRST_IDS[self.source] + self.serial)

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


def _xor(left: int, right: int) -> int:
    return left ^ right


def serial_of(source: SourceName, source_id: str) -> int | None:
    """The posting's number that is in the id; None where the id is not of the source's style."""
    try:
        if source != "jsearch":
            return int(source_id) - _FIRST_IDS[source]
        raw = base64.urlsafe_b64decode(source_id)
    except (ValueError, binascii.Error):
        return None
    return int.from_bytes(bytes(map(_xor, raw[:8], raw[8:])), "big") if len(raw) == 16 else None
