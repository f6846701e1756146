"""What a language model is asked, about which postings, and which answers are believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipeline.transform.understanding.deadline import (
    announces_no_day,
    can_be_quoted_for,
    passages,
)

MAX_QUOTE_CHARS = 300


@dataclass(frozen=True)
class Question:
    """A question about one field of a posting. A change of what is asked or shown is a new
    question, and asked again; what is believed is judged anew in every run.

    Attributes:
        field: the derived field that the answer fills, where no rule has.
        asks: the question, with how the value is to be written.
        about: which postings are asked about.
        shows: what a model sees of a posting.
        believes: the field's value, of the posting, the value and the quote of an answer whose
            quote stands in the posting; null where it cannot be true.
    """

    field: str
    asks: str
    about: pl.Expr
    shows: Callable[[dict[str, Any]], dict[str, Any]]
    believes: Callable[[dict[str, Any], str, str], Any | None]


def _of_deadline(posting: dict[str, Any]) -> dict[str, Any]:
    posted_at = posting["posted_at"]
    return {
        "posted_on": posted_at.date().isoformat() if posted_at else None,
        "country": posting["country"],
        "title": posting["title"],
        "passages": passages(posting["description"] or ""),
    }


def _deadline(posting: dict[str, Any], value: str, quote: str) -> date | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return None
    posted_at = posting["posted_at"]
    posted_on = posted_at.date() if posted_at else None
    return day if can_be_quoted_for(quote, day, posted_on) else None


QUESTIONS = [
    Question(
        "deadline",
        "What is the last day on which one can apply for this job? Give it as YYYY-MM-DD. The end "
        "of a contract, interviews, a first day at work and the deadline of some project are none, "
        "and neither is an offer that is open until it is filled.",
        announces_no_day(),
        _of_deadline,
        _deadline,
    ),
]


def quoted(quote: str, posting: dict[str, Any]) -> str | None:
    """The quote with single blanks where it stands in the title or the description, which may
    have other blanks; null where it does not."""
    words = " ".join(quote.split())
    if not words or len(words) > MAX_QUOTE_CHARS:
        return None
    texts = (posting["title"], posting["description"])
    return words if any(words in " ".join((text or "").split()) for text in texts) else None
