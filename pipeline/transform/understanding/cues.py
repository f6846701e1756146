"""Where a body may say something: cues that Rust's regular expressions find in one pass over a
whole column, and the sentence around each, which Python reads.

Most bodies hold no cue and never reach Python. What is read around one is bounded, and so is the
number of cues, so that a body's time is in proportion to its length, whatever it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

MAX_CUES = 40
"""How many cues of one text are read."""
SENTENCE_CHARS = 200
"""How much of the sentence is read on either side of a cue."""

# A full stop behind a single letter ("U.S.") or a usual abbreviation ends no sentence. One that a
# capital follows at once does: plain text from markup often lacks the blank. The class comes first,
# so that Python looks for its characters before anything else.
_end = re.compile(
    r"[\n;•·.!?](?:(?<=[\n;•·])|(?=[\sA-ZÀ-Þ(]|$)(?<![\W_][A-Za-z].)"
    r"(?<!\b[Mm]in.)(?<!\bmax.)(?<!\bca.)(?<!\bmind.)(?<!\bapprox.))"
)
_MARKS = re.compile(r"[\u0300-\u036f]")
_LETTERS = {"ł": "l", "ø": "o", "ß": "s", "đ": "d", "’": "'"}
_letters = str.maketrans(_LETTERS)


class Cue:
    """Words of a text that may say something.

    Attributes:
        text: the whole text.
        start: where the words begin in it.
        words: the words.
    """

    __slots__ = ("_after", "_before", "start", "text", "words")

    def __init__(self, text: str, start: int, words: str) -> None:
        self.text = text
        self.start = start
        self.words = words
        self._before: str | None = None
        self._after: str | None = None

    @property
    def before(self) -> str:
        """What stands before it in its sentence, shortened to :data:`SENTENCE_CHARS`."""
        if self._before is not None:
            return self._before
        begin = max(0, self.start - SENTENCE_CHARS)
        begin = max(begin, self.text.rfind("\n", begin, self.start) + 1)
        head = self.text[begin : self.start]
        cut = 0
        for end in _end.finditer(head):
            cut = end.end()
        self._before = head[cut:]
        return self._before

    @property
    def after(self) -> str:
        """What follows it in its sentence, with the mark that ends it."""
        if self._after is not None:
            return self._after
        begin = self.start + len(self.words)
        tail = self.text[begin : begin + SENTENCE_CHARS]
        end = _end.search(tail)
        self._after = tail[: end.end()] if end else tail
        return self._after

    @property
    def sentence(self) -> str:
        return f"{self.before}{self.words}{self.after}"


def folded(text: str) -> str:
    """In lower case without accents."""
    text = text.lower()
    if text.isascii():
        return text
    return _MARKS.sub("", unicodedata.normalize("NFD", text.translate(_letters)))


def folded_column(text: pl.Expr, chars: int) -> pl.Expr:
    """What :func:`folded` makes of the first ``chars`` characters of each text."""
    lower = text.str.head(chars).str.to_lowercase()
    odd = lower.str.replace_many(list(_LETTERS), list(_LETTERS.values()))
    plain = odd.str.normalize("NFD").str.replace_all(_MARKS.pattern, "")
    return pl.when(lower.str.len_bytes() == lower.str.len_chars()).then(lower).otherwise(plain)


def cues_of(texts: pl.Series, pattern: str) -> dict[int, list[Cue]]:
    """The cues that a regular expression of Rust finds in each text, by the text's place."""
    found = texts.str.extract_all(pattern).list.head(MAX_CUES)
    rows = (found.list.len() > 0).fill_null(value=False).arg_true()
    return {
        row: _located(text, words)
        for row, text, words in zip(
            rows.to_list(), texts.gather(rows).to_list(), found.gather(rows).to_list(), strict=True
        )
    }


def _located(text: str, found: Sequence[str]) -> list[Cue]:
    """The cues that a regular expression found in a text, in order."""
    cues = []
    position = 0
    for words in found:
        position = text.find(words, position)
        cues.append(Cue(text, position, words))
        position += len(words)
    return cues
