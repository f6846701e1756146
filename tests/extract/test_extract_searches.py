"""Going through pages of searches: nothing twice, nothing lost, and every failure told."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.extract.errors import (
    FetchError,
    IncompleteFetchError,
    QuotaExhaustedError,
    ShortSearchError,
    SourceUnavailableError,
)
from pipeline.extract.searches import Page, Position, pages_of_searches

Pages = list[list[Any] | FetchError]


def search(
    pages: Pages, asked: list[int] | None = None, announced: int | None = None
) -> Callable[[Position], Page]:
    """Pages by number, each of which names a next one."""

    def ask(position: Position) -> Page:
        number = position if isinstance(position, int) else 1
        if asked is not None:
            asked.append(number)
        answer = pages[number - 1] if number <= len(pages) else []
        if isinstance(answer, FetchError):
            raise answer
        return Page(answer, number + 1, announced)

    return ask


def jobs(*ids: Any) -> list[dict[str, Any]]:
    return [{"id": job_id} for job_id in ids]


def fetched(searches: dict[str, Pages], **options: Any) -> tuple[list[Any], FetchError | None]:
    found: list[Any] = []
    asks = {name: search(pages) for name, pages in searches.items()}
    try:
        for page in pages_of_searches("jsearch", asks, **({"key": "id", "max_pages": 5} | options)):
            found += page
    except FetchError as error:
        return found, error
    return found, None


@pytest.mark.trial("sources", "Pages and searches repeat postings")
def test_a_posting_comes_once_whatever_pages_and_searches_repeat_it() -> None:
    found, error = fetched({"a": [jobs(1, 2), jobs(2, 3)], "b": [jobs(3, 4), jobs("4", 5)]})
    assert found == jobs(1, 2, 3, 4, 5)
    assert error is None


def test_what_has_no_key_or_is_no_object_is_never_left_out() -> None:
    odd: list[Any] = [{"title": "x"}, {"id": None}, {"id": ""}, {"id": [1]}, "text", None, 7, []]
    found, _ = fetched({"a": [odd, odd]})
    assert found == odd + odd


def test_a_search_whose_first_page_others_brought_goes_on() -> None:
    found, _ = fetched({"a": [jobs(1, 2)], "b": [jobs(1, 2), jobs(3)]})
    assert found == jobs(1, 2, 3)


@pytest.mark.parametrize(
    ("pages", "options", "expected"),
    [
        ([jobs(1), jobs(2), jobs(3)], {"max_pages": 2}, [1, 2]),
        ([jobs(1), []], {}, [1, 2]),
        ([jobs(1), jobs(1), jobs(2)], {}, [1, 2]),
    ],
    ids=["pages", "empty", "repeats"],
)
def test_a_search_ends(pages: Pages, options: dict[str, int], expected: list[int]) -> None:
    asked: list[int] = []
    settings: dict[str, Any] = {"key": "id", "max_pages": 5} | options
    list(pages_of_searches("jsearch", {"a": search(pages, asked)}, **settings))
    assert asked == expected


def test_a_search_ends_with_the_page_that_names_no_next_one() -> None:
    pages = {None: Page(jobs(1), "b"), "b": Page(jobs(2), "c"), "c": Page(jobs(3), None)}
    found = list(pages_of_searches("jsearch", {"a": pages.__getitem__}, key="id", max_pages=9))
    assert found == [jobs(1), jobs(2), jobs(3)]


@pytest.mark.parametrize(
    "pages",
    [[jobs(1), jobs(2)], [jobs(1, 2), jobs(1, 2), jobs(3)], [jobs(1, 2), []]],
    ids=["short", "repeated", "empty"],
)
def test_a_search_that_came_up_short_is_told(pages: Pages) -> None:
    asked = {"a": search(pages, announced=3), "b": search([jobs(9)], announced=1)}
    found: list[Any] = []
    searches = pages_of_searches("adzuna", asked, key="id", max_pages=5)
    with pytest.raises(IncompleteFetchError, match="1 of 2 searches failed or came up") as error:
        found.extend(itertools.chain.from_iterable(searches))
    (short,) = error.value.failures.values()
    assert isinstance(short, ShortSearchError)
    assert "adzuna announced 3 postings on these pages, and they held 2" in str(short)


def test_a_short_page_in_the_middle_is_not_the_end() -> None:
    pages = [jobs(1), jobs(2, 3), jobs(4, 5)]
    assert fetched({"a": pages})[0] == jobs(1, 2, 3, 4, 5)


@pytest.mark.trial("sources", "One of its searches fails")
def test_a_failing_search_leaves_the_others_and_is_told_at_the_end() -> None:
    broken = SourceUnavailableError("jsearch is not available.")
    found, error = fetched({"a": [broken], "b": [jobs(1), broken], "c": [jobs(2)]})
    assert found == jobs(1, 2)
    assert isinstance(error, IncompleteFetchError)
    assert str(error) == (
        "jsearch: 2 of 3 searches failed or came up short. a (page 1), b (page 2): jsearch is not "
        "available."
    )


def test_what_all_searches_would_meet_ends_the_fetch() -> None:
    asked: list[int] = []
    searches = {"a": search([jobs(1), QuotaExhaustedError("used up")]), "b": search([], asked)}
    pages = pages_of_searches("jsearch", searches, key="id", max_pages=5)
    assert next(pages) == jobs(1)
    with pytest.raises(IncompleteFetchError, match="used up"):
        next(pages)
    assert asked == []


def test_a_sole_failure_that_brought_nothing_stands_for_itself() -> None:
    broken = QuotaExhaustedError("used up")
    assert fetched({"a": [broken], "b": [jobs(1)]}) == ([], broken)
