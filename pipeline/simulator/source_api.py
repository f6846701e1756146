"""What the simulator needs to know of a source to play it."""

from __future__ import annotations

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from pipeline.simulator.listings import Listing
from pipeline.simulator.messages import Request, Response
from pipeline.simulator.openings import Opening
from pipeline.simulator.search import Page


@dataclass(frozen=True)
class Shown:
    """A posting that a source shows, as its JSON and as what is searched of it."""

    listing: Listing
    advert: dict[str, Any]
    page: Page


class Shelf(Protocol):
    """What one source shows of a market."""

    @property
    def seed(self) -> int:
        """The market's."""

    def at(self, now: datetime) -> Iterator[Shown]:
        """The postings of a time, in no particular order."""


class SourceApi(ABC):
    """The imitation of one source: its API, and its adverts for the openings of a market.

    Attributes:
        name: as in :data:`pipeline.sources.SOURCES`; its paths begin with it.
        path: of its requests, behind the name. A number in a group ``page`` and a country in a
            group ``country`` are read from it.
        republished: the share of its postings that a second publisher has too.
    """

    name: ClassVar[str]
    path: ClassVar[re.Pattern[str]]
    has_pages: ClassVar[bool] = True
    republished: ClassVar[float] = 0.0

    @abstractmethod
    def respond(self, request: Request, shelf: Shelf, now: datetime) -> Response:
        """Respond as the real API does, with the postings of a market."""

    @abstractmethod
    def envelope(self, request: Request, postings: list[Any], *, follows: bool, count: int) -> Any:
        """The JSON of a page of given postings.

        Args:
            follows: another page is there.
            count: the postings of all pages.
        """

    @abstractmethod
    def advertises(self, opening: Opening, chance: random.Random) -> bool:
        """Whether the source shows an opening."""

    @abstractmethod
    def source_id(self, serial: int) -> str:
        """The id of a posting, in the source's own style."""

    @abstractmethod
    def serial(self, source_id: str) -> int:
        """The number of the posting with this id.

        Raises:
            ValueError: the id is not of the source's style.
        """

    @abstractmethod
    def advert(self, listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
        """A posting as the source shows it at ``at`` (seconds since the market's epoch), with the
        fields of recorded responses."""

    @abstractmethod
    def text(self, advert: dict[str, Any]) -> tuple[str, str]:
        """The title and the description in an advert."""
