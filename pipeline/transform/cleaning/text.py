"""Cleaning of text: markup, entities, mojibake, invisible characters and blanks.

A whole column is cleaned at once. What is ordinary (the tags and entities of HTML) is replaced by
Polars expressions. A row passes through Python only for the step that it needs: mojibake, a
joiner, or markup that is not ordinary, such as a script, a comment, a tag of one's own or one
without an end. All of it takes time in proportion to the text, whatever the text is: Rust's
regular expressions never try twice, and in Python's quantifiers are possessive and no tag reaches
beyond the next ``<``.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from html.entities import html5

import polars as pl

from pipeline.transform.cleaning.distinct import by_distinct, of_distinct
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

_BLOCKS = (
    "address|article|aside|blockquote|caption|center|dd|details|dialog|dir|div|dl|dt|fieldset"
    "|figcaption|figure|footer|form|h[1-6]|header|hgroup|hr|legend|main|menu|nav|ol|option|p|pre"
    "|section|summary|table|tbody|tfoot|thead|tr|ul"
)
_INLINES = (
    "a|abbr|acronym|area|b|base|bdi|bdo|big|blink|body|br|button|cite|code|col|colgroup|del|dfn|em"
    "|font|head|html|i|input|ins|kbd|label|li|link|mark|marquee|meta|nobr|picture|q|s|samp|select"
    "|small|source|span|strike|strong|sub|sup|td|textarea|th|tt|u|wbr"
    r"|[a-z]\w{0,30}[:-][a-z][\w.-]{0,60}"  # of one's own, such as <x-tag>, or a word processor's
)
_ACTIVE = (
    "applet|audio|canvas|embed|frame|frameset|iframe|img|math|noscript|object(?=[\\s/])|script|style|svg"
    "|template|title|video"
)
"""Elements that bring what is not text: a tag of theirs is one however odd its attributes are."""
_UNRENDERED = "script|style|template|noscript|iframe|svg|math|title"
"""Elements whose content is not shown as text."""
_SWITCHES = (
    "allowfullscreen|async|autofocus|autoplay|checked|controls|defer|disabled|hidden|ismap|loop"
    r"|multiple|muted|noshade|nowrap|open|readonly|required|reversed|selected|data-[\w-]+"
)
"""Attributes that need no value."""

_REST = r"""(?:=\s*+"[^"<]*+"|=\s*+'[^'<]*+'|[^<>])*+>?"""
"""The rest of a tag: to a ``>`` that is not quoted or, where there is none, to the next ``<``."""
_ATTRIBUTES = (
    rf"""(?:[\s/]*+>|[\s/]++(?:[^\s"'<>/=]++(?=\s*+=)|(?:{_SWITCHES})(?=[\s/>])|["']){_REST})"""
)
"""What makes a name behind ``<`` a tag: its end, or an attribute. ``a <b and c> d`` is prose."""
_TAG = (
    rf"(?i)<(?:/({_BLOCKS}|{_INLINES}|{_ACTIVE}|object)(?![\w-]){_REST}|({_BLOCKS}|{_INLINES}){_ATTRIBUTES}"
    rf"|(?:{_ACTIVE})(?![\w-]){_REST}|!--|[!?][a-z\[]{_REST})"
)
_MARKUP = r"<[A-Za-z/!?]"
"""Where a tag is possible; the others stay as they are."""
_ENTITY = (
    r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|amp|quot|lt|gt)\b)"
)

_ODD = rf"{_MARKUP}|&[#A-Za-z]|{_JOINERS}|\u00AD|{POSSIBLE}"
"""Without one of these a text is clean but for its blanks."""
_VIRAMA = 9
"""The combining class of the signs that join consonants of the scripts of India."""
_KEYCAPS = frozenset("0123456789#*")
_FLAG_TAGS = 7
"""The longest flag is that of a subdivision: two letters, three, and the end."""

