"""Going through the pages of several searches of one source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.extract.errors import FetchError, IncompleteFetchError


def pages_of_searches(
    source: str,
    searches: Mapping[str, Callable[[int], list[Any]]],
    *,
    key: str,
    max_pages: int,
    full_page: int = 1,
) -> Iterator[list[Any]]:
    """Ask each search for its pages, from 1 on, and yield what each page brings.

    A search ends after ``max_pages``, with a page of fewer than ``full_page`` postings, or with
    one that only repeats its earlier pages. A posting that an earlier page or search brought is
    left out; one without ``key``, and what is not an object, never is. A search that fails does
    not keep the others from being asked, unless they would fail in the same way.

    Raises:
        FetchError: after the last page; where several searches failed or others brought
            postings, an :class:`IncompleteFetchError` that sums up what failed.
    """
    seen: set[str] = set()
    failures: dict[str, FetchError] = {}
    brought = False
    for name, ask in searches.items():
        seen_here: set[str] = set()
        for page in range(1, max_pages + 1):
            try:
                postings = ask(page)
            except FetchError as error:
                failures[f"{name} (page {page})"] = error
                break
            keys = [_key_text(posting, key) for posting in postings]
            fresh = []
            for posting, text in zip(postings, keys, strict=True):
                if text is None or text not in seen:
                    fresh.append(posting)
                if text is not None:
                    seen.add(text)
            if fresh:
                brought = True
                yield fresh
            here = {text for text in keys if text is not None}
            repeats_only = bool(postings) and None not in keys and here <= seen_here
            seen_here |= here
            if len(postings) < full_page or repeats_only:
                break
        if failures and next(reversed(failures.values())).ends_fetch:
            break
    if len(failures) == 1 and not brought:
        raise next(iter(failures.values())).with_traceback(None)
    if failures:
        raise IncompleteFetchError(source, len(searches), failures)


def _key_text(posting: Any, key: str) -> str | None:
    value = posting.get(key) if isinstance(posting, Mapping) else None
    return str(value) if isinstance(value, str | int) and str(value).strip() else None
