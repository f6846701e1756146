"""Markup and entities of HTML, as sources send them: whole, escaped once or more, or damaged.

What is ordinary (the tags and entities of HTML) is replaced by Polars expressions over a whole
column; a text that holds anything else, such as a script, a comment, a tag of one's own or one
without an end, passes through Python. Parsers were considered (selectolax, lxml): they drop what
they do not understand, so that ``vector<int>`` loses half of itself, and Lexbor's time grows with
the square of the nesting.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

import polars as pl

from pipeline.transform.cleaning.distinct import of_distinct

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
MARKUP = r"<[A-Za-z/!?]"
"""Where a tag is possible; the others stay as they are."""
_ENTITY = (
    r"&(?:#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};|(?:nbsp|amp|quot|lt|gt)\b)"
)

_ITEM = "\x1e"
"""Stands for the mark of a list's item while blanks are normalised; a text cannot hold it."""

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

_text = pl.col("text")


def without_tags(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows (``row``, ``text``) without markup, with line breaks and list items in its place.
    Expressions read the texts that hold ordinary markup alone, Python the others."""
    marked = pl.when(_text.str.contains(MARKUP)).then(_text)
    rows = rows.with_columns(marked=marked)
    if rows["marked"].null_count() == rows.height:
        return rows.drop("marked")
    newlines_read = (
        pl.col("marked").str.replace_all(r">(?:\\n)+", "> ").str.replace_all(r"(?:\\n)+<", " <")
    )
    of_one_line = pl.col("plain").str.replace_all(r"[^\S ]\s*| \s+", " ").str.strip_chars()
    has_breaks = pl.col("plain").str.contains(_BREAKS)
    is_ordinary = ~pl.col("plain").str.contains(MARKUP) & ~_text.str.contains(_NOT_ORDINARY)
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


def unescaped(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with one level of entities read: all of :data:`_ENTITIES` by expressions. Python
    reads those of a text that has others alone: what is left in another may have been escaped
    twice, and is of the next level."""
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
