"""What stands at a place and is no name: flags, postcodes, French departments, time zones."""

from __future__ import annotations

import re
from typing import NamedTuple


class Plain(NamedTuple):
    """A text without such signs, and the country that they mean, if they mean one."""

    text: str
    country: str | None


_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_FIRST_LETTER = 0x1F1E6
_COUNTRY_OF_LETTER = {"A": "AT", "B": "BE", "CH": "CH", "D": "DE", "F": "FR", "I": "IT", "L": "LU"}
_CONTINENTAL = re.compile(r"\b(CH|[ABDFIL])[-–]\d{4,5}\b")
_BRITISH = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b")
_LONDON = re.compile(r"\b(?:SW|SE|NW|EC|WC|[NEW])\d{1,2}[A-Z]?\b")
_CANADIAN = re.compile(r"\b[A-CEGHJ-NPR-TVXY]\d[A-Z] ?\d[A-Z]\d\b")
_DUTCH = re.compile(r"\b[1-9]\d{3} ?[A-Z]{2}\b(?=,? [A-Z][a-z])")
_DEPARTMENT = re.compile(r"\((?:\d{2,3}|2[AB])\)")
_DEPARTMENT_AT_END = re.compile(r"(?<=[^\W\d_]) \d{2}$")
_DIGITS = re.compile(r"(?<![\w.])\d{4,6}(?:-\d{4})?(?![\w.])")

_ZONE = (
    r"(?:[PECM]T|[PECMA][SD]T|A[EW]ST|CES?T|EES?T|WES?T|GMT|UTC|BST|IST)"
    r"(?: ?(?:[-+±]|\+/-|\+-) ?\d{1,2}(?:h|hrs?| hours?)?)?"
)
_ZONES = re.compile(
    rf"\b(?:{_ZONE} ?(?:[/&+]|-|or|and|to) ?)+{_ZONE}\b"
    rf"(?:,? (?:(?:business|working|core) )?(?:hours|times?|time ?zones?))?"
    rf"|\b(?:{_ZONE} ?, ?)*{_ZONE} (?:(?:business|working|core) )?(?:hours|times?|time ?zones?)\b"
    r"|\b(?:(?!(?:Remote|USA?)\b)[A-Z][\w.]* )?(?!Remote\b)[A-Z][\w.]* [Tt]ime ?[Zz]ones?\b"
    r"|\b(?:[PECM][SD]T|CES?T|GMT|UTC)\b"  # not Estonia
)
_PART_OF_AMERICA = re.compile(
    r"(?i)\b(USA?|U\.S\.(?:A\.)?|United States)[ -]+\(?"
    r"(?:(?:east|west|central|mountain|pacific|eastern|western|south|north)(?:ern)?(?: coast)?"
    r"(?: ?[/,&+-] ?| or | and )?)+(?! ?\w)"
)


def without_zones(text: str) -> str:
    """Without time zones, and the parts of the United States that are called like them: ``PT/ET
    hours``, ``CET timezone``, ``US East/Central``. ``PT`` alone is Portugal."""
    return _PART_OF_AMERICA.sub(r"\1 , ", _ZONES.sub(" , ", text))


def without_codes(text: str) -> Plain:
    """``10115 Berlin``, ``Austin, TX 78701``, ``London EC2A 4NE``, ``Lyon (69)`` and flags."""
    if text.isascii() and not any(char.isdigit() for char in text):
        return Plain(text, None)
    country: str | None = None
    if match := _FLAG.search(text):
        country = "".join(chr(ord(char) - _FIRST_LETTER + ord("A")) for char in match[0])
        text = _FLAG.sub(" ", text)
    if match := _CONTINENTAL.search(text):
        country = country or _COUNTRY_OF_LETTER[match[1]]
        text = _CONTINENTAL.sub(" ", text)
    for pattern, its_country in ((_BRITISH, "GB"), (_CANADIAN, "CA"), (_DUTCH, "NL")):
        if pattern.search(text):
            country = country or its_country
            text = pattern.sub(" ", text)
    if _DEPARTMENT.search(text):
        country = country or "FR"
        text = _DEPARTMENT.sub(" ", text)
    if "London" in text:
        text = _LONDON.sub(" ", text)
    return Plain(_DEPARTMENT_AT_END.sub("", _DIGITS.sub(" ", text)), country)
