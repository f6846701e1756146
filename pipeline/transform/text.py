"""Cleaning of text: markup, entities, mojibake, invisible characters and blanks.

Characters that are wrong everywhere are removed by Polars expressions over all rows. Only rows
that hold markup, an entity or mojibake pass through Python, because only those need a parser.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from functools import lru_cache

import ftfy
import polars as pl
from selectolax.lexbor import LexborHTMLParser

MAX_INPUT_CHARS = 1_000_000
"""What is read of one raw text: ten times the longest description that is kept."""

_MAX_PARSED_TAGS = 2_000
"""Lexbor's time grows with the square of the nesting; a page with more tags than this loses them
by pattern instead of being parsed."""

_MAX_REPAIRED_CHARS = 200
"""How far around a suspicious character its word is followed."""

_MAX_PASSES = 8
"""How often a text may be unescaped: each level of escaping needs one pass."""

_INVISIBLE = (
    r"[\x00-\x08\x0E-\x1F\x7F-\x84\x86-\x9F"  # controls, except those that break a line
    r"\u00AD\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u2069\uFEFF\uFFF9-\uFFFB]"
)
"""Control, zero-width and bidirectional formatting characters: not seen, but compared."""

_MOJIBAKE = r"[\u0080-\u009F]|[ÂÃâÅÄðÐïåæçèéäãØÙ][\u0080-\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|Ã "
"""Where UTF-8 read as Latin-1 or Windows-1252 is possible; ftfy decides whether it is."""

_BLOCKS = (
    "address|article|aside|blockquote|center|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6]"
    "|header|hr|main|nav|ol|p|pre|section|table|tbody|thead|tr|ul"
)
_INLINES = (
    "a|abbr|b|big|body|br|button|code|em|font|head|html|i|iframe|img|input|label|li|link|meta|noscript"
    "|object|picture|q|s|script|small|source|span|strike|strong|style|sub|sup|svg|td|template|textarea"
    "|th|title|u|video|wbr"
)
_ATTRIBUTES = r"(?:\s*/?|[\s/]+[a-zA-Z@:_\"'-][^<>]*)"
_TAG = rf"(?i:</?(?:{_BLOCKS}|{_INLINES}){_ATTRIBUTES}>|<!--|<!doctype)"
"""HTML's own elements only, so that ``vector<int>`` and ``a < b`` remain what they are."""

_ENTITY = r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"

_invisible = re.compile(_INVISIBLE)
_tag = re.compile(_TAG)
_other_angle = re.compile(rf"(?!{_TAG})<")
_entity = re.compile(_ENTITY)
_mojibake = re.compile(_MOJIBAKE)
_latin_1_run = re.compile(r"[\u0080-\u00FF]*[\u00C2-\u00F4][\u0080-\u009F][\u0080-\u00FF]*")
_needs_repair = re.compile(f"{_TAG}|{_ENTITY}|{_MOJIBAKE}")
_unrendered = re.compile(
    r"(?is)<(script|style|template|noscript|iframe|svg|title)\b[^<>]*>.*?(?:</\1\s*>|\Z)"
)
_comment = re.compile(r"(?s)<!--.*?(?:-->|\Z)|(?i:<!doctype[^<>]*>?)")
_block_tag = re.compile(rf"(?i)</?(?:{_BLOCKS}){_ATTRIBUTES}>")
_item_tag = re.compile(rf"(?i)<li{_ATTRIBUTES}>")
_break_tag = re.compile(rf"(?i)<br{_ATTRIBUTES}>")
_cell_tag = re.compile(r"(?i)</t[dh]\s*>")
_written_newline = re.compile(r"(?<=>)(?:\\n)+|(?:\\n)+(?=<)")
_blanks = re.compile(r"\s+")
_ENCODING_ONLY = ftfy.TextFixerConfig(
    unescape_html=False,
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)


def line(text: pl.Expr) -> pl.Expr:
    """One clean line of text (title, company, city): null when nothing visible is left.

    Applying it twice gives the same as applying it once.
    """
    return _clean(text, _line_text).str.replace_all(r"\s+", " ").str.strip_chars().pipe(_non_empty)


def paragraphs(text: pl.Expr) -> pl.Expr:
    """Clean text of several lines: breaks between paragraphs are one empty line, list items
    start with ``- ``; null when nothing visible is left.

    Applying it twice gives the same as applying it once.
    """
    return (
        _clean(text, _paragraphs_text)
        .str.replace_all(r"\r\n?|[\u000B\u000C\u0085\u2028\u2029]", "\n")
        .str.replace_all(r"[^\S\n]+", " ")
        .str.replace_all(r" ?\n ?", "\n")
        .str.replace_all(r"\n{3,}", "\n\n")
        .str.strip_chars()
        .pipe(_non_empty)
    )


def single_blanks(text: pl.Expr) -> pl.Expr:
    """The text without invisible characters and with its blanks normalised; no markup is read."""
    return (
        text.str.replace_all(_INVISIBLE, "")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
        .pipe(_non_empty)
    )


