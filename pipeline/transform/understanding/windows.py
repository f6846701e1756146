"""Short stretches of long texts around words that may say something, so that finer rules read
those alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import polars as pl

BEFORE = 120
AFTER = 180
"""Bytes before and behind a cue, within its line."""
MAX_WINDOWS = 60
"""Of one text: enough for any advert, and a bound for a text that is nothing but cues."""

MAX_BYTES = 1_500
"""Of one window, however near its cues stand to one another."""

WINDOWS = {"row": pl.UInt32, "window": pl.String, "plain": pl.String}


def windows(
    texts: pl.Series, cues: Sequence[str], before: int = BEFORE, after: int = AFTER
) -> pl.DataFrame:
    """The stretches of ``texts`` around each of the ``cues``: ``row``, the place of the text in the
    series, ``window``, in the order in which they stand there, and ``plain``, the same by
    :func:`plain`. Stretches that overlap are one; none goes beyond its line.

    Args:
        cues: literal words; the case of ASCII letters does not matter.
    """
    found = texts.str.find_many(list(cues), ascii_case_insensitive=True)
    has = pl.DataFrame({"row": range(len(texts)), "text": texts, "at": found}).filter(
        pl.col("at").list.len() > 0
    )
    rows: list[int] = []
    stretches: list[str] = []
    for row, text, at in has.iter_rows():
        cut = _cut(text.encode(), at, before, after)
        rows += [row] * len(cut)
        stretches += cut
    return pl.DataFrame(
        {"row": rows, "window": stretches, "plain": [plain(text) for text in stretches]},
        schema=WINDOWS,
    )


def whole(texts: pl.Series, cues: Sequence[str]) -> pl.DataFrame:
    """As :func:`windows` for short texts: each that has one of the cues, whole."""
    has = pl.DataFrame({"row": range(len(texts)), "window": texts}).filter(
        pl.col("window").str.contains_any(list(cues), ascii_case_insensitive=True)
    )
    return has.select(
        pl.col("row").cast(pl.UInt32),
        "window",
        plain=pl.Series([plain(text) for text in has["window"]], dtype=pl.String),
    )


def _cut(text: bytes, at: list[int], before: int, after: int) -> list[str]:
    stretches: list[str] = []
    start = end = -1
    for place in at:
        if (
            place < end and place < start + MAX_BYTES
        ):  # within the stretch before, whose end moves on
            line_end = text.find(b"\n", place, place + after)
            end = max(end, line_end if line_end >= 0 else place + after)
            continue
        if end >= 0:
            stretches.append(text[start:end].decode(errors="ignore"))
            if len(stretches) >= MAX_WINDOWS:
                return stretches
        start = _start(text, place, max(place - before, end, 0))
        line_end = text.find(b"\n", place, place + after)
        end = line_end if line_end >= 0 else place + after
    stretches.append(text[start:end].decode(errors="ignore"))
    return stretches


def _start(text: bytes, place: int, earliest: int) -> int:
    """Where the line, or else the first whole word, behind ``earliest`` begins."""
    line = text.rfind(b"\n", earliest, place)
    if line >= 0:
        return line + 1
    blank = text.find(b" ", earliest, place) if earliest else -1
    return blank + 1 if blank >= 0 else earliest


class _Plain(dict[int, str]):
    """One ASCII character for each of another kind."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        base = unicodedata.normalize("NFKD", char.lower())[0]
        if not base.isascii():
            category = unicodedata.category(char)
            base = "-" if category == "Pd" else "'" if category in ("Pi", "Pf") else "?"
        elif base < " ":
            base = "\n" if base == "\n" else " "
        self[code] = base
        return base


_PLAIN = _Plain(
    {ord("ł"): "l", ord("Ł"): "l", ord("ø"): "o", ord("Ø"): "o", ord("ß"): "s", ord("−"): "-"}
    | {ord("•"): "*", ord("✔"): "*", ord("✓"): "*", ord("·"): "*"}
)


def plain(text: str) -> str:
    """The text in small ASCII letters, character by character, so that a place in it is the same
    place in the text. A regular expression for ASCII is far smaller."""
    return text.lower() if text.isascii() else text.translate(_PLAIN).lower()


_NEGATED = re.compile(r"\[\^((?:\\.|[^\]\\])*)\]")


def of_plain(pattern: str) -> str:
    """A regular expression (of Polars) of :func:`plain` texts, with classes of ASCII alone: the
    automaton is many times smaller, and faster to build."""
    return "(?-u)" + _NEGATED.sub(r"[[\\t -~]--[\1]]", pattern.replace(r"\W", r"[^\w]"))
