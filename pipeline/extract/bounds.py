"""How much one fetch of a source may take: pages, bytes and time."""

from __future__ import annotations

import time

from pipeline.extract.errors import BoundReachedError
from pipeline.installation.settings import SourceSettings


def env_prefix(settings: SourceSettings) -> str:
    """What the variables of a source begin with: ``ADZUNA_``."""
    return str(settings.model_config.get("env_prefix", "")).upper()


class Bounds:
    """Counts what a fetch takes. The time runs from the first page on."""

    def __init__(self, source: str, settings: SourceSettings) -> None:
        self._source = source
        self._settings = settings
        self._pages = 0
        self._bytes = 0
        self._deadline: float | None = None

    def take_page(self) -> None:
        """Count a page.

        Raises:
            BoundReachedError: it is one too many.
        """
        if self._deadline is None:
            self._deadline = time.monotonic() + self._settings.max_seconds
        if self._pages >= self._settings.max_pages:
            raise self._reached(f"{self._settings.max_pages} pages", "MAX_PAGES")
        self._pages += 1

    def take_bytes(self, count: int) -> None:
        """Count decompressed bytes.

        Raises:
            BoundReachedError: they are too many.
        """
        self._bytes += count
        self.check_announced(0)

    def check_announced(self, count: int) -> None:
        """Judge bytes that are yet to come.

        Raises:
            BoundReachedError: they would be too many.
        """
        if self._bytes + count > self._settings.max_megabytes * 1_000_000:
            raise self._reached(f"{self._settings.max_megabytes} MB", "MAX_MEGABYTES")

    def check_time(self) -> None:
        """Judge the time that has passed.

        Raises:
            BoundReachedError: it is over.
        """
        if self.seconds_left() <= 0:
            raise self.out_of_time()

    def seconds_left(self) -> float:
        """Until the fetch must end; negative when it should have ended."""
        if self._deadline is None:
            return self._settings.max_seconds
        return self._deadline - time.monotonic()

    def allow_pause(self, seconds: float) -> bool:
        """Whether a fetch may wait that long and ask again."""
        return seconds <= self._settings.max_retry_delay_seconds and seconds < self.seconds_left()

    def out_of_time(self) -> BoundReachedError:
        """The error for a fetch that takes too long."""
        return self._reached(f"{self._settings.max_seconds:g} s", "MAX_SECONDS")

    def _reached(self, bound: str, variable: str) -> BoundReachedError:
        return BoundReachedError(
            f"{self._source}: a fetch may take {bound}, and that is reached. What came before is "
            f"kept. To fetch more, raise {env_prefix(self._settings)}{variable}."
        )
