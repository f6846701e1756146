"""Openings that several public lists of jobs show, as the lists word them.

Volunteers and scrapers keep lists of openings on GitHub, independently of each other: each with
its own wording of title, company and place, and with a link to the employer's requisition. Two
rows that link to one requisition are one opening; rows that link to two requisitions of one
applicant tracking system are two. The lists are read from clones, as they stood on the days of
:data:`PERIODS`; they are not part of this repository.
"""

from __future__ import annotations

import csv
import html
import json
import random
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline.transform.deduplication.apply_url import apply_target

PERIODS = {
    "2024": [date(2024, month, 25) for month in range(1, 11)],
    "2025-26": [date(2025 + month // 12, month % 12 + 1, 1) for month in range(8, 19)],
}
"""Days on which the lists are read, from when on several that link to requisitions overlap."""

NUMBERED_ADVERTS = {"smartrecruiters"}
"""Systems that number adverts, of which one job may have several, so that two numbers do not
prove two openings."""

ABANDONED = timedelta(days=45)
"""A list that was not changed for so long shows nothing of that day."""


@dataclass(frozen=True)
class PublicList:
    """A repository on GitHub, and the files in it that hold a list: ``listings.json``, or tables
    in Markdown."""

    repository: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.repository.split("/")[0].lower()


LISTS = [
    PublicList("SimplifyJobs/New-Grad-Positions", (".github/scripts/listings.json",)),
    PublicList("SimplifyJobs/Summer2025-Internships", (".github/scripts/listings.json",)),
    PublicList("cvrve/New-Grad-2025", (".github/scripts/listings.json",)),
    PublicList("cvrve/Summer2025-Internships", (".github/scripts/listings.json",)),
    PublicList(
        "speedyapply/2026-SWE-College-Jobs",
        ("README.md", "NEW_GRAD_USA.md", "NEW_GRAD_INTL.md", "INTERN_INTL.md"),
    ),
    PublicList("ambicuity/New-Grad-Jobs", ("README.md",)),
    PublicList("zapplyjobs/New-Grad-Software-Engineering-Jobs-2026", ("README.md",)),
]


@dataclass(frozen=True)
class Listing:
    """A row of a list. ``system`` and ``requisition`` say which opening it links to; ``posted`` is
    the day that the list gives it or that it was first found, ``last_seen`` the last on which it
    was shown as open."""

    list_name: str
    company: str
    title: str
    place: str
    system: str
    requisition: str
    posted: date
    last_seen: date


def listings(clones: Path, days: Iterable[date]) -> list[Listing]:
    """What all lists showed on these days, one row an opening and list, as last worded. Rows that
    name several places, no requisition or a shortened title are left out.

    Args:
        clones: a folder of clones, each in a folder ``<owner>+<name>`` (or below it, ``repo``).
    """
    found: dict[tuple[str, str, str], Listing] = {}
    for public in LISTS:
        folder = clone(clones, public)
        if folder is None:
            continue
        for day in days:
            for file in public.files:
                for company, title, place, url, *span in _rows(_content(folder, file, day), day):
                    target = apply_target(url)
                    if target.system in NUMBERED_ADVERTS:
                        continue
                    if target.system and target.requisition and company and title:
                        row = Listing(
                            public.name, company, title, place,
                            target.system, target.requisition, *span,
                        )  # fmt: skip
                        key = row.list_name, row.system, row.requisition
                        known = found.get(key, row)
                        found[key] = replace(row, posted=min(row.posted, known.posted))
    return list(found.values())


def sample(rows: Iterable[Listing], companies: int, most: int = 6) -> list[Listing]:
    """Up to ``most`` rows of each of some companies that several lists name: those with an opening
    that two of their lists show come first."""
    shown = Counter((row.system, row.requisition) for row in rows)
    by_company: dict[str, list[Listing]] = defaultdict(list)
    for row in rows:
        by_company[row.company].append(row)
    several = sorted(
        name for name, own in by_company.items()
        if any(shown[row.system, row.requisition] > 1 for row in own)
    )  # fmt: skip
    chosen = random.Random(1).sample(several, min(companies, len(several)))
    return [
        row
        for name in sorted(chosen)
        for row in sorted(
            by_company[name],
            key=lambda row: (-shown[row.system, row.requisition], row.requisition, row.list_name),
        )[:most]
    ]


def write_listings(rows: Iterable[Listing], file: Path) -> None:
    """The rows as CSV."""
    with file.open("w", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(field.name for field in fields(Listing))
        writer.writerows(astuple(row) for row in rows)


def read_listings(file: Path) -> list[Listing]:
    """The rows of a file of :func:`write_listings`."""
    with file.open(newline="") as written:
        return [
            Listing(
                **row  # type: ignore[arg-type]
                | {name: date.fromisoformat(row[name]) for name in ("posted", "last_seen")}
            )
            for row in csv.DictReader(written)
        ]


def clone(clones: Path, public: PublicList) -> Path | None:
    """Where the list's clone is, None where it is absent."""
    folder = clones / public.repository.replace("/", "+")
    for place in (folder, folder / "repo"):
        if (place / ".git").exists() or (place / "HEAD").exists():
            return place
    return None


def _content(folder: Path, file: str, day: date) -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
        ).stdout

    between = (f"--since={day - ABANDONED} 00:00", f"--before={day} 23:59")
    commit = git("log", "-1", *between, "--format=%H", "--", file).strip()
    return git("show", f"{commit}:{file}") if commit else ""


_Row = tuple[str, str, str, str, date, date]


def _rows(content: str, day: date) -> Iterator[_Row]:
    if content.lstrip().startswith("["):
        for row in json.loads(content):
            if len(row["locations"]) == 1:
                posted, updated = (
                    datetime.fromtimestamp(row[name], UTC).date()
                    for name in ("date_posted", "date_updated")
                )
                yield (row["company_name"], row["title"], row["locations"][0], row["url"], posted,
                       day if row["active"] else max(posted, updated))  # fmt: skip
        return
    header: list[str] = []
    for line in content.splitlines():
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not header:
            header = [_words(cell).lower() for cell in cells]
            continue
        said = dict(zip(header, cells, strict=False))
        company = _words(said.get("company", ""))
        title = _words(said.get("role") or said.get("position") or said.get("title") or "")
        place = _words(said.get("location", ""))
        link = re.search(r'(?:href="|\]\()(https?://[^")\s]+)', cells[-1] + " ".join(cells[3:]))
        if link and not _SHORTENED.search(title + "\n" + place):
            age = _words(said.get("age") or said.get("posted") or said.get("date posted") or "")
            yield company, title, place, html.unescape(link[1]), _posted(age, day), day


_SHORTENED = re.compile(r"\.\.\.|…|\bLocations?$|;|\+ |•|</br>|\bMultiple\b", re.MULTILINE)


def _posted(age: str, day: date) -> date:
    """The day of ``2025-08-26``, ``5 days ago``, ``3h``, ``12d``, ``2w`` or ``1mo``."""
    if written := re.fullmatch(r"\d{4}-\d\d-\d\d", age):
        return date.fromisoformat(written[0])
    if counted := re.fullmatch(r"(\d+) ?(m|h|d|w|mo|days?(?: ago)?)", age):
        days = {"m": 0, "h": 0, "w": 7, "mo": 30}.get(counted[2], 1)
        return day - timedelta(days=int(counted[1]) * days)
    return day


def _words(cell: str) -> str:
    plain = re.sub(r"<[^>]*>|\[([^\]]*)\]\([^)]*\)", r"\1", cell)
    return html.unescape(re.sub(r"^[^\w(]+|\*\*", "", plain)).strip()
