"""Cleaning of text: markup, entities, mojibake, invisible characters and blanks.

A whole column is cleaned at once, and a row passes through Python only for the step that it
needs: mojibake, a joiner, or markup that is not ordinary. All of it takes time in proportion to the
text, whatever the text is: Rust's regular expressions never try twice, and in Python's quantifiers
are possessive and no tag reaches beyond the next ``<``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import polars as pl

from pipeline.transform.cleaning.distinct import by_distinct, of_distinct
from pipeline.transform.cleaning.markup import MARKUP, unescaped, without_tags
from pipeline.transform.cleaning.mojibake import POSSIBLE, repaired

MAX_INPUT_CHARS = 1_000_000
"""What is read of one raw text: ten times the longest description that is kept."""
_MAX_LINE_INPUT_CHARS = 50_000
"""What is read of a title, name or tag."""

_MAX_PASSES = 8
"""How often a text may be unescaped: each level of escaping needs one pass."""

_UNSEEN = (
    r"\x00-\x08\x0E-\x1F\x7F\u034F\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u202A-\u202E"
    r"\u2060-\u206F\u3164\uFE00-\uFE0D\uFEFF\uFFA0\uFFF0-\uFFFC\U0001D173-\U0001D17A"
    r"\U000E0000-\U000E001F\U000E0080-\U000E0FFF"
)
"""Control, zero-width, filling and bidirectional formatting characters: not seen, but compared."""
_UNSEEN_OR_MOJIBAKE = r"\x80-\x84\x86-\x9F\u00AD"
"""Such as may be a byte of UTF-8 that was misread. U+0085 ends a line."""
_INVISIBLE = f"[{_UNSEEN}{_UNSEEN_OR_MOJIBAKE}]"

_JOINERS = r"[\u200C\u200D\uFE0E\uFE0F\U000E0020-\U000E007F]"
"""Joiners, selectors of an emoji's form, and the letters in a flag: part of some words and emoji,
invisible everywhere else."""
_JOINED_LETTER = (
    r"[\u0620-\u08FF\u0900-\u0DFF\u0F00-\u109F\u1780-\u18AF\uA840-\uA8FF\uFB50-\uFDFF\uFE70-\uFEFC]"
)
"""Of Arabic, the scripts of India, Tibetan, Burmese, Khmer and Mongolian, where a joiner changes
how the letters around it are written."""
_EMOJI = (
    r"[\u00A9\u00AE\u203C\u2049\u2122\u2139\u2190-\u2BFF\u3030\u303D\u3297\u3299"
    r"\U0001F000-\U0001FAFF]"
)

_ODD = rf"{MARKUP}|&[#A-Za-z]|{_JOINERS}|\u00AD|{POSSIBLE}"
"""Without one of these a text is clean but for its blanks."""
_VIRAMA = 9
"""The combining class of the signs that join consonants of the scripts of India."""
_KEYCAPS = frozenset("0123456789#*")
_FLAG_TAGS = 7
"""The longest flag is that of a subdivision: two letters, three, and the end."""

_joiners = re.compile(f"{_JOINERS}++")
_joined_letter = re.compile(_JOINED_LETTER)
_emoji = re.compile(_EMOJI)
_LETTERS = {
    "ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ς": "σ",
    **dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True)),
    **{chr(first + place): chr(97 + place) for first in (0x1F150, 0x1F170) for place in range(26)},
}  # fmt: skip
"""Letters, small capitals, and capitals in black circles and squares, which Unicode does not
decompose."""
_OPTIONAL_MARKS = (
    r"[\u0300-\u036F\u0483-\u0487\u0591-\u05C7\u0610-\u061A\u064B-\u065F\u0670\u06D6-\u06ED"
    r"\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]"
)
"""Accents, and the points of Hebrew and Arabic. The vowel signs of other scripts are letters."""


_NAMED = r"\p{L}\p{M}\p{N}+#"
"""What is kept of a folded text, beside single blanks. A pattern that matches single blanks would
take four times as long."""


def line(text: pl.Expr) -> pl.Expr:
    """One clean line of text (title, company, city): null when nothing visible is left.

    Applying it twice gives the same as applying it once.
    """
    return _clean(text.str.head(_MAX_LINE_INPUT_CHARS), _one_line)


def paragraphs(text: pl.Expr) -> pl.Expr:
    """Clean text of several lines: breaks between paragraphs are one empty line, list items
    start with ``- ``; null when nothing visible is left.

    Applying it twice gives the same as applying it once.
    """
    return _clean(text.str.head(MAX_INPUT_CHARS), _tidy_lines)


def fold(text: pl.Expr) -> pl.Expr:
    """The text for comparison: lower case without accents, ligatures, joiners or the form of a
    letter (mathematical, full-width, circled, small capital); ``&`` is ``and``; what is neither a
    letter, a digit, ``+`` nor ``#`` is one blank. A name in any script keeps its letters."""
    return (
        text.str.replace_all(f"{_JOINERS}|{_INVISIBLE}", "")
        .str.normalize("NFKD")
        .str.replace_all(_OPTIONAL_MARKS, "")
        .str.to_lowercase()
        .str.replace_many(_LETTERS)
        .str.replace_all("&", " and ", literal=True)
        .str.replace_all(r"['’‘ʼʻ.]", "")
        .str.replace_all(rf"[^ {_NAMED}][^{_NAMED}]*| [^{_NAMED}]+", " ")
        .str.strip_chars()
    )