_ITEM = "\x1e"
"""Stands for the mark of a list's item while blanks are normalised; a text cannot hold it."""

_joiners = re.compile(f"{_JOINERS}++")
_joined_letter = re.compile(_JOINED_LETTER)
_emoji = re.compile(_EMOJI)
_tag = re.compile(_TAG)
_entity = re.compile(_ENTITY)
_unrendered = re.compile(rf"(?i)<({_UNRENDERED})(?![\w-]){_REST}|<!--")
_ends = {
    "<!--": re.compile("--!?>"),
    **{name: re.compile(rf"(?i)</{name}(?![\w-]){_REST}") for name in _UNRENDERED.split("|")},
}
_written_newlines = re.compile(r"(?:\\n)++")
_gaps = re.compile(rf"\s?[\n{_ITEM}]\s*+")
_block = re.compile(rf"(?i){_BLOCKS}")
_runnable = re.compile(r"(?i)\b(?:on[a-z]+|href|src\w*|\w*action|data|style)\s*=")
_before_name = re.compile(r"<(?=[A-Za-z])")

_NOT_ORDINARY = rf"(?i)<(?:{_UNRENDERED})|<!|\]\]>"
"""Markup that only :func:`_without_markup` reads: what is not shown."""
_ORDINARY_NAMES = [
    *_BLOCKS.replace("h[1-6]", "h1|h2|h3|h4|h5|h6").split("|"),
    *(name for name in _INLINES.split("|") if name.isalpha()),
    *(name for name in _ACTIVE.split("|") if name.isalpha() and name not in _UNRENDERED.split("|")),
]
_ORDINARY_ATTRIBUTES = (
    rf"(?i)<({'|'.join(_ORDINARY_NAMES)})(?:[\s/]+>|[\s/]+(?:"
    rf"""[^\s"'<>/=]+\s*(?:=\s*"[^"<]*"|=\s*'[^'<]*'|=){_REST}"""
    rf"""|(?:{_SWITCHES})(?:[\s/]{_REST}|>)|["']{_REST}))"""
).replace("*+", "*")
"""``_TAG`` for ordinary names, without looking ahead, which Rust's expressions do not. A tag that
needs it stays, and makes its text one that is not ordinary."""
_BREAKS = r"(?i)</?(?:br|li|" + _BLOCKS + r")[\s/>]"


def _ordinary_tags() -> dict[str, str]:
    """Each ordinary tag without attributes, in lower case, with the blanks it stands for."""
    blocks = re.compile(_BLOCKS)
    meant: dict[str, str] = {}
    for name in _ORDINARY_NAMES:
        blank = "\n\n" if blocks.fullmatch(name) else "\n" if name == "br" else ""
        meant |= {f"</{name}>": " " if name in ("td", "th") else blank}
        meant |= dict.fromkeys([f"<{name}>", f"<{name}/>"], _ITEM if name == "li" else blank)
    return meant


_TAGS = _ordinary_tags()
_NUMBERED = [*range(0x20, 0x180), *range(0x2000, 0x2130)]
_ENTITIES = {
    **{f"&{name}": characters for name, characters in html5.items() if name.endswith(";")},
    **{
        written: html.unescape(written)
        for number in _NUMBERED
        for written in (f"&#{number};", f"&#0{number};", f"&#x{number:x};", f"&#x{number:X};")
    },
}
"""The entities that HTML names, and usual characters by their number."""

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
            .pipe(_without_tags)
            .pipe(_unescaped)
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


