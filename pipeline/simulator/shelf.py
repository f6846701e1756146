"""What one source shows of a market, with its adverts remembered between requests."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime

from pipeline.simulator import search
from pipeline.simulator.listings import whole_seconds
from pipeline.simulator.market import Market
from pipeline.simulator.source_api import Shown, SourceApi

_REMEMBERED = 10_000


class MarketShelf:
    """A :class:`pipeline.simulator.source_api.Shelf`, for several threads."""

    def __init__(self, market: Market, api: SourceApi) -> None:
        self._market = market
        self._api = api
        self._known: dict[tuple[int, bool], Shown] = {}
        self._lock = threading.Lock()

    @property
    def seed(self) -> int:
        return self._market.seed

    def at(self, now: datetime) -> Iterator[Shown]:
        second = whole_seconds(now)
        for listing in self._market.listings(self._api.name, now):
            revised_at = listing.opening.revised_at
            key = (listing.serial, revised_at is not None and second >= revised_at)
            shown = self._known.get(key)
            if shown is None:
                advert = self._market.advert(listing, second)
                text = search.Page.of(listing.opening, *self._api.text(advert))
                shown = Shown(listing, advert, text)
                with self._lock:
                    if len(self._known) >= _REMEMBERED:
                        self._known.clear()
                    self._known[key] = shown
            yield shown
