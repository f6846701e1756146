"""A simulated job market: what is advertised where, as a pure function of a seed and the time.

Nothing is stored. The market has ``size`` seats; in each, one opening follows another without a
pause, so ``size`` openings are open at any moment and the memory does not grow with it. An
opening's number names its seat and its turn, and a posting's id names its opening, so that the
truth about any posting can be told from its id alone.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from pipeline.simulator.apis import APIS
from pipeline.simulator.listings import COPIES, EPOCH, Listing, moment, whole_seconds
from pipeline.simulator.openings import Opening, fraction, opening, scatter
from pipeline.simulator.vocabulary import PUBLISHERS

MEAN_LIFE = timedelta(hours=50)
"""The mean life of an opening, so that 1 % of the market changes hands in half an hour."""

_LONGEST_DELAY = 0.15
"""How long a posting may outlive its opening, in lives of that opening."""


@dataclass(frozen=True)
class Truth:
    """What is so about a posting, whatever its source shows: the basis to score a pipeline.

    Postings with the same ``opening`` advertise the same job. ``opened_at`` and ``closed_at`` are
    the opening's; ``listed_from`` and ``listed_until`` the posting's, which may begin late and
    end late; while ``hidden``, the source does not show it. ``category`` None: not a job for
    the product.
    """

    opening: int
    category: str | None
    company: str
    title: str
    country: str
    opened_at: datetime
    closed_at: datetime
    listed_from: datetime
    listed_until: datetime
    hidden: tuple[datetime, datetime] | None
    is_repost: bool


class Market:
    """The market of one seed.

    Args:
        seed: another seed, another market.
        size: openings that are open at any time.
        speed: how much faster than :data:`MEAN_LIFE` openings come and go; dates stay those of
            the clock.
    """

    def __init__(self, seed: int = 1, size: int = 2_000, speed: float = 1.0) -> None:
        if size < 1 or not 0 < speed <= 3600:
            raise ValueError("A market needs a size of at least 1 and a speed above 0, up to 3600.")
        self.seed = seed
        self.size = size
        self.speed = speed
        self.companies = max(150, min(96_000, size // 13))
        self._life = MEAN_LIFE.total_seconds() / speed
        self._listings_of = lru_cache(maxsize=max(8_192, min(4 * size, 20_000)))(self._plan)

    def openings(self, at: datetime) -> Iterator[Opening]:
        """The openings that are open at a time: exactly :attr:`size`."""
        second = whole_seconds(at)
        for seat in range(self.size):
            yield self._opening(self._turn(seat, second) * self.size + seat)

    def listings(self, source: str, at: datetime) -> Iterator[Listing]:
        """The postings that a source shows at a time, in no particular order."""
        second = whole_seconds(at)
        for seat in range(self.size):
            turn = self._turn(seat, second)
            for number in self._alive(seat, turn, second):
                for listing in self._listings_of(number):
                    if listing.source == source and listing.is_visible(second):
                        yield listing

    def postings(
        self, source: str, at: datetime, *, since: datetime | None = None
    ) -> Iterator[dict[str, Any]]:
        """The postings that a source shows at a time, each as the source's JSON. With ``since``,
        only those that are new, edited or back since then; the part that was edited may be
        one that the source does not show."""
        second = whole_seconds(at)
        for listing in self.listings(source, at):
            if since is None or listing.changed_since(whole_seconds(since), second):
                yield self.advert(listing, second)

    def advert(self, listing: Listing, at: int) -> dict[str, Any]:
        """The posting as its source shows it at ``at`` (seconds since the market's epoch)."""
        chance = random.Random(scatter(self.seed, listing.serial, 10 + len(listing.source)))
        return APIS[listing.source].advert(listing, at, chance)

    def truth(self, source: str, source_id: str) -> Truth:
        """What is so about a posting.

        Raises:
            KeyError: this market has no such posting at the source, at any time.
        """
        listing = self.listing(source, source_id)
        subject = listing.opening
        hidden = listing.hidden
        return Truth(
            opening=subject.number,
            category=subject.category,
            company=subject.company.name,
            title=subject.full_title,
            country=subject.country.code,
            opened_at=moment(subject.opened_at),
            closed_at=moment(subject.closed_at),
            listed_from=moment(listing.listed_from),
            listed_until=moment(listing.listed_until),
            hidden=(moment(hidden[0]), moment(hidden[1])) if hidden else None,
            is_repost=listing.is_repost,
        )

    def listing(self, source: str, source_id: str) -> Listing:
        """The posting with this id.

        Raises:
            KeyError: this market has no such posting at the source, at any time.
        """
        api = APIS[source]
        with contextlib.suppress(ValueError):
            serial = api.serial(source_id)
            for listing in self._listings_of(serial // COPIES) if serial >= 0 else ():
                if listing.source == source and api.source_id(listing.serial) == source_id:
                    return listing
        raise KeyError(f"The market has no posting {source_id!r} at {source}.")

    def _boundary(self, seat: int, turn: int) -> int:
        """When the opening of this turn takes the seat. The shift stays below half a life, so
        that turns keep their order and lives vary from a tenth to nearly two."""
        phase = fraction(self.seed, seat, 5)
        shift = 0.9 * (fraction(self.seed, seat, turn, 6) - 0.5)
        return int((turn + phase + shift) * self._life)

    def _turn(self, seat: int, second: int) -> int:
        """The turn of the opening that holds the seat."""
        if second < 4 * self._life:
            raise ValueError(f"The market begins to move some days after {EPOCH:%Y-%m-%d}.")
        turn = int(second / self._life - fraction(self.seed, seat, 5)) + 1
        while self._boundary(seat, turn) > second:
            turn -= 1
        return turn

    def _alive(self, seat: int, turn: int, second: int) -> Iterator[int]:
        """Openings that may be advertised: the seat's own and those whose adverts linger."""
        yield turn * self.size + seat
        closed = self._boundary(seat, turn)
        for earlier in (turn - 1, turn - 2):  # the longest delay spans no third opening
            opened = self._boundary(seat, earlier)
            if second < closed + _LONGEST_DELAY * (closed - opened):
                yield earlier * self.size + seat
            closed = opened

    def _opening(self, number: int) -> Opening:
        turn, seat = divmod(number, self.size)
        return opening(
            self.seed,
            self.companies,
            number,
            self._boundary(seat, turn),
            self._boundary(seat, turn + 1),
        )

    def _plan(self, number: int) -> tuple[Listing, ...]:
        """Where and when the opening is advertised: at one source at least."""
        subject = self._opening(number)
        chance = random.Random(scatter(self.seed, number, 7))
        shown = [api for api in APIS.values() if api.advertises(subject, chance)]
        planned: list[Listing] = []
        for api in shown or [next(iter(APIS.values()))]:
            first, second = chance.sample(list(PUBLISHERS), 2)
            planned.extend(self._campaign(chance, subject, api.name, 0, first))
            if api.republished and chance.random() < api.republished:
                planned.extend(self._campaign(chance, subject, api.name, 1, second))
        return tuple(planned)

    @staticmethod
    def _campaign(
        chance: random.Random, subject: Opening, source: str, copy: int, publisher: str
    ) -> Iterator[Listing]:
        life = subject.closed_at - subject.opened_at
        begin = subject.opened_at + int(life * chance.uniform(0, 0.1))
        end = subject.closed_at
        if chance.random() < 0.3:
            end += int(life * chance.uniform(0, _LONGEST_DELAY))
        fate = chance.random()
        if fate < 0.06:
            pause = subject.opened_at + int(life * chance.uniform(0.5, 0.7))
            again = pause + int(life * 0.02)
            yield Listing(subject, source, copy, begin, pause, None, publisher)
            yield Listing(subject, source, copy + 2, again, end, None, publisher)
            return
        hidden = None
        if fate < 0.10:
            away = subject.opened_at + int(life * chance.uniform(0.3, 0.6))
            hidden = (away, away + int(life * 0.15))
        yield Listing(subject, source, copy, begin, end, hidden, publisher)
