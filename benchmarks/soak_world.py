"""A market whose every published version is known beforehand: what an answer must hold follows
from the version that it says it is of.

Jobs are numbered, the newest first. In turns of :data:`TURN` versions each is created, updated,
closed and removed, a few at every publish. The first :data:`PULSING` are updated by each, so that
an answer about them that mixes two versions cannot pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import polars as pl
import psycopg

from pipeline.fields import SHOWN_CATEGORIES
from pipeline.publish import leases
from pipeline.publish.publish import Statistics, publish
from pipeline.publish.state import base_version
from pipeline.transform.schema import (
    CompleteFetch,
    Job,
    JobPosting,
    RejectedPosting,
    SourceState,
)
from tests.support.empty_rows import empty_row

PULSING = 40
TURN = 20
CREATED, UPDATED, CLOSED, REMOVED = 1, 10, 18, 0
"""When in its turn a job changes; removed, it is away for one version."""
SOURCES = ("adzuna", "jsearch", "remoteok")
COUNTRIES = ("US", "DE", "GB", None)
WORDS = 11
_NEWEST = datetime(2026, 2, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Opening:
    """A job as a version holds it."""

    number: int
    changed: int
    is_closed: bool

    @property
    def id(self) -> str:
        return f"{self.source}_{self.number:06}"

    @property
    def is_pulsing(self) -> bool:
        return self.number < PULSING

    @property
    def title(self) -> str:
        """Tells the version that changed it last."""
        return f"Engineer {self.number} of {self.changed}"

    @property
    def company(self) -> str:
        return f"Edition {self.changed}" if self.is_pulsing else f"Company {self.number % 50}"

    @property
    def source(self) -> str:
        return SOURCES[self.number % len(SOURCES)]

    @property
    def category(self) -> str:
        return str(SHOWN_CATEGORIES[self.number % len(SHOWN_CATEGORIES)])

    @property
    def country(self) -> str | None:
        return COUNTRIES[self.number // 3 % len(COUNTRIES)]

    @property
    def skill(self) -> str:
        return "Pulse" if self.is_pulsing else "Go"

    @property
    def word(self) -> str:
        return f"word{self.number % WORDS}"


def _changed(number: int, version: int) -> tuple[int, int]:
    """The version of the last change of a job that a later version may still hold, and which
    change that was."""
    if number < PULSING:
        return version, UPDATED
    phase = (7 * number + version) % TURN
    last = max((p for p in (CREATED, UPDATED, CLOSED, REMOVED) if p <= phase), default=REMOVED)
    return version - (phase - last), last


@lru_cache(64)
def published(size: int, version: int) -> Sequence[Opening]:
    """What ``version`` holds of ``size`` jobs, closed ones included, the newest first."""
    openings = []
    for number in range(size):
        changed, last = _changed(number, version)
        if last != REMOVED:
            openings.append(Opening(number, max(1, changed), last == CLOSED))
    return openings


@lru_cache(64)
def advertised(size: int, version: int) -> Sequence[Opening]:
    """What a query without a status finds, in the order of a list."""
    return [opening for opening in published(size, version) if not opening.is_closed]


def counts(openings: Iterable[Opening], value: Callable[[Opening], Any]) -> dict[Any, int]:
    """A facet of these openings."""
    return dict(Counter(map(value, openings)))


@dataclass
class _Terms:
    title: str
    attribution: str


def publish_next(connection: psycopg.Connection[tuple[Any, ...]], size: int) -> Statistics:
    """Publish the version after the last one, as a run does: all of it at first, then what
    differs."""
    base = base_version(connection)
    version = base + 1
    now = published(size, version)
    gone: list[str] = []
    if base:
        before = set(published(size, base))
        ids = {opening.id for opening in now}
        gone = [opening.id for opening in before if opening.id not in ids]
        now = [opening for opening in now if opening not in before]
    jobs, postings = _frames(now)
    seen = [*jobs["job_id"], *gone]
    return publish(
        connection,
        [(jobs, postings)],
        seen=pl.DataFrame(
            {"posting_id": seen, "title": None, "reason": None},
            {"posting_id": pl.String, "title": pl.String, "reason": pl.String},
        ),
        rejected=pl.DataFrame(schema=RejectedPosting.create_empty().schema),
        source_states=pl.DataFrame(schema=SourceState.create_empty().schema),
        complete_fetches=pl.DataFrame(schema=CompleteFetch.create_empty().schema),
        sources={name: _Terms(name.title(), f"Jobs by {name}") for name in SOURCES},
        base_version=base,
        token=leases.take(connection, f"run-{version}"),
        run_id=f"run-{version}",
        started_at=datetime.now(UTC),
        full_refresh=base == 0,
        transform_version="1",
    )


def _frames(openings: Sequence[Opening]) -> tuple[pl.DataFrame, pl.DataFrame]:
    job_schema, posting_schema = Job.create_empty().schema, JobPosting.create_empty().schema
    rows = [_row(opening) for opening in openings]
    empty = empty_row(Job) | empty_row(JobPosting)
    complete = [empty | row for row in rows]
    return (
        pl.DataFrame([{name: row[name] for name in job_schema} for row in complete], job_schema),
        pl.DataFrame(
            [{name: row[name] for name in posting_schema} for row in complete], posting_schema
        ),
    )


def _row(opening: Opening) -> dict[str, Any]:
    """The columns of the job and of its one posting."""
    moment = _NEWEST - timedelta(minutes=opening.number)
    text = f"We run services. {opening.word} " + "and much else that is read by nobody. " * 20
    return {
        "job_id": opening.id,
        "posting_id": opening.id,
        "source": opening.source,
        "source_id": opening.id.partition("_")[2],
        "sources": [opening.source],
        "title": opening.title,
        "company": opening.company,
        "description": text,
        "description_is_snippet": False,
        "tags": [],
        "skills": [opening.skill],
        "apply_urls": [],
        "category": opening.category,
        "category_reason": "title: engineer",
        "country": opening.country,
        "countries": [opening.country] if opening.country else [],
        "remote": False,
        "salary_is_predicted": False,
        "posted_at_is_approximate": False,
        "posted_at": moment,
        "first_seen_at": moment,
        "last_seen_at": moment,
        "run_id": "run",
        "keys": [opening.id],
        "merge_rule": "first",
        "status": "closed" if opening.is_closed else "open",
        "status_reason": "seen in the last fetch",
        "closed_at": _NEWEST if opening.is_closed else None,
        "is_retired": False,
        "posting_count": 1,
    }
