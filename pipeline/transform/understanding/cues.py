"""Where a body may say something: cues that Rust's regular expressions find in one pass over a
whole column, and the sentence around each, which Python reads.

Most bodies hold no cue and never reach Python. What is read around one is bounded, and so is the
number of cues, so that a body's time is in proportion to its length, whatever it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import polars as pl

MAX_CUES = 40
"""How many cues of one text are read."""
SENTENCE_CHARS = 200
"""How much of the sentence is read on either side of a cue."""

# A full stop behind a single letter ("U.S.") or a usual abbreviation ends no sentence. One that a
# capital follows at once does: plain text from markup often lacks the blank.
_end = re.compile(
    r"[\n;•·]|(?<![\W_][A-Za-z])(?<!\bmin)(?<!\bMin)(?<!\bmax)(?<!\bapprox)(?<!\bca)(?<!\bmind)"
    r"[.!?](?=[\sA-ZÀ-Þ(]|$)"
)


class Cue:
    """Words of a text that may say something.

    Attributes:
        text: the whole text.
        start: where the words begin in it.
        words: the words.
    """

    def __init__(self, text: str, start: int, words: str) -> None:
        self.text = text
        self.start = start
        self.words = words

    @cached_property
    def before(self) -> str:
        """What stands before it in its sentence, shortened to :data:`SENTENCE_CHARS`."""
        head = self.text[max(0, self.start - SENTENCE_CHARS) : self.start]
        cut = 0
        for end in _end.finditer(head):
            cut = end.end()
        return head[cut:]

    @cached_property
    def after(self) -> str:
        """What follows it in its sentence, with the mark that ends it."""
        begin = self.start + len(self.words)
        tail = self.text[begin : begin + SENTENCE_CHARS]
        end = _end.search(tail)
        return tail[: end.end()] if end else tail

    @property
    def sentence(self) -> str:
        return f"{self.before}{self.words}{self.after}"


def of_cues(
    text: pl.Expr,
    pattern: str,
    read: Callable[[Sequence[Cue]], Any],
    dtype: pl.DataType,
) -> pl.Expr:
    """What ``read`` makes of the cues of each text that match ``pattern``, a regular expression of
    Rust; null where there is none."""

    def apply(given: pl.Series) -> pl.Series:
        texts, found = given.struct.field("text"), given.struct.field("found")
        cued = (found.list.len() > 0).fill_null(value=False)
        rows = cued.arg_true()
        answers: list[Any] = [
            read(located(body, words))
            for body, words in zip(texts.gather(rows), found.gather(rows), strict=True)
        ]
        # The rows without a cue point behind the answers, where there is none.
        place = (cued.cast(pl.UInt32).cum_sum() - 1).zip_with(
            cued, pl.Series([len(answers)], dtype=pl.UInt32)
        )
        return pl.Series(given.name, [*answers, None], dtype).gather(place)

    found = text.str.extract_all(pattern).list.head(MAX_CUES)
    return pl.struct(text=text, found=found).map_batches(apply, return_dtype=dtype)


def located(text: str, found: Sequence[str]) -> list[Cue]:
    """The cues that a regular expression found in a text, in order."""
    cues = []
    position = 0
    for words in found:
        position = text.find(words, position)
        cues.append(Cue(text, position, words))
        position += len(words)
    return cues
