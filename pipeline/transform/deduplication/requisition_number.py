"""The requisition numbers that employers write into titles.

"Cloud Engineer (Req #1311)" and "Cloud Engineer (Req #1312)" are two openings, and "Cloud
Engineer" elsewhere may be either: the number is read, and taken out of what is compared.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_LABELS = (
    r"(?:job|stellen|vacancy|vacature|position|posting|opening|requisition|req|ref|referen[cz]e?)"
    r"[\s.-]{0,2}(?:id|no|nr|num|number|nummer|code|ref|reference)"
    r"|requisition|reqs?|r[eé]f(?:erence|érence|erentie|erencia|erência|erenz)?"
    r"|(?:referenz|kenn|job|stellen|ausschreibungs|vacature|referentie|referens)[-\s]?(?:nummer|nr)"
    r"|kennziffer|kennz|chiffre|rif(?:erimento)?|c[oó]d(?:igo|ice)?|vaga|vacante|nr\s?ref|numer\s?ref"
    r"|announcement|求人番号|案件番号|职位编号|職位編號|職缺編號|채용번호|공고번호"
)
_CODE = r"[A-Z]{0,6}[-_/]?\d[0-9A-Z]{0,15}(?:[-_/.][0-9A-Z]{1,12}){0,3}"
_END = r"(?![\w%])"

_numbers = re.compile(
    rf"""(?ix)
    (?<![^\W_]) (?:{_LABELS}) (?:\s?(?:id|no|nr|n[°º]))? [\s.:：\#№°º-]{{0,4}}
        (?P<labelled>{_CODE}) {_END}
    | (?<![^\W_]) (?:vacature|vacancy|position|posting|opening) \s? (?P<weak>\d{{3,10}}) {_END}
    | (?:^|(?<=[(\[|–—-])|(?<=[-–—|]\s)) \s? id [\s:.\#]{{1,3}} (?P<id>{_CODE}) {_END}
    | (?<![^\W_]) (?:id\s?[:\#]|n[°º]|№|no\.|nr\.) \s? (?P<counted>\d[\d/-]{{1,14}}) {_END}
    | (?<![^\s(\[|,;:/–—-]) \# \s? (?P<hash>[A-Z]{{0,5}}-?\d{{2,}}(?:-\d+)?) {_END}
    | (?<![^\W_]) (?<![+\#./-]) (?P<prefixed>(?:JR|REQ|JREQ|RQ|R|JOB|JO|JID|VAC)
        (?:[-_]\d{{3,}}(?:-\d+)?|\s?\d{{4,}}(?:-\d+)?)) {_END}
    | (?<![\w+\#./-]) (?P<brassring>\d{{3,8}}BR) {_END}
    | ^\s* (?P<leading>\d{{5,10}}) \s (?=[^\W\d_])
    | (?:^|[(\[|]\s*|\s[-–—|]\s*)
        (?P<alone>[A-Z]{{1,6}}[-_]?\d{{5,}}|\d{{4}}-\d{{3,6}}|\d{{4,10}})
        (?=\s*(?:$|[)\]|])|\s+[-–—|]\s|\s*:\s)
    | \s (?P<last>\d{{5,10}}) \s*$
    """
)
_UNNAMED = {"weak", "leading", "alone", "last"}
_FEWEST_DIGITS = 2
_year = re.compile(r"(?:19|20)\d\d(?:-(?:19|20)\d\d)?")
_STANDARDS = "ISO|IEC|EN|DIN|DO|IEEE|RFC|NIST|MIL|CFR|SAP|IFRS|US|EUR|USD|GBP|CHF"
_standard = re.compile(rf"(?i)(?:{_STANDARDS})[-_]?\d+")
_before_another = re.compile(
    rf"\b[A-Z]{{2}}$|(?i:\b(?:{_STANDARDS}|up to|bis|hasta|jusqu['’]à|fino a)$)"
)
"""Behind the code of a state stands a postal code, behind "IEC" a standard, behind "up to" pay."""
_round = re.compile(r"\d+000|1099")
_added = re.compile(r"^(?:JREQ|JR|REQ|RQ|R|JOB|JO|JID|VAC)(?=\d)|^0+(?=\d)|(?<=\d)BR$")


class Numbered(NamedTuple):
    """A title without its requisition numbers, and the numbers."""

    title: str
    numbers: tuple[str, ...]


@lru_cache(maxsize=65_536)
def read_numbers(title: str) -> Numbered:
    """Split a title from its requisition numbers.

    A number is one that is named as such ("Req #1311", "Kennziffer 123/24", "(ID: 99)"), begins
    or ends as one ("JR25919", "R-1001", "20481BR"), or stands alone behind a dash, in brackets or
    at either end. Years, round amounts and numbers of standards are none where nothing names them.
    """
    numbers: list[str] = []

    def cut(found: re.Match[str]) -> str:
        form = found.lastgroup or ""
        number = found.group(form)
        if form in _UNNAMED and any(
            pattern.fullmatch(number) for pattern in (_year, _standard, _round)
        ):
            return found.group()
        if len(re.findall(r"\d", number)) < _FEWEST_DIGITS:
            return found.group()
        if form == "last" and _before_another.search(found.string, 0, found.start()):
            return found.group()
        numbers.append(comparable_number(number))
        return " | "

    return Numbered(_numbers.sub(cut, title), tuple(dict.fromkeys(numbers)))


def comparable_number(number: str) -> str:
    """One writing of a number: upper case, without separators, leading zeros and the letters that
    some systems put around it ("R0012345", "JR-12345", "12345BR" and "12345" are one)."""
    plain = re.sub(r"[^0-9A-Z]", "", number.upper())
    while (shorter := _added.sub("", plain)) != plain:
        plain = shorter
    return plain
