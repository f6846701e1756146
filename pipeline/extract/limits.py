"""How much one fetch of a source may take: pages, bytes and time."""

from __future__ import annotations

import time

from pipeline.extract.errors import FetchLimitError
from pipeline.installation.settings import SourceSettings


class FetchLimits:
    """Counts what a fetch takes. The time runs from the first page on.

    Args:
        max_pages: in place of as many as the settings ask for.
    """

    def __init__(self, source: str, settings: SourceSettings, max_pages: int | None = None) -> None:
        self._source = source
        self._settings = settings
        self._max_pages = settings.pages_per_fetch if max_pages is None else max_pages
        self._pages = 0
        self._bytes = 0
        self._deadline: float | None = None

    def count_page(self) -> None:
        """Count a page.

        Raises:
            FetchLimitError: it is one too many.
        """
        if self._deadline is None:
            self._deadline = time.monotonic() + self._settings.max_seconds
        if self._pages >= self._max_pages:
            raise self._exceeded(f"{self._max_pages} pages", "pages_per_query")
        self._pages += 1

    def count_bytes(self, count: int) -> None:
        """Count decompressed bytes.

        Raises:
            FetchLimitError: they are too many.
        """
        self._bytes += count
        self.check_announced(0)

    def check_announced(self, count: int) -> None:
        """Check bytes that are yet to come.

        Raises:
            FetchLimitError: they would be too many.
        """
        if self._bytes + count > self._settings.max_megabytes * 1_000_000:
            raise self._exceeded(f"{self._settings.max_megabytes} MB", "max_megabytes")

    def check_deadline(self) -> None:
        """Check the time that has passed.

        Raises:
            FetchLimitError: it is over.
        """
        if self.seconds_left() <= 0:
            raise self.deadline_exceeded()

    def seconds_left(self) -> float:
        """Until the fetch must end; negative when it should have ended."""
        if self._deadline is None:
            return self._settings.max_seconds
        return self._deadline - time.monotonic()

    def timeout(self) -> float:
        """How many seconds the next wait for the network may last: the source's timeout, or what
        is left of the fetch where that is less.

        Raises:
            TimeoutError: nothing is left.
        """
        left = self.seconds_left()
        if left <= 0:
            raise TimeoutError
        return min(self._settings.timeout_seconds, left)

    def allow_pause(self, seconds: float) -> bool:
        """Whether a fetch may wait that long and ask again."""
        return seconds <= self._settings.max_retry_delay_seconds and seconds < self.seconds_left()

    def deadline_exceeded(self) -> FetchLimitError:
        """The error for a fetch that takes too long."""
        return self._exceeded(f"{self._settings.max_seconds:g} s", "max_seconds")

    def _exceeded(self, limit: str, field: str) -> FetchLimitError:
        has_setting = field in type(self._settings).model_fields
        more = f" To fetch more, raise {self._settings.variable(field)}." if has_setting else ""
        return FetchLimitError(
            f"{self._source}: a fetch may take {limit}, and that is reached. What came before is "
            f"kept.{more}"
        )
