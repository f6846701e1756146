"""Remote OK: ``/remoteok/api``, its newest postings as one list, whatever is asked."""

from __future__ import annotations

import base64
import heapq
import html
import random
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipeline.simulator import vocabulary as v
from pipeline.simulator.listings import Listing, moment
from pipeline.simulator.messages import Request, Response, json_response
from pipeline.simulator.openings import Opening, Section, scatter, text
from pipeline.simulator.source_api import Shelf, SourceApi
from pipeline.simulator.wording import slug, title_of

FEED_LENGTH = 100
"""It shows its newest postings, about so many."""

LEGAL = (
    "API Terms of Service: Please link back (with follow, and without nofollow!) to the URL on "
    "Remote OK and mention Remote OK as a source."
)
_FIRST_ID = 1_000_000


class RemoteOkApi(SourceApi):
    """Remote OK, as recorded in 2024 and 2025."""

    name = "remoteok"
    path = re.compile(r"/api/?")
    has_pages = False

    def respond(self, request: Request, shelf: Shelf, now: datetime) -> Response:
        newest = heapq.nlargest(
            FEED_LENGTH, shelf.at(now), key=lambda shown: shown.listing.listed_from
        )
        notice = f"{LEGAL} These postings are generated."
        legal = {"last_updated": int(now.timestamp()), "legal": notice}
        return json_response([legal, *(shown.advert for shown in newest)])

    def envelope(self, request: Request, postings: list[Any], *, follows: bool, count: int) -> Any:
        if postings and isinstance(postings[0], Mapping) and "legal" in postings[0]:
            return postings
        return [{"last_updated": 1733346004, "legal": LEGAL}, *postings]

    def advertises(self, opening: Opening, chance: random.Random) -> bool:
        # About 90 of 2,000 openings, as many as the real feed holds.
        return opening.remote and chance.random() < 0.22

    def source_id(self, serial: int) -> str:
        return str(_FIRST_ID + serial)

    def serial(self, source_id: str) -> int:
        return int(source_id) - _FIRST_ID

    def text(self, advert: dict[str, Any]) -> tuple[str, str]:
        return advert["position"], advert["description"]

    def advert(self, listing: Listing, at: int, chance: random.Random) -> dict[str, Any]:
        opening = listing.opening
        source_id = self.source_id(listing.serial)
        title = title_of(opening, chance)
        if chance.random() < 0.5:  # its form drops punctuation
            title = " ".join(
                "".join(c if c.isalnum() or c in "+#." else " " for c in title).split()
            )
        name = f"remote-{slug(title)}-{slug(opening.company.name)}-{source_id}"
        url = f"https://remoteOK.com/remote-jobs/{name}"
        salary = opening.salary_at(at)
        shown = salary if salary and salary.period == "YEAR" and salary.currency == "USD" else None
        logo = f"https://remoteok.com/assets/img/jobs/{scatter(listing.serial):032x}.png"
        has_logo = chance.random() < 0.7
        job: dict[str, Any] = {
            "slug": name,
            "id": source_id,
            "epoch": int(moment(listing.listed_from).timestamp()),
            "date": moment(listing.listed_from).isoformat(),
            "company": _stray_blanks(html.escape(opening.company.name), chance),
            "company_logo": logo if has_logo else "",
            "position": _stray_blanks(title, chance),
            "tags": _tags(opening),
            "description": _html(text(opening, at), chance) + _trailer(listing),
            "location": chance.choices(
                [
                    "",
                    "Worldwide",
                    opening.country.name,
                    f"{opening.place.city}, {opening.country.name}",
                ],
                [30, 15, 35, 20],
            )[0],
            "salary_min": shown.low if shown else 0,
            "salary_max": shown.high if shown else 0,
            "apply_url": opening.ats_url if opening.ats_url and chance.random() < 0.3 else url,
            "logo": logo if has_logo else "",
            "url": url,
        }
        if chance.random() < 0.06:
            job["original"] = True
        if chance.random() < 0.02:
            job["verified"] = True
        return job


def _stray_blanks(words: str, chance: random.Random) -> str:
    if chance.random() < 0.12:
        return chance.choice([f" {words}", f"{words} ", words.replace(" ", "  ", 1)])
    return words


def _tags(opening: Opening) -> list[str]:
    words = [opening.level.lower(), *opening.title.lower().replace(",", "").split()]
    return [tag for tag in [*(s.lower() for s in opening.skills), *words] if tag]


def _html(sections: list[Section], chance: random.Random) -> str:
    """The sections as an employer's editor writes them; sometimes UTF-8 read as Windows-1252."""
    styled = chance.random() < 0.2
    paragraph = '<p><span style="font-size: 12pt">{}</span></p>' if styled else "<p>{}</p>"
    parts: list[str] = []
    for section in sections:
        if section.heading:
            parts.append(f"<p><b>{html.escape(section.heading)}</b></p>")
        escaped = [html.escape(line).replace(" &amp;", "&nbsp;&amp;") for line in section.lines]
        if section.is_list:
            parts.append("<ul>" + "".join(f"<li>{line}</li>" for line in escaped) + "</ul>")
        else:
            parts.extend(paragraph.format(line) for line in escaped)
        if chance.random() < 0.2:
            parts.append("<p><br></p>")
    whole = "\n".join(parts)
    if chance.random() < 0.08:
        whole = whole.encode().decode("cp1252", errors="replace")
    return whole


def _trailer(listing: Listing) -> str:
    word = v.TRAILER_WORDS[scatter(listing.serial, 12) % len(v.TRAILER_WORDS)]
    tag = "R" + base64.b64encode(f"{listing.serial:012}".encode()).decode()
    return (
        f"<br/><br/>Please mention the word **{word}** and tag {tag} when applying to show you "
        f"read the job post completely (#{tag}). This is a beta feature to avoid spam applicants. "
        "Companies can search these words to find applicants that read this and see they're human."
    )
