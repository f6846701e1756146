"""Going through the pages of several searches of one source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.extract.errors import FetchError, IncompleteFetchError, ShortSearchError

Position = int | str | None
"""Where a page begins: its number, a cursor, or None for the first page."""


COUNTRY_FIELD = "_country"
"""Added to each raw posting of a search by country: the country that was asked, which many
responses do not name."""


@dataclass(frozen=True)
class Page:
    """One response to a search.

    Attributes:
        postings: what it brought.
        next: where the next page begins; None after the last.
        announced: how many postings the pages up to this one hold by the source's own count;
            None where it counts none.
    """

    postings: list[Any]
    next: Position
    announced: int | None = None


def with_country(postings: list[Any], country: str) -> list[Any]:
    """The postings with :data:`COUNTRY_FIELD`; what is no object stays as it is."""
    return [
        {**posting, COUNTRY_FIELD: country} if isinstance(posting, Mapping) else posting
        for posting in postings
    ]


def pages_of_searches(
    source: str, searches: Mapping[str, Callable[[Position], Page]], *, key: str, max_pages: int
) -> Iterator[list[Any]]:
    """Ask each search for its pages, from the first on, and yield what each page brings.

    A search ends after ``max_pages``, with a page that names no next one, with an empty page, or
    with one that only repeats its earlier pages. A posting that an earlier page or search brought
    is left out; one without ``key``, and what is not an object, never is. A search that fails
    does not keep the others from being asked, unless they would fail in the same way.

    Raises:
        FetchError: after the last page; where several searches failed or others brought
            postings, an :class:`IncompleteFetchError` that sums up what failed. A search whose
            pages held fewer postings than the source announced counts as one that failed.
    """
    seen: set[str] = set()
    failures: dict[str, FetchError] = {}
    brought = False
    for name, ask in searches.items():
        seen_here: set[str] = set()
        position: Position = None
        held, announced = 0, 0
        for number in range(1, max_pages + 1):
            try:
                page = ask(position)
            except FetchError as error:
                failures[f"{name} (page {number})"] = error
                announced = 0
                break
            keys = [_key_text(posting, key) for posting in page.postings]
            announced = max(announced, page.announced or 0)
            here = {text for text in keys if text is not None}
            if page.postings and None not in keys and here <= seen_here:
                break
            seen_here |= here
            held += len(page.postings)
            fresh = []
            for posting, text in zip(page.postings, keys, strict=True):
                if text is None or text not in seen:
                    fresh.append(posting)
                if text is not None:
                    seen.add(text)
            if fresh:
                brought = True
                yield fresh
            if page.next is None or not page.postings:
                break
            position = page.next
        if held < announced:
            failures[name] = ShortSearchError(source, announced, held)
        if failures and next(reversed(failures.values())).ends_fetch:
            break
    if len(failures) == 1 and not brought:
        raise next(iter(failures.values())).with_traceback(None)
    if failures:
        raise IncompleteFetchError(source, len(searches), failures)


def _key_text(posting: Any, key: str) -> str | None:
    value = posting.get(key) if isinstance(posting, Mapping) else None
    return str(value) if isinstance(value, str | int) and str(value).strip() else None
