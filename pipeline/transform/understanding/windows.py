"""Short stretches of long texts around words that may say something, so that finer rules read
those alone."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

BEFORE = 120
AFTER = 180
"""Bytes before and behind a cue, within its line."""
MAX_WINDOWS = 60
"""Of one text: enough for any advert, and a bound for a text that is nothing but cues."""

WINDOWS = {"row": pl.UInt32, "window": pl.String}


def windows(
    texts: pl.Series, cues: Sequence[str], before: int = BEFORE, after: int = AFTER
) -> pl.DataFrame:
    """The stretches of ``texts`` around each of the ``cues``: ``row``, the place of the text in the
    series, and ``window``, in the order in which they stand there. Stretches that overlap are one;
    none goes beyond its line.

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
    return pl.DataFrame({"row": rows, "window": stretches}, schema=WINDOWS)


def _cut(text: bytes, at: list[int], before: int, after: int) -> list[str]:
    stretches: list[str] = []
    start = end = -1
    for place in at:
        if place < end:  # within the stretch before, whose end moves on
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
