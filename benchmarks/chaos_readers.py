"""Readers that hold every answer of one version against all others of the same version."""

from __future__ import annotations

import csv
import hashlib
import http.client
import io
import json
import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from benchmarks.chaos_installation import Installation

TIMEOUT_SECONDS = 30
SEARCHES = ("kubernetes", "python or go", '"site reliability"', "backend -java", "cloud")
FACETS = ("category", "status", "source", "country")


class WrongAnswerError(Exception):
    """An answer that no single version explains."""


@dataclass(frozen=True)
class Failure:
    """A request without a usable answer: a status, or the kind of error of the connection."""

    at: float
    until: float
    path: str
    status: str
    retry_after: str | None = None


@dataclass
class Known:
    """What is known of each version, by whoever first told it.

    Attributes:
        wrong: what contradicts it.
        compared: how many statements were held against an earlier one.
    """

    wrong: list[str] = field(default_factory=list)
    compared: int = 0
    _facts: dict[tuple[str, str], tuple[Any, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, revision: str, facts: dict[str, Any], teller: str) -> None:
        """Hold what ``teller`` says of a version against what others said."""
        with self._lock:
            for name, value in facts.items():
                known, by = self._facts.setdefault((revision, name), (value, teller))
                self.compared += by != teller
                if known != value:
                    self.wrong.append(
                        f"{name} of {revision}: {str(value)[:200]} by {teller}, but "
                        f"{str(known)[:200]} by {by}"
                    )

    def complain(self, what: str) -> None:
        with self._lock:
            self.wrong.append(what)

    @property
    def versions(self) -> int:
        return len({revision for revision, _ in self._facts})


@dataclass
class Reads:
    """The requests of all readers."""

    answered: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, failure: Failure | None = None) -> None:
        with self._lock:
            if failure is None:
                self.answered[kind] = self.answered.get(kind, 0) + 1
            else:
                self.failures.append(failure)


def digest(ids: Iterable[str]) -> str:
    """Of a set of ids; PostgreSQL computes the same."""
    return hashlib.md5(",".join(sorted(ids)).encode(), usedforsecurity=False).hexdigest()


def facts_of_list(body: Any, limit: int, is_whole: bool) -> dict[str, Any]:
    """What a list with all of :data:`FACETS` tells of its version.

    Args:
        is_whole: whether it has no filter, so that it tells of all jobs.

    Raises:
        WrongAnswerError: it contradicts itself.
    """
    total, jobs = body["total"], body["jobs"]
    facets = {
        name: {str(entry["value"]): entry["jobs"] for entry in body["facets"][name]}
        for name in FACETS
    }
    # A job has one category, one status and at most one country, and any number of sources.
    for name in ("category", "status", "country"):
        if sum(facets[name].values()) != total:
            raise WrongAnswerError(f"{name} sums up to {facets[name]}, but the total is {total}")
    if not max(facets["source"].values(), default=0) <= total <= sum(facets["source"].values()):
        raise WrongAnswerError(f"the sources {facets['source']} do not make up {total}")
    if len(jobs) != min(limit, total) or len({job["id"] for job in jobs}) != len(jobs):
        raise WrongAnswerError(f"a page of {limit} holds {len(jobs)} of {total}")
    return {"total": total, **facets} if is_whole else {}


def facts_of_statistics(body: Any) -> dict[str, Any]:
    """What ``/api/stats`` tells of its version.

    Raises:
        WrongAnswerError: it contradicts itself.
    """
    by = {
        name: {str(entry["value"]): entry["jobs"] for entry in body[f"by_{name}"]}
        for name in ("category", "source", "country")
    }
    if sum(by["category"].values()) != body["total"]:
        raise WrongAnswerError(f"{by['category']} sums up to other than {body['total']}")
    return {"total": body["total"], **by}


def facts_of_rows(ids: list[str]) -> dict[str, Any]:
    """What an export of all jobs tells of its version.

    Raises:
        WrongAnswerError: it contradicts itself.
    """
    if len(set(ids)) != len(ids):
        raise WrongAnswerError(f"{len(ids) - len(set(ids))} jobs come twice")
    return {"total": len(ids), "ids": digest(ids)}


