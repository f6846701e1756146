"""Clients that check each answer against the version that it says it is of.

Every client speaks to one replica over one kept connection, in a thread of its own, and notes
what is wrong instead of stopping.
"""

from __future__ import annotations

import csv
import http.client
import io
import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pyarrow.parquet as pq

from benchmarks.soak_world import Opening, advertised, counts, published

TIMEOUT_SECONDS = 60
FACETS: dict[str, Callable[[Opening], Any]] = {
    "category": lambda opening: opening.category,
    "source": lambda opening: opening.source,
    "country": lambda opening: opening.country,
    "skills": lambda opening: opening.skill,
    "company": lambda opening: opening.company,
    "status": lambda opening: "open",
}
FACET_VALUES = 100
"""A facet tells no more values than this."""


class MixedError(Exception):
    """An answer does not hold what its version holds."""


@dataclass
class Tally:
    """What a client saw. Times are in milliseconds, by kind of request."""

    taken: dict[str, list[float]] = field(default_factory=dict)
    rounds: int = 0
    not_modified: int = 0
    errors: list[str] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    status: int
    etag: str
    body: bytes

    @property
    def version(self) -> int:
        return int(self.etag.strip('"').partition("-")[0])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One kind of reader of one replica, of a market of ``size`` jobs."""

    def __init__(self, kind: str, url: str, size: int, seed: int) -> None:
        self.kind = kind
        self.size = size
        self.chance = random.Random(seed)
        self.tally = Tally()
        self.mirror: dict[str, tuple[str, str]] = {}
        self._cursor: str | None = None
        self._mirrored = Answer(200, '"0-json"', b"")
        self._newest = 0
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)

    def run(self, stop: threading.Event, pause: float) -> None:
        """Ask in rounds, with a pause of ``pause`` seconds after each, until ``stop`` is set."""
        one_round: Callable[[], None] = getattr(self, f"_{self.kind}")
        while not stop.is_set():
            with self._noted():
                one_round()
            self.tally.rounds += 1
            stop.wait(pause)
        if self.kind == "changes":
            with self._noted():
                self._changes()
                self._equals_mirror()
        self._connection.close()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except MixedError as error:
            self.tally.mixed.append(f"{self.kind}: {error}")
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.tally.errors.append(f"{self.kind}: {type(error).__name__} {error}")
            self._connection.close()

    def _ask(self, path: str, headers: dict[str, str] | None = None, allowed: int = 200) -> Answer:
        """The answer with status 200, or ``allowed``, of a version that is none before those that
        this replica has answered with."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers=headers or {})
        response = self._connection.getresponse()
        body = response.read()
        taken = (time.perf_counter() - began) * 1000
        self.tally.taken.setdefault(self.kind, []).append(taken)
        if response.status not in (200, allowed):
            raise ValueError(f"{response.status} for {path}: {body[:200]!r}")
        answer = Answer(response.status, response.headers.get("ETag") or "", body)
        if answer.etag:
            if answer.version < self._newest:
                raise MixedError(f"{path} is of {answer.version} after one of {self._newest}")
            self._newest = answer.version
        elif response.status == 200 and self.kind != "exports":
            raise ValueError(f"no ETag for {path}")
        return answer

    def _expect(self, what: str, answer: Answer, found: Any, expected: Any) -> None:
        if found != expected:
            raise MixedError(
                f"{what} of {answer.version}: {str(found)[:300]} is not {str(expected)[:300]}"
            )

    def _query(self) -> tuple[dict[str, str], Callable[[Opening], bool]]:
        """A query, and which openings match it."""
        sample = self.chance.choice(advertised(self.size, max(1, self._newest)))
        queries: list[tuple[dict[str, str], Callable[[Opening], bool]]] = [
            ({}, lambda _: True),
            ({"skills": "Pulse"}, lambda one: one.is_pulsing),
            ({"category": sample.category}, lambda one: one.category == sample.category),
            ({"source": sample.source}, lambda one: one.source == sample.source),
            ({"company": sample.company}, lambda one: one.company == sample.company),
            ({"search": sample.word}, lambda one: one.word == sample.word),
            ({"search": f"services -{sample.word}"}, lambda one: one.word != sample.word),
            (
                {"search": sample.word, "category": sample.category},
                lambda one: one.word == sample.word and one.category == sample.category,
            ),
        ]
        return self.chance.choice(queries)

    def _matching(self, answer: Answer, matches: Callable[[Opening], bool]) -> list[Opening]:
        return [one for one in advertised(self.size, answer.version) if matches(one)]

    def _lists(self) -> None:
        """Pages with their totals and facets."""
        parameters, matches = self._query()
        names = self.chance.sample(sorted(FACETS), self.chance.choice([0, 1, 3]))
        limit = self.chance.choice([1, 20, 200])
        asked = {**parameters, "limit": limit} | ({"facets": ",".join(names)} if names else {})
        path = f"/api/jobs?{urlencode(asked)}"
        answer = self._ask(path)
        body = answer.json
        expected = self._matching(answer, matches)
        self._expect(f"match of {path}", answer, body["match"], "exact")
        self._expect(f"total of {path}", answer, body["total"], len(expected))
        titles = [(job["id"], job["title"]) for job in body["jobs"]]
        first = [(one.id, one.title) for one in expected[:limit]]
        self._expect(f"page of {path}", answer, titles, first)
        for name in names:
            told = {entry["value"]: entry["jobs"] for entry in body["facets"][name]}
            right = counts(expected, FACETS[name])
            if len(right) <= FACET_VALUES:
                self._expect(f"{name} of {path}", answer, told, right)

    def _pages(self) -> None:
        """All pages, from one to the next by cursor, across publishes."""
        parameters, matches = self._query()
        found: list[str] = []
        versions: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            asked = {**parameters, "limit": 50, **cursor}
            answer = self._ask(f"/api/jobs?{urlencode(asked)}")
            body = answer.json
            versions.append(answer.version)
            expected = {one.id: one.title for one in self._matching(answer, matches)}
            for job in body["jobs"]:
                title = expected.get(job["id"])
                self._expect(f"{job['id']} of {asked}", answer, job["title"], title)
                found.append(job["id"])
            if body["next"] is None:
                break
            cursor = {"cursor": body["next"]}
        self._expect(f"repeated jobs of {parameters}", answer, len(set(found)), len(found))
        throughout = set.intersection(
            *(
                {one.id for one in advertised(self.size, version) if matches(one)}
                for version in range(versions[0], versions[-1] + 1)
            )
        )
        self._expect(f"lost jobs of {parameters}", answer, throughout - set(found), set())

    def _jobs(self) -> None:
        """Single jobs, most of them there."""
        version = max(1, self._newest)
        one = self.chance.choice(published(self.size, version))
        answer = self._ask(f"/api/jobs/{quote(one.id)}", allowed=404)
        if answer.status == 404:
            # It names no version: the job must be away in one that may have been the latest.
            latest = self._ask("/api/jobs?limit=1").version
            if all(self._holds(one, between) for between in range(version, latest + 1)):
                raise MixedError(f"{one.id} is away from {version} to {latest}")
            return
        body = answer.json
        now = self._holds(one, answer.version)
        self._expect(one.id, answer, body["title"], now and now.title)
        (posting,) = body["postings"]
        self._expect(f"posting of {one.id}", answer, posting["title"], body["title"])

    def _holds(self, one: Opening, version: int) -> Opening | None:
        """The opening of this number as ``version`` holds it."""
        return next((o for o in published(self.size, version) if o.number == one.number), None)

    def _exports(self) -> None:
        """Whole exports in every format."""
        parameters, matches = self._query()
        form = self.chance.choice(["csv", "ndjson", "parquet", "atom"])
        answer = self._ask(f"/api/jobs.{form}?{urlencode(parameters)}")
        if not answer.etag:  # an empty one, while something was published
            return
        rows = [(one.id, one.title) for one in self._matching(answer, matches)]
        if form == "csv":
            lines = csv.DictReader(io.StringIO(answer.body.decode(), newline=""))
            found = [(row["id"], row["title"]) for row in lines]
        elif form == "ndjson":
            found = [(r["id"], r["title"]) for r in map(json.loads, answer.body.splitlines())]
        elif form == "parquet":
            table = pq.read_table(io.BytesIO(answer.body), columns=["id", "title"])
            found = [(row["id"], row["title"]) for row in table.to_pylist()]
        else:
            self._expect("feed", answer, answer.body.count(b"<entry>"), min(100, len(rows)))
            found = rows
            for _, title in rows[:100]:
                self._expect(
                    "feed", answer, f"<title>{title}</title>".encode() in answer.body, True
                )
        self._expect(f"{form} of {parameters}", answer, found, rows)

    def _changes(self) -> None:
        """A copy that follows the changes."""
        while True:
            asked = {"limit": 100} | ({"cursor": self._cursor} if self._cursor else {})
            answer = self._ask(f"/api/jobs/changes?{urlencode(asked)}")
            body = answer.json
            now = {one.id: one for one in published(self.size, answer.version)}
            for change in body["changes"]:
                one = now.get(change["id"])
                if change["change"] == "removed":
                    self._expect(f"removed {change['id']}", answer, one, None)
                    self.mirror.pop(change["id"], None)
                    continue
                job = change["job"]
                title = one and one.title
                self._expect(f"changed {change['id']}", answer, job["title"], title)
                self.mirror[change["id"]] = (job["title"], job["status"])
            self._cursor = body["next"]
            if not body["more"]:
                self._mirrored = answer
                return

    def _equals_mirror(self) -> None:
        """The copy is what is published, once publishing has ended."""
        expected = {
            one.id: (one.title, "closed" if one.is_closed else "open")
            for one in published(self.size, self._mirrored.version)
        }
        self._expect("copy", self._mirrored, self.mirror, expected)

    def _statistics(self) -> None:
        """What is counted once a publish."""
        answer = self._ask("/api/stats")
        body = answer.json
        expected = advertised(self.size, answer.version)
        self._expect("total of /api/stats", answer, body["total"], len(expected))
        for name in ("category", "source", "country"):
            told = {entry["value"]: entry["jobs"] for entry in body[f"by_{name}"]}
            self._expect(f"{name} of /api/stats", answer, told, counts(expected, FACETS[name]))

    def _unchanged(self) -> None:
        """The same list again and again, each time only if it has changed."""
        path = self.chance.choice(["/api/jobs?skills=Pulse", "/api/jobs.ndjson?skills=Pulse"])
        etag = self._ask(path).etag
        for _ in range(20):
            answer = self._ask(path, {"If-None-Match": etag}, allowed=304)
            if answer.status == 304:
                self.tally.not_modified += 1
                self._expect(f"ETag of {path}", answer, (answer.etag, answer.body), (etag, b""))
            else:
                if answer.etag == etag:
                    raise MixedError(f"{path} was sent again though it is of {etag} still")
                etag = answer.etag


KINDS = ("lists", "pages", "jobs", "exports", "changes", "statistics", "unchanged")