_text = pl.col("text")
"""What the steps below read and write; each is a function from frame to frame."""

Tidy = Callable[[pl.Expr], pl.Expr]


def _clean(text: pl.Expr, tidy: Tidy) -> pl.Expr:
    """Without markup, mojibake and what is not seen; each distinct text that holds any is cleaned
    once."""

    def clean(texts: pl.Series) -> pl.Series:
        rows = (
            texts.to_frame("text")
            .with_columns(_text.str.replace_all(f"[{_UNSEEN}]", ""))
            .with_columns(odd=pl.when(_text.str.contains(_ODD)).then(_text))
            .with_columns(
                by_distinct(pl.col("odd"), lambda odd: _unwrapped(odd, tidy), pl.String()),
                plain=tidy(pl.when(pl.col("odd").is_null()).then(_text)),
            )
        )
        return rows.select(pl.coalesce("odd", "plain").replace("", None)).to_series()

    return text.map_batches(clean, return_dtype=pl.String)


def _one_line(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()


def _tidy_lines(text: pl.Expr) -> pl.Expr:
    return (
        text.str.replace_all(r"\r\n?|[\u000B\u000C\u0085\u2028\u2029]", "\n")
        .str.replace_all(r"[^\S\n ][^\S\n]*| [^\S\n]+", " ")
        .str.replace_all(r" \n ?|\n ", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
    )


def _unwrapped(texts: pl.Series, tidy: Tidy) -> pl.Series:
    """Undo mojibake, markup and escaping level by level, each text until nothing changes. What is
    still escaped after ``_MAX_PASSES`` levels was made to be, and loses the characters that make
    it so."""
    rows = texts.to_frame("text").with_row_index("row")
    done: list[pl.DataFrame] = []
    for _ in range(_MAX_PASSES):
        before = rows["text"]
        rows = (
            rows.pipe(_where, POSSIBLE, repaired)
            .with_columns(_text.str.replace_all(_INVISIBLE, ""))
            .pipe(without_tags)
            .pipe(unescaped)
            .pipe(_where, _JOINERS, lambda text: _joiners.sub(_joined, text))
            .with_columns(tidy(_text.str.replace_all(_INVISIBLE, "")))
        )
        is_stable = (rows["text"] == before) | ~rows["text"].str.contains(_ODD)
        done.append(rows.filter(is_stable))
        rows = rows.filter(~is_stable)
        if rows.is_empty():
            break
    escaped = _text.str.replace_all(rf"[<>&\x80-\x9F]|{_JOINERS}|{_INVISIBLE}", "")
    return pl.concat([*done, rows.with_columns(tidy(escaped))]).sort("row")["text"]


def _where(rows: pl.DataFrame, pattern: str, read: Callable[[str], str]) -> pl.DataFrame:
    """With what a Python function makes of the texts that match."""
    matching = pl.when(_text.str.contains(pattern)).then(_text)
    return rows.with_columns(pl.coalesce(of_distinct(matching, read), _text))


def _joined(run: re.Match[str]) -> str:
    """What of a run of joiners belongs to the word or emoji around it."""
    joiners, text = run.group(), run.string
    before, after = text[run.start() - 1 : run.start()], text[run.end() : run.end() + 1]
    if _joined_letter.match(before):
        ends_cluster = joiners[0] == "\u200d" and unicodedata.combining(before) == _VIRAMA
        kept = joiners[0] in "\u200c\u200d" and (ends_cluster or _joined_letter.match(after))
        return joiners[0] if kept else ""
    if before == "\U0001f3f4" and joiners[-1] == "\U000e007f" and len(joiners) <= _FLAG_TAGS:
        return joiners
    is_keycap = before in _KEYCAPS and after == "\u20e3"
    if not before or not (is_keycap or _emoji.match(before)):
        return ""
    selector = joiners[0] if joiners[0] in "\ufe0e\ufe0f" else ""
    return selector + ("\u200d" if "\u200d" in joiners and _emoji.match(after) else "")
