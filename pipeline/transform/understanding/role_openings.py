"""What a description calls the job where the title names none: the name behind "looking for", or
the first item of a list of open positions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipeline.transform.understanding.role_vocabulary import ROLES

_MAX_ITEMS = 6
_BEFORE = "|".join(ROLES.openings.before)
_NOUNS = "|".join((*ROLES.named.nouns, *ROLES.openings.nouns))
# No count but of lines: long counted repetitions are slow.
_LINKED_NAME = rf"\n[^\n.]*(?-u:\b)(?:{_NOUNS})(?-u:\b)[^\n.]*https?://"
OPENINGS = rf"(?i)(?-u:\b)(?:{_BEFORE})(?-u:\b)[^\n]*(?:\n[^\n]*){{0,{_MAX_ITEMS}}}|{_LINKED_NAME}"
"""A cue with the lines that follow it, or the name of a job with a link to it on a line."""

MAX_OPENINGS = 2
SEEKS_WORK = ROLES.openings.seekers
"""Who looks for work himself offers none."""

_MAX_LINE_CHARS = 240
_MAX_HEADING_CHARS = 90
_MAX_NAME_CHARS = 80
_NOUN = rf"(?:{_NOUNS})\b"
_CUE = re.compile(rf"\b(?:{_BEFORE})\b", re.IGNORECASE)
_SAME_LINE = re.compile(
    rf"\b(?:{_BEFORE})\b[ :-]{{1,3}}((?:[^\s.!?;]{{1,24}} ){{0,6}}?{_NOUN})", re.IGNORECASE
)
_ITEM = re.compile(rf"[^\w\[(]{{0,8}}(.{{0,60}}?\b{_NOUN}.{{0,40}})", re.IGNORECASE)
_LINKED = re.compile(r"[^\w]{0,8}(\w[\w /-]{1,30}?) ?[:–—-] ?https?://")
_ENDS_OF_NAME = re.compile(r"https?://|\s[—–|]\s|[.!?](?:\s|$)")
_SENTENCE = re.compile(ROLES.openings.sentence, re.IGNORECASE)


def names_of_openings(openings: Sequence[str]) -> Iterator[str]:
    """The names of jobs in what :data:`OPENINGS` finds, in their order, as they are written."""
    for opening in openings:
        heading, *items = opening.split("\n")
        yield from _in_line(heading)
        is_heading = len(heading) <= _MAX_HEADING_CHARS or heading.rstrip().endswith(":")
        for item in items:
            is_heading = is_heading or (
                len(item) <= _MAX_HEADING_CHARS and _CUE.search(item) is not None
            )
            linked = _LINKED.match(item)
            if linked is not None and is_heading:
                yield linked[1]
                continue
            name = _ENDS_OF_NAME.split(item[:_MAX_LINE_CHARS], maxsplit=1)[0].rstrip()
            is_item = is_heading or not heading
            if is_item and len(name) <= _MAX_NAME_CHARS and not _SENTENCE.search(name):
                named = _ITEM.match(name)
                if named is not None:
                    yield named[1]
                    continue
            yield from _in_line(item)


def _in_line(line: str) -> Iterator[str]:
    for found in _SAME_LINE.finditer(line[:_MAX_LINE_CHARS]):
        if not _SENTENCE.search(found[1]):
            yield found[1]
