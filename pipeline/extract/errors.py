"""Why a source could not be asked, or its response not used.

Every message is one or two sentences for the log and the UI: it names the source, says what
happened and what to do, and never holds a secret or a URL's query.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


class FetchError(Exception):
    """The fetch of a source ended early.

    Attributes:
        retry_at: when asking again may help, where that is known.
        ends_fetch: further requests of this fetch would fail in the same way.
    """

    ends_fetch = False

    def __init__(self, message: str, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class SourceUnavailableError(FetchError):
    """The source did not answer, or only with server errors, in all attempts."""


class InvalidResponseError(FetchError):
    """The source answered, but not what was asked for."""


class AuthenticationError(FetchError):
    """The source did not accept the key."""

    ends_fetch = True


class EndpointMissingError(FetchError):
    """The source has nothing at the path: its API has moved. Other paths may still answer."""


class PlanExhaustedError(FetchError):
    """The source says that the requests of the plan are used up."""

    ends_fetch = True


class RefusedEarlierError(FetchError):
    """The source refused this question a short while ago, for a reason that time does not mend."""

    def __init__(self, message: str, retry_at: datetime | None, *, ends_fetch: bool) -> None:
        super().__init__(message, retry_at)
        self.ends_fetch = ends_fetch


class ShortSearchError(FetchError):
    """The pages of a search held fewer postings than the source announced."""

    def __init__(self, source: str, announced: int, held: int) -> None:
        super().__init__(
            f"{source} announced {announced} postings on these pages, and they held {held}. The "
            "next fetch asks again."
        )


class RateLimitedError(FetchError):
    """The source asks for a longer pause than a fetch may take."""

    ends_fetch = True


class QuotaExhaustedError(FetchError):
    """The next request would exceed a quota of the source's plan."""

    ends_fetch = True


class FetchLimitError(FetchError):
    """The fetch reached the limit on its pages, bytes or time."""

    ends_fetch = True


class LedgerError(FetchError):
    """The ledger of requests cannot be read or written, so that nothing may be asked."""

    ends_fetch = True


class IncompleteFetchError(FetchError):
    """Some searches of a fetch failed or came up short; ``failures`` has the error of each."""

    def __init__(self, source: str, asked: int, failures: Mapping[str, FetchError]) -> None:
        by_message: dict[str, list[str]] = {}
        for search, error in failures.items():
            by_message.setdefault(str(error), []).append(search)
        reasons = "; ".join(
            f"{', '.join(searches)}: {message}" for message, searches in by_message.items()
        )
        super().__init__(
            f"{source}: {len(failures)} of {asked} searches failed or came up short. {reasons}",
            max((e.retry_at for e in failures.values() if e.retry_at), default=None),
        )
        self.failures = dict(failures)
