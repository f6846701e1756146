"""A posting over which a rule raises is set aside alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from pipeline.transform.schema import MappedPosting, Posting, RejectedPosting
from pipeline.transform.understanding import understand
from pipeline.transform.understanding.derived import with_derived

SEEN = datetime(2026, 2, 7, tzinfo=UTC)
SCHEMA = {name: column.dtype for name, column in MappedPosting.columns().items()}


def mapped(*titles: str) -> pl.DataFrame:
    default = dict.fromkeys(SCHEMA) | {
        "source": "jsearch", "first_seen_at": SEEN, "last_seen_at": SEEN, "run_id": "run",
        "load_id": "1", "raw": '{"a": "\0"}',
    }  # fmt: skip
    rows = [
        default | {"source_id": f"id {number}", "title": title, "employment_type": title}
        for number, title in enumerate(titles)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def raise_for_poison(error: BaseException) -> Any:
    def rule(postings: pl.LazyFrame) -> pl.LazyFrame:
        if (postings.collect()["title"] == "poison").any():
            raise error
        return with_derived(postings)

    return rule


@pytest.mark.parametrize("error", [RecursionError("deep"), MemoryError(), ValueError("no number")])
@pytest.mark.parametrize(
    "titles", [["poison"], ["Go", "poison", "Java", "C"], ["Go"] * 9 + ["poison"]]
)
def test_one_posting_that_raises_is_rejected_alone(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, titles: list[str]
) -> None:
    monkeypatch.setattr(understand, "with_derived", raise_for_poison(error))
    postings, rejected = understand.understand(mapped(*titles))
    Posting.validate(postings)
    RejectedPosting.validate(rejected)
    assert postings["title"].to_list() == [title for title in titles if title != "poison"]
    assert rejected["reason"].to_list() == [f"its text cannot be read ({type(error).__name__})"]
    assert rejected["source_id"].str.starts_with("sha256-").all()
    assert rejected["raw"].to_list() == ['{"a": ""}']


@pytest.mark.parametrize("step", ["with_derived", "relevant", "check_comparable"])
def test_what_a_later_step_cannot_take_is_rejected_too(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    whole = getattr(understand, step)

    def raising(postings: Any) -> Any:
        if postings.lazy().collect()["title"].str.contains("Poison").any():
            raise RecursionError
        return whole(postings)

    monkeypatch.setattr(understand, step, raising)
    titles = ["Java Developer", "Poison Backend Engineer", "Go Developer"]
    postings, rejected = understand.understand(mapped(*titles))
    assert postings["title"].to_list() == ["Java Developer", "Go Developer"]
    assert rejected["reason"].to_list() == ["its text cannot be read (RecursionError)"]


def test_a_fault_of_the_program_is_no_postings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(understand, "with_derived", raise_for_poison(TypeError("a bug")))
    for titles in (["poison"] * 2, ["Go"] * 150 + ["poison"] * (understand.MAX_UNREADABLE + 1)):
        with pytest.raises(TypeError, match="a bug"):
            understand.understand(mapped(*titles))
