"""How employers and sources word the same opening: titles, company names, texts and slugs."""

from __future__ import annotations

import random

from pipeline.simulator.openings import Opening, Section


def title_of(
    opening: Opening, chance: random.Random, *, on_jsearch: bool = False, on_adzuna: bool = False
) -> str:
    title = opening.full_title
    if opening.level == "Senior" and chance.random() < 0.15:
        title = title.replace("Senior", chance.choice(["Sr.", "Sr"]))
    if opening.country.code == "DE" and chance.random() < 0.5:
        title += chance.choice([" (m/w/d)", " (f/m/d)", " (all genders)"])
    if on_jsearch and opening.remote and chance.random() < 0.2:
        title += chance.choice([" - Remote", " (Remote)"])
    if on_jsearch and chance.random() < 0.05:
        title += f" - {opening.place.city}"
    if on_adzuna and chance.random() < 0.06:
        title = title.upper()
    return title


def company_of(opening: Opening, chance: random.Random) -> str:
    employer = opening.company
    return f"{employer.name} {employer.legal_form}" if chance.random() < 0.4 else employer.name


def plain(sections: list[Section], chance: random.Random) -> str:
    bullet = chance.choice(["• ", "• ", "- ", "o "])
    parts: list[str] = []
    for section in sections:
        lines = [bullet + line for line in section.lines] if section.is_list else section.lines
        heading = [f"{section.heading}:"] if section.heading else []
        parts.append("\n".join([*heading, *lines]))
    return "\n\n".join(parts)


def slug(words: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in words.lower()).split())