def fold(text: pl.Expr) -> pl.Expr:
    """The text for comparison: lower case without accents or ligatures; ``&`` is ``and``; what
    is neither a letter, a digit, ``+`` nor ``#`` is one blank."""
    return (
        text.str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.to_lowercase()
        .str.replace_all("ß", "ss", literal=True)
        .str.replace_all("ø", "o", literal=True)
        .str.replace_all("ł", "l", literal=True)
        .str.replace_all("&", " and ", literal=True)
        .str.replace_all(r"['’.]", "")
        .str.replace_all(r"[^\p{L}\p{N}+#]+", " ")
        .str.strip_chars()
    )


def without_application_check(text: pl.Expr) -> pl.Expr:
    """The description without the trailer that Remote OK appends ("Please mention the word …
    and tag …"): it is not about the job, differs in every request, and its tag is the Base64 of
    the IP address that asked."""
    return text.str.replace_all(
        r"(?s)\s*Please mention the word \S{1,80} and tag \S{1,200}"
        r"(?: when applying.{0,100}?completely(?: \(#\S{1,200}\))?\.?)?"
        r"(?:\s*This is a beta feature.{0,300}?(?:they['’]re human\.?|$))?",
        "",
    ).pipe(_non_empty)


def _non_empty(text: pl.Expr) -> pl.Expr:
    return text.replace("", None)


def _clean(text: pl.Expr, repair: Callable[[str], str]) -> pl.Expr:
    return (
        text.str.head(MAX_INPUT_CHARS)
        .pipe(_map_where, _MOJIBAKE, _fix_encoding)
        .str.replace_all(_INVISIBLE, "")
        .pipe(_map_where, f"{_TAG}|{_ENTITY}|{_MOJIBAKE}", repair)
    )


def _map_where(text: pl.Expr, pattern: str, function: Callable[[str], str]) -> pl.Expr:
    """Apply a Python function to the rows that match, each distinct text once."""

    def apply(series: pl.Series) -> pl.Series:
        matching = series.filter(series.str.contains(pattern)).unique()
        if matching.is_empty():
            return series
        repaired = pl.Series([function(value) for value in matching], dtype=pl.String)
        return series.replace(matching, repaired)

    return text.map_batches(apply, return_dtype=pl.String)


def _fix_encoding(text: str) -> str:
    """Decode what was UTF-8. A control character of the C1 range inside a valid UTF-8 sequence
    is proof; other suspicious words go to ftfy, one at a time, because its time over a whole
    advert is a hundred times that over its few damaged words."""
    text = _latin_1_run.sub(_decoded, text)
    repaired: list[str] = []
    end = 0
    for match in _mojibake.finditer(text):
        if match.start() < end:
            continue
        start = max(text.rfind(" ", end, match.start()) + 1, end)
        stop = text.find(" ", match.end())
        stop = min(len(text) if stop < 0 else stop + 1, match.end() + _MAX_REPAIRED_CHARS)
        start = max(start, match.start() - _MAX_REPAIRED_CHARS)
        repaired += text[end:start], _fix_word(text[start:stop])
        end = stop
    return "".join(repaired) + text[end:] if repaired else text


def _decoded(run: re.Match[str]) -> str:
    try:
        return run.group().encode("latin-1").decode()
    except UnicodeDecodeError:
        return run.group()


@lru_cache(maxsize=65_536)
def _fix_word(text: str) -> str:
    return ftfy.fix_text(text, _ENCODING_ONLY)


def _line_text(text: str) -> str:
    return _until_stable(text, lambda value: _blanks.sub(" ", value).strip())


def _paragraphs_text(text: str) -> str:
    return _until_stable(text, _tidy_lines)


def _tidy_lines(text: str) -> str:
    lines = (_blanks.sub(" ", part).strip() for part in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _until_stable(text: str, tidy: Callable[[str], str]) -> str:
    """Undo markup and escaping level by level. What is still escaped after ``_MAX_PASSES``
    levels was made to be, and loses the characters that make it so."""
    for _ in range(_MAX_PASSES):
        if not _needs_repair.search(text):
            return text
        before = text
        if _mojibake.search(text):
            text = _fix_encoding(text)
        if _tag.search(text):
            text = _without_markup(text)
        elif "&" in text:
            text = _entity.sub(lambda match: html.unescape(match.group()), text)
        text = tidy(_invisible.sub("", text))
        if text == before:
            return text
    return tidy(re.sub(r"[<>&\u0080-\u009F]", "", text))


def _without_markup(text: str) -> str:
    text = _comment.sub(" ", _unrendered.sub(" ", text))
    if "\\n" in text:
        text = _written_newline.sub(" ", text)
    if _block_tag.search(text) or _break_tag.search(text) or _item_tag.search(text):
        text = _blanks.sub(" ", text)
        text = _cell_tag.sub(" ", _break_tag.sub("\n", _block_tag.sub("\n\n", text)))
        text = re.sub(r"\s*\n\s*", lambda gap: "\n" * min(gap.group().count("\n"), 2), text)
        text = _item_tag.sub("\n- ", text)
        text = re.sub(r"\s*\n- \s*", "\n- ", text)
    if text.count("<") > _MAX_PARSED_TAGS:
        return _tag.sub("", text)
    body = LexborHTMLParser(_other_angle.sub("&lt;", text)).body
    return "" if body is None else str(body.text())