class Reader:
    """One kind of reader, in a thread of its own."""

    def __init__(
        self, kind: str, installation: Installation, known: Known, reads: Reads, seed: int
    ) -> None:
        self.kind = kind
        self._installation = installation
        self._known = known
        self._reads = reads
        self._chance = random.Random(seed)
        self._connection = http.client.HTTPConnection(
            urlsplit(installation.api).netloc, timeout=TIMEOUT_SECONDS
        )
        self._newest = 0
        self._cursor: str | None = None
        self._copy: dict[str, str] = {}

    def run(self, stop: threading.Event, pause: float) -> None:
        """Ask in rounds, with so many seconds between them, until ``stop`` is set."""
        one_round: Callable[[], None] = getattr(self, f"_{self.kind}")
        while not stop.wait(pause):
            try:
                one_round()
            except WrongAnswerError as error:
                self._known.complain(f"{self.kind}: {error}")
            except LookupError:
                # No usable answer: noted, and asked again a little later.
                self._connection.close()
                stop.wait(0.3)
        self._connection.close()

    def _ask(self, path: str) -> tuple[str, bytes]:
        """The version of an answer, and the answer.

        Raises:
            LookupError: there was none; it is noted.
            WrongAnswerError: it is of a version before one that was read.
        """
        began = time.time()
        status, retry_after = "", None
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            body = answer.read()
            status, retry_after = str(answer.status), answer.headers["Retry-After"]
            revision = (answer.headers["ETag"] or "").strip('"').rpartition("-")[0]
        except (OSError, http.client.HTTPException) as error:
            status = type(error).__name__
        if status != "200":
            failure = Failure(began, time.time(), path, status, retry_after)
            self._reads.note(self.kind, failure)
            raise LookupError(status)
        self._reads.note(self.kind)
        if revision:
            version = int(revision.partition("-")[0])
            if version < self._newest:
                raise WrongAnswerError(f"{path} is of {version} after {self._newest}")
            self._newest = version
        return revision, body

    def _lists(self) -> None:
        limit = self._chance.choice((1, 50, 200))
        asked = {"limit": limit, "facets": ",".join(FACETS)}
        filters = self._chance.choice((
            {}, {}, {"category": "sre,devops"}, {"source": "jsearch"}, {"country": "US"},
            {"search": self._chance.choice(SEARCHES)},
        ))  # fmt: skip
        revision, body = self._ask(f"/api/jobs?{urlencode(asked | filters)}")
        answer = json.loads(body)
        if answer["match"] != "exact":
            return
        facts = facts_of_list(answer, limit, not filters)
        if revision:
            self._known.tell(revision, facts, "list")

    def _pages(self) -> None:
        ids: list[str] = []
        revisions: set[str] = set()
        cursor: dict[str, str] = {}
        while True:
            revision, body = self._ask(f"/api/jobs?{urlencode({'limit': 200, **cursor})}")
            revisions.add(revision)
            answer = json.loads(body)
            ids += [job["id"] for job in answer["jobs"]]
            if answer["next"] is None:
                break
            cursor = {"cursor": answer["next"]}
        if len(revisions) == 1 and revision:
            self._known.tell(revision, facts_of_rows(ids), "pages")

    def _exports(self) -> None:
        form = self._chance.choice(("csv", "ndjson"))
        revision, body = self._ask(f"/api/jobs.{form}")
        if form == "csv":
            lines = csv.DictReader(io.StringIO(body.decode(), newline=""))
            ids = [row["id"] for row in lines]
        else:
            ids = [json.loads(line)["id"] for line in body.splitlines()]
        if revision:
            self._known.tell(revision, facts_of_rows(ids), form)

    def _statistics(self) -> None:
        revision, body = self._ask("/api/stats")
        facts = facts_of_statistics(json.loads(body))
        if revision:
            self._known.tell(revision, facts, "statistics")

    def _changes(self) -> None:
        """A copy that follows the changes equals what is published once it has caught up within
        one version."""
        revisions = set()
        while True:
            asked = {"limit": 500} | ({"cursor": self._cursor} if self._cursor else {})
            revision, body = self._ask(f"/api/jobs/changes?{urlencode(asked)}")
            revisions.add(revision)
            answer = json.loads(body)
            for change in answer["changes"]:
                if change["change"] == "removed":
                    self._copy.pop(change["id"], None)
                else:
                    self._copy[change["id"]] = change["job"]["status"]
            self._cursor = answer["next"]
            if not answer["more"]:
                break
        if revision:
            ids = [job_id for job_id, status in self._copy.items() if status != "closed"]
            self._known.tell(
                revision, facts_of_rows(ids) | {"with closed": len(self._copy)}, "changes"
            )

    def _tables(self) -> None:
        """PostgreSQL itself, in one transaction."""
        try:
            with self._installation.connect() as connection:
                connection.execute("begin isolation level repeatable read read only")
                row = connection.execute(PUBLISHED).fetchone()
        except (OSError, psycopg.Error):
            return
        assert row is not None
        revision, total, ids, with_closed, told, orphans, ahead = row
        if revision is None:
            return
        self._reads.note("tables")
        if (with_closed, 0, 0) != (told, orphans, ahead):
            raise WrongAnswerError(
                f"half a publish: {revision} told of {told} jobs, {with_closed} are there, "
                f"{orphans} without a posting, {ahead} of a later version"
            )
        facts = {"total": total, "ids": ids, "with closed": with_closed}
        self._known.tell(revision, facts, "PostgreSQL")


PUBLISHED = """
select
    published_edition(),
    count(*) filter (where status <> 'closed'),
    md5(coalesce(string_agg(job_id, ',' order by job_id collate "C")
        filter (where status <> 'closed'), '')),
    count(*),
    (select total from publishes order by version desc limit 1),
    count(*) filter (where not exists (
        select from job_postings where job_postings.job_id = jobs.job_id)),
    count(*) filter (where changed_version > (select max(version) from publishes))
from jobs
"""

KINDS = ("lists", "lists", "pages", "exports", "statistics", "changes", "tables")
