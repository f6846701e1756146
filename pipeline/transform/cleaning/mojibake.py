"""UTF-8 that was read as another encoding: ``CafÃ©`` is Café, ``Å koda`` with a no-break space
Škoda, ``×ž×¢×¨×›×•×ª`` מערכות.

ftfy decides over one damaged word at a time. What it leaves is decoded here where the outcome is
certain: letters of one script that the languages of the world write. A word that could have been
meant as it stands, such as ``«CAFÉ»``, remains.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache, partial

import ftfy

_ENCODINGS = ["windows-1252", "windows-1254", "windows-1250", "windows-1251", "macroman"]
"""As what UTF-8 is usually misread, the likeliest first. Latin-1 is read together with
Windows-1252, which has other characters only where Latin-1 has controls."""

_MAX_LAYERS = 4
"""How often a text may have been misread one time after another."""

_MAX_WORD_CHARS = 200
"""Longer words are repaired in pieces: the time ftfy takes grows with the word's length."""

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


def _table(encoding: str) -> dict[str, int]:
    """The characters of an encoding beyond ASCII with their bytes; ftfy's ``sloppy`` codecs fill
    the holes of Microsoft's with control characters."""
    codec = encoding if encoding == "macroman" else f"sloppy-{encoding}"
    latin_1 = {chr(byte): byte for byte in range(0x80, 0x100)}
    table = {bytes([byte]).decode(codec): byte for byte in range(0x80, 0x100)}
    return latin_1 | table if encoding == "windows-1252" else table


_TABLES = {encoding: _table(encoding) for encoding in _ENCODINGS}


def _characters(encoding: str, first: int, last: int) -> str:
    found = (char for char, byte in _TABLES[encoding].items() if first <= byte <= last)
    return "[" + "".join(f"\\U{ord(char):08X}" for char in found) + "]"


def _leads(encoding: str) -> str:
    return _characters(encoding, 0xC2, 0xF4)


def _behind_lead(encoding: str) -> str:
    """What follows the lead byte in a character of several bytes that is read as ``encoding``."""
    rest = _characters(encoding, 0x80, 0xBF)
    of_two, of_three, of_four = (
        _characters(encoding, *leads) for leads in ((0xC2, 0xDF), (0xE0, 0xEF), (0xF0, 0xF4))
    )
    return rf"(?:(?<={of_two}){rest}|(?<={of_three}){rest}{{2}}|(?<={of_four}){rest}{{3}})"


POSSIBLE = r"[\x80-\x9F]|Ã |" + "|".join(
    _leads(encoding) + _characters(encoding, 0x80, 0xBF) for encoding in _ENCODINGS
)
"""A pattern, for Polars too, without which a text holds nothing to repair: control characters, or
what a lead byte and the byte behind it are misread as."""

# Beginning with one class of characters, a pattern is looked for ten times as fast.
_any_lead = "".join(_leads(encoding)[1:-1] for encoding in _ENCODINGS)
_possible = re.compile(
    rf"[\x80-\x9FÃ{_any_lead}](?:(?<=[\x80-\x9F])|(?<=Ã) |"
    + "|".join(f"(?<={_leads(encoding)}){_behind_lead(encoding)}" for encoding in _ENCODINGS)
    + ")"
)
_runs = {
    encoding: re.compile(f"{_leads(encoding)}{behind}(?:{_leads(encoding)}{behind})*+")
    for encoding, behind in ((encoding, _behind_lead(encoding)) for encoding in _ENCODINGS)
}
_control = re.compile(r"[\x80-\x9F]")
_CONTINUATION = _characters("windows-1252", 0x80, 0xBF)
_rest_of_word = re.compile(
    rf"[^\x00-\x7F](?:[^ \t\r\n]{{0,{_MAX_WORD_CHARS}}}(?!{_CONTINUATION})"
    rf"|[^ \t\r\n]{{{_MAX_WORD_CHARS}}}) ?"
)
"""A word from its first character beyond ASCII on, with the blank behind it, which may have been
part of ``à``. A no-break space does not end it, and what is too long is not divided inside of a
sequence."""

_cut_off = re.compile(
    rf"(?<=[\u0370-\u1DFF\u2E80-\U0010FFFF])"
    rf"(?:[Â-ß]|[à-ï]{_CONTINUATION}?|[ð-ô]{_CONTINUATION}{{0,2}})\s*\Z"
)
"""Behind decoded letters that are not Latin, half of one more, cut in two at the end."""
_LONGEST_CUT_OFF = 3

_USED_LATIN = re.compile(
    r"[A-Za-zªº\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u0148\u014A-\u017EƏəƠơƯưȘșȚț"
    r"\u1E80-\u1E85ẞ\u1EA0-\u1EF9]"
)
_USED_CYRILLIC = re.compile(r"[\u0400-\u045F\u0490\u0491]")
_AFTER_WORDS = frozenset("’”“‘»«…–—™®©·•°€‚„†‡‰ªº¹²³!?\xa0")
"""What may follow an undamaged word without a blank, in a title or in quotation marks."""
_BESIDE_LATIN = frozenset({"LATIN", "GREEK", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "SYMBOL", ""})
"""The scripts that stand beside Latin letters: Greek in units, and those written without blanks."""
_SLAVIC_INITIALS = "ĆČ"
"""Read as Windows-1250, with a second letter that may well follow them."""
_PUNCTUATION = " \xa0()[]\"'.,:;!?’”“‘»«…™®"
_capitals_and_quote = re.compile(r"[A-ZÀ-Þ]Ã[’”»…™®\xa0](?!\w)")
"""The end of a Portuguese word in capitals, such as ``“AMANHÃ”``."""


