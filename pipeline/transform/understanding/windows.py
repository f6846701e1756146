"""Short stretches of long texts around words that may say something, so that finer rules read
those alone."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
import polars as pl

BEFORE = 120
AFTER = 180
"""Bytes before and behind a cue, within its line."""
MAX_WINDOWS = 60
"""Of one text: enough for any advert, and a bound for a text that is nothing but cues."""

MAX_BYTES = 1_500
"""Of one window, however near its cues stand to one another."""

_LINE_END = ord("\n")

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
    cued = (found.list.len() > 0).fill_null(value=False)
    if not cued.any():
        return pl.DataFrame(schema=WINDOWS)
    cut, owners = _cut(
        texts.filter(cued).cast(pl.Binary).to_list(), found.filter(cued), before, after
    )
    rows = cued.arg_true().gather(owners).cast(pl.UInt32)
    stretches = pl.Series(cut, dtype=pl.String)
    return pl.DataFrame({"row": rows, "window": stretches, "plain": plain_column(stretches)})


def whole(texts: pl.Series, cues: Sequence[str]) -> pl.DataFrame:
    """As :func:`windows` for short texts: each that has one of the cues, whole."""
    has = texts.str.contains_any(list(cues), ascii_case_insensitive=True).fill_null(value=False)
    kept = texts.filter(has)
    return pl.DataFrame(
        {"row": has.arg_true().cast(pl.UInt32), "window": kept, "plain": plain_column(kept)}
    )


def _cut(
    texts: list[bytes], found: pl.Series, before: int, after: int
) -> tuple[list[str], list[int]]:
    """The stretches of texts in which cues begin at the bytes of ``found``, one list for each
    text, and the place of each one's text. All texts are cut in one, a line end between them."""
    data = b"\n".join(texts)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    begins = np.concatenate(([0], np.cumsum(lengths[:-1] + 1)))
    owners = np.repeat(np.arange(len(texts)), found.list.len().to_numpy())
    places = found.explode().to_numpy().astype(np.int64) + begins[owners]
    line_ends = np.append(np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_END), len(data))
    lines = np.searchsorted(line_ends, places)
    ends = np.minimum(line_ends[lines], places + after)
    line_starts = np.where(lines > 0, line_ends[lines - 1] + 1, 0)
    # A cue in front of which its text's stretches end begins another one.
    is_first = np.append(True, (owners[1:] != owners[:-1]) | (places[1:] >= ends[:-1]))
    firsts = np.flatnonzero(is_first)
    columns = (firsts, np.append(firsts[1:], len(places)), owners[firsts], begins[owners[firsts]])
    at, ends_at, starts_at = places.tolist(), ends.tolist(), line_starts.tolist()
    stretches: list[str] = []
    of_texts: list[int] = []
    owner, left, end = -1, 0, 0
    for first, following, its_owner, text_start in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if its_owner != owner:
            owner, left, end = its_owner, MAX_WINDOWS, text_start
        while first < following and left:
            earliest = max(at[first] - before, end)
            # Where the line, or else the first whole word, behind the earliest place begins.
            start = max(earliest, starts_at[first])
            if starts_at[first] <= earliest > text_start:
                start = data.find(b" ", earliest, at[first]) + 1 or earliest
            first = bisect_left(at, start + MAX_BYTES, first + 1, following)
            end = ends_at[first - 1]
            stretches.append(data[start:end].decode(errors="ignore"))
            of_texts.append(owner)
            left -= 1
    return stretches, of_texts


class _Plain(dict[int, str]):
    """One ASCII character for each of another kind."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        base = unicodedata.normalize("NFKD", char.lower())[0]
        if not base.isascii():
            category = unicodedata.category(char)
            base = "-" if category == "Pd" else "'" if category in ("Pi", "Pf") else "~"
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
    return (text if text.isascii() else _FOREIGN.sub(_plain_letter, text)).lower()


_FOREIGN = re.compile(r"[^\x00-\x7f]")


def _plain_letter(letter: re.Match[str]) -> str:
    return _PLAIN[ord(letter[0])]


def plain_column(texts: pl.Series) -> pl.Series:
    """:func:`plain` of each text."""
    lower = texts.str.to_lowercase()
    foreign = (texts.str.len_bytes() > texts.str.len_chars()).fill_null(value=False)
    if not foreign.any():
        return lower
    plain_ones = pl.Series([plain(text) for text in texts.filter(foreign)], dtype=pl.String)
    return lower.scatter(foreign.arg_true(), plain_ones)


_ANY_LETTER = "[\\t -~]"
_NO_WORD = rf"[{_ANY_LETTER}--[\w]]"
_OTHER_THAN = re.compile(
    r"\\.|\[\^(?P<negated>(?:\\.|[^\]\\])*)\]|(?P<letters>\[(?:\\.|[^\]\\])*\])|(?P<any>\.)"
)
_DASH = re.compile("[–—−‐‑]")


def of_plain(pattern: str) -> str:
    """A regular expression (of Polars) of :func:`plain` texts, with classes of ASCII alone: the
    automaton is many times smaller, and faster to build."""
    return "(?-u)" + _FOREIGN.sub(_plain_letter, _OTHER_THAN.sub(_of_ascii, pattern))


def _of_ascii(match: re.Match[str]) -> str:
    if match["any"]:
        return _ANY_LETTER
    # Two dashes in a class would take letters away from it.
    if match["letters"]:
        return _DASH.sub(r"\\-", match[0]).replace(r"\W", _NO_WORD)
    if match["negated"] is not None:
        negated = _DASH.sub(r"\\-", match["negated"]).replace(r"\W", _NO_WORD)
        return f"[{_ANY_LETTER}--[{negated}]]"
    return _NO_WORD if match[0] == r"\W" else match[0]