def _without_tags(rows: pl.DataFrame) -> pl.DataFrame:
    """Expressions read the texts that hold ordinary markup alone, Python the others."""
    marked = pl.when(_text.str.contains(_MARKUP)).then(_text)
    rows = rows.with_columns(marked=marked)
    if rows["marked"].null_count() == rows.height:
        return rows.drop("marked")
    newlines_read = (
        pl.col("marked").str.replace_all(r">(?:\\n)+", "> ").str.replace_all(r"(?:\\n)+<", " <")
    )
    of_one_line = pl.col("plain").str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()
    has_breaks = pl.col("plain").str.contains(_BREAKS)
    is_ordinary = ~pl.col("plain").str.contains(_MARKUP) & ~_text.str.contains(_NOT_ORDINARY)
    others = pl.when(~is_ordinary).then("marked")
    return (
        rows.with_columns(plain=newlines_read)
        .with_columns(
            pl.when(has_breaks)
            .then(of_one_line)
            .otherwise("plain")
            .str.replace_all(_ORDINARY_ATTRIBUTES, "<${1}>")
            .str.replace_many(_TAGS, ascii_case_insensitive=True)
            .str.strip_chars_end(f" \n{_ITEM}")
            .str.replace_all(rf"[\s{_ITEM}]*{_ITEM}[\s{_ITEM}]*", "\n- ")
            .alias("plain")
        )
        .select("row", pl.coalesce(of_distinct(others, _without_markup), "plain", "text"))
        .rename({"marked": "text"})
    )


def _unescaped(rows: pl.DataFrame) -> pl.DataFrame:
    """With all of :data:`_ENTITIES` read. Python reads those of a text that has others alone: what
    is left in another may have been escaped twice, and is of the next level."""
    if not rows["text"].str.contains("&", literal=True).any():
        return rows
    read = _text.str.replace_many(_ENTITIES)
    others = pl.when(pl.col("read") == _text, _text.str.contains(_ENTITY)).then(_text)
    return (
        rows.with_columns(read=read)
        .with_columns(pl.coalesce(of_distinct(others, _with_entities_read), "read").alias("text"))
        .drop("read")
    )


def _with_entities_read(text: str) -> str:
    return _entity.sub(lambda entity: html.unescape(entity.group()), text)


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


def _without_markup(text: str) -> str:
    text = _without_unrendered(text.replace("<![CDATA[", "").replace("]]>", ""))
    if "\\n" in text:
        text = _written_newlines.sub(_between_tags, text)
    tags = {(tag[1] or tag[2] or "").lower() for tag in _tag.finditer(text)}
    if any(name in ("br", "li") or _block.fullmatch(name) for name in tags):
        text = _gaps.sub(_gap, _tag.sub(_break, " ".join(text.split())).rstrip())
    else:
        text = _tag.sub(_break, text)
    if _before_name.search(text) and _runnable.search(text):
        text = _before_name.sub("< ", text)
    return text


def _without_unrendered(text: str) -> str:
    """Without comments and the content of scripts and the like; what has no end is kept."""
    parts: list[str] = []
    end = 0
    endless: set[str] = set()
    for start in _unrendered.finditer(text):
        name = (start[1] or "<!--").lower()
        if start.start() < end or name in endless:
            continue
        found = _ends[name].search(text, start.end() if start[1] else start.start() + 2)
        if found is None:
            endless.add(name)
        else:
            parts += text[end : start.start()], " "
            end = found.end()
    return "".join(parts) + text[end:]


def _between_tags(newlines: re.Match[str]) -> str:
    """A newline that was written as ``\\n`` beside a tag is one; elsewhere it may be a path."""
    text, start, end = newlines.string, newlines.start(), newlines.end()
    is_beside = text[start - 1 : start] == ">" or text[end : end + 1] == "<"
    return " " if is_beside else newlines.group()


def _break(tag: re.Match[str]) -> str:
    """The blanks that a tag stands for."""
    closed, opened = (tag[1] or "").lower(), (tag[2] or "").lower()
    if _block.fullmatch(closed or opened):
        return "\n\n"
    if opened == "li":
        return _ITEM
    if (closed or opened) == "br":
        return "\n"
    return " " if closed in ("td", "th") else ""


def _gap(blanks: re.Match[str]) -> str:
    gap = blanks.group()
    return "\n- " if _ITEM in gap else "\n" * min(gap.count("\n"), 2)