def repaired(text: str) -> str:
    """The text with what was misread decoded, however often it was; text that is whole stays
    as it is. In linear time."""
    given = text
    for _ in range(_MAX_LAYERS):
        before = text
        if _control.search(text):
            text = _runs["windows-1252"].sub(_decoded_with_control, text)
        text = _with_repaired_words(text)
        if text == before:
            break
    if text == given:
        return text
    cut_off = _cut_off.search(text, max(0, len(text.rstrip()) - _LONGEST_CUT_OFF))
    return text[: cut_off.start()] if cut_off else text


def _with_repaired_words(text: str) -> str:
    parts: list[str] = []
    end = examined = 0
    for found in _possible.finditer(text):
        if found.end() <= examined:
            continue
        for rest in _rest_of_word.finditer(text, _word_start(text, examined, found.start())):
            start = _word_start(text, max(end, rest.start() - _MAX_WORD_CHARS), rest.start())
            word = text[start : rest.end()]
            if _possible.search(word):
                parts += text[end:start], fixed_word(word)
                end = rest.end()
            examined = rest.end()
            if found.end() <= examined:
                break
    return "".join(parts) + text[end:]


def _word_start(text: str, earliest: int, at: int) -> int:
    """Where the word that holds the place ``at`` begins, at the earliest at ``earliest``."""
    return max(text.rfind(blank, earliest, at) for blank in " \n\t") + 1 or earliest


def _decoded_with_control(run: re.Match[str]) -> str:
    """A control character of the C1 range inside a valid UTF-8 sequence is proof."""
    if not _control.search(run.group()):
        return run.group()
    try:
        return _bytes(run.group(), "windows-1252").decode()
    except UnicodeDecodeError:
        return run.group()


def _bytes(misread: str, encoding: str) -> bytes:
    return bytes(_TABLES[encoding][char] for char in misread)


@lru_cache(maxsize=16_384)
def fixed_word(word: str) -> str:
    """A word of up to some 400 characters, repaired by one layer or more."""
    if _capitals_and_quote.search(word):
        return word
    by_ftfy = ftfy.fix_encoding(word, _ENCODING_ONLY)
    if by_ftfy != word and _is_plausible(by_ftfy, word):
        return by_ftfy
    for encoding, run in _runs.items():
        decoded = run.sub(partial(_decoded, encoding), word)
        if decoded != word and _is_plausible(decoded, word):
            return decoded
    return word


def _decoded(encoding: str, run: re.Match[str]) -> str:
    """What the run stands for, or the run where it may be meant as it is."""
    misread, word = run.group(), run.string
    try:
        decoded = _bytes(misread, encoding).decode()
    except UnicodeDecodeError:
        return misread
    before, after = word[run.start() - 1 : run.start()], word[run.end() : run.end() + 1]
    scripts = {_script(char) for char in decoded}
    if scripts == {"LATIN"}:
        is_odd = (
            len(decoded) > 1
            or (misread[-1] not in _AFTER_WORDS and misread[0] not in _SLAVIC_INITIALS)
            or (after.islower() and not misread[-1].isalpha())
            or (before.islower() and misread[0].isupper())
        )
        return decoded if is_odd else misread
    if scripts <= {"", "SYMBOL"}:
        return decoded if "SYMBOL" in scripts and len(misread) > len(decoded) * 2 else misread
    letters = len(decoded) if len(scripts) == 1 else 0
    alone = letters and len(misread) > 2 and not (before + after).strip()
    certain = letters > 1 or (alone and not _AFTER_WORDS.issuperset(misread[1:]))
    return decoded if certain else misread


def _is_plausible(decoded: str, word: str) -> bool:
    """Whether no letter stands beside one of another script nor is one that nobody writes, and a
    Latin word of ordinary case has become no other script's."""
    letters = word.strip(_PUNCTUATION)
    is_latin_word = (
        letters.isalpha()
        and (letters.istitle() or letters.islower() or letters.isupper())
        and _script(letters[0]) == "LATIN"
    )
    previous = ""
    for char in decoded:
        script = "" if char.isascii() and not char.isalpha() else _script(char)
        if is_latin_word and script not in ("LATIN", "SYMBOL", ""):
            return False
        if is_latin_word and script == "SYMBOL" and word.strip().isalpha():
            return False
        if script == "LATIN" and not _USED_LATIN.match(char):
            return False
        if script == "CYRILLIC" and not _USED_CYRILLIC.match(char):
            return False
        if script == "RARE":
            return False
        pair = {script, previous}
        if "LATIN" in pair and not pair <= _BESIDE_LATIN:
            return False
        previous = script
    return True


@lru_cache(maxsize=4_096)
def _script(char: str) -> str:
    """The first word of a letter's Unicode name, such as LATIN, HEBREW or CJK; SYMBOL for an
    emoji and the like, RARE for other symbols; empty for any other character."""
    category = unicodedata.category(char)
    if category[0] in "LM":
        return unicodedata.name(char, "").split(" ")[0]
    if category not in ("So", "Sk") or char <= "\u00ff":
        return ""
    return "SYMBOL" if "\u2000" <= char <= "\u303f" or char >= "\U0001f000" else "RARE"
