"""What the imitated searches find: words in title and text, and a place in the query."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.simulator import vocabulary as v
from pipeline.simulator.openings import Opening

_WORD = re.compile(r"[\w+#]+(?:[./][\w+#]+)*")
_FILLERS = frozenset({"a", "an", "and", "for", "in", "job", "jobs", "of", "role", "the", "with"})
_SAME = {"developer": "engineer", "developers": "engineer", "engineers": "engineer"}
_COUNTRY_NAMES = {
    "usa": "US", "us": "US", "u.s": "US", "america": "US", "uk": "GB", "england": "GB",
    "britain": "GB", "great britain": "GB", "deutschland": "DE", "holland": "NL",
} | {country.name.lower(): country.code for country in v.COUNTRIES}  # fmt: skip
_EUROPE = frozenset({"GB", "DE", "NL", "FR", "PL", "ES", "IE"})


def words(text: str) -> frozenset[str]:
    """The words that can be searched for; an engineer and a developer are the same."""
    text = text.lower().replace("back-end", "backend").replace("-", " ")
    found = _WORD.findall(text)
    return frozenset(_SAME.get(word, word) for word in found if word not in _FILLERS)


@dataclass(frozen=True)
class Page:
    """What of a posting is searched."""

    title: frozenset[str]
    everything: frozenset[str]

    @classmethod
    def of(cls, opening: Opening, title: str, body: str) -> Page:
        in_title = words(title)
        return cls(in_title, in_title | words(body) | words(" ".join(opening.skills)))


def has_all(query: str, among: frozenset[str]) -> bool:
    """Whether every word of the query is there."""
    return words(query) <= among


def has_any(query: str, among: frozenset[str]) -> bool:
    return not words(query).isdisjoint(among)


def alternatives(query: str) -> list[str]:
    """``a OR b`` means either."""
    return [part.strip(" ()\"'") for part in re.split(r"\s+or\s+|\|", query, flags=re.IGNORECASE)]


def split_place(query: str) -> tuple[str, str | None]:
    """``backend engineer in austin, tx`` → what, and where."""
    what, separator, where = query.lower().rpartition(" in ")
    return (what, where.strip()) if separator else (query, None)


def is_in(opening: Opening, where: str) -> bool:
    """Whether the opening is in a place written as people write it: each part between commas
    names its city, region, country or Europe; ``remote`` asks for remote work."""
    place, code = opening.place, opening.country.code
    here = {place.city.lower(), place.region.lower(), place.region_code.lower(), code.lower()}
    for part in (part.strip(" .") for part in where.lower().split(",")):
        part = part.removeprefix("the ")
        fits = (
            part in here
            or _COUNTRY_NAMES.get(part) == code
            or (part == "europe" and code in _EUROPE)
            or (part in ("remote", "anywhere", "worldwide") and opening.remote)
        )
        if part and not fits:
            return False
    return True


def relevance(query: Iterable[str], page: Page) -> float | None:
    """From 0 to 1, or None where the posting does not match any alternative of the query: the
    share of the words that are in the title; the others must be in the text."""
    best: float | None = None
    for alternative in query:
        wanted = words(alternative)
        if wanted <= page.everything:
            share = len(wanted & page.title) / max(1, len(wanted))
            best = share if best is None else max(best, share)
    return best
