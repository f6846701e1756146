"""The index of the present edition, kept up to date beside the requests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import psycopg
from cachetools import LRUCache

from serving import queries
from serving.clients.database import Database
from serving.clients.editions import POLL_SECONDS, Editions, version_of
from serving.search import bitmaps, tsquery
from serving.search.bitmaps import Bitmap
from serving.search.columns import Counts
from serving.search.jobs import SPELLED, JobIndex, UnknownPlaceError
from serving.search.reading import is_worn, read
from serving.search.words import Words

FEW_CANDIDATES = 50_000
"""A phrase whose words are in more jobs is looked for in a thread: that takes over 10 ms."""
WAIT_SECONDS = 2.0
"""How long a request waits for the index of an edition, before PostgreSQL does the work."""
COMPARED = 200_000
"""Of searches that match next to nothing, as many texts that were compared are remembered."""
UNDERSTOOD = 10_000
"""As many searches are remembered as PostgreSQL understands them."""
NAMES_CHARS = 2_000_000
"""As much is remembered of names as PostgreSQL compares them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """What the index tells of a query, all of one edition.

    ``ids`` is the page, with one more if there are more; none where it cannot be told. ``scores``
    are theirs, where they are in the order of those.
    """

    edition: str
    total: int
    ids: list[str] | None
    facets: dict[str, Counts]
    scores: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class _Understood:
    """A search: its words, if any is indexed, and its trigrams."""

    tree: tsquery.Node | None
    trigrams: list[str]


class Index:
    """Follows the editions. Until it has read the first, nothing is found here."""

    def __init__(self, database: Database, editions: Editions) -> None:
        self._database = database
        self._editions = editions
        self._jobs: JobIndex | None = None
        self._changed = asyncio.Condition()
        self._reading_since = math.inf
        self.is_first_reading = True
        """Until the first edition was read, or could not be."""
        self._following: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._looking: dict[tuple[Words, tsquery.Phrase], asyncio.Task[None]] = {}
        self._understood: LRUCache[str, _Understood] = LRUCache(UNDERSTOOD)
        self._names: LRUCache[str, dict[str, list[str] | None]] = LRUCache(
            NAMES_CHARS, getsizeof=lambda keys: 100 + len(str(keys))
        )
        self._compared: LRUCache[str, tuple[frozenset[str], dict[str, float]]] = LRUCache(
            COMPARED, getsizeof=lambda compared: len(compared[0])
        )

    def start(self) -> None:
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following

    async def find(
        self,
        asked: dict[str, Any],
        page: Mapping[str, Any],
        facets: Sequence[str],
        *,
        ranked: bool = False,
        latest: bool = False,
    ) -> Found | None:
        """What matches the parameters of ``filters.sql`` and ``search_filter.sql``; none while
        the index is read, and where it cannot follow the publishes. With ``ranked``, ``ids`` are
        the jobs to rank; with ``latest``, those that were found last, as ``feed.sql``.

        Raises:
            psycopg.Error: a search had to be asked for, and the server did not answer.
            psycopg_pool.PoolTimeout: as above, and no connection was free.
        """
        jobs = self._jobs
        if jobs is None:
            return None
        searched: Bitmap | None = None
        tree = None
        if asked["search"] is not None:
            tree = (await self._understand(asked["search"])).tree
            searched = await self._searched(jobs, tree)
        matching = jobs.matching(asked | await self._keys(asked), searched)
        total = bitmaps.count(matching)
        ids: list[str] | None
        try:
            if ranked and tree is not None:
                ids = jobs.candidates(matching, tree)
            elif latest:
                ids = jobs.latest(matching, page["limit"])
            else:
                ids = jobs.page(matching, total, page)
        except UnknownPlaceError:
            ids = None
        return Found(jobs.edition, total, ids, jobs.facets(matching, facets))

    async def find_alike(self, asked: dict[str, Any], page: Mapping[str, Any]) -> Found | None:
        """The jobs whose title or company reads like the search, and those that match it, the
        most alike first, as :meth:`find`. No page of them is told if none reads like it."""
        jobs = self._jobs
        if jobs is None:
            return None
        understood = await self._understand(asked["search"])
        searched = await self._searched(jobs, understood.tree)
        alike = {name: jobs.spellings[name].like(understood.trigrams) for name in SPELLED}
        scores = await self._scores(asked["search"], frozenset(chain(*alike.values())))
        filtered = jobs.matching(asked | await self._keys(asked), None)
        if not scores and page["after_id"] is None:
            return Found(jobs.edition, bitmaps.count(filtered & searched), None, {})
        of_columns = [
            {text: scores[text] for text in texts if text in scores} for texts in alike.values()
        ]
        ranked = jobs.alike(filtered, searched, of_columns)
        try:
            found = jobs.page_alike(ranked, page)
        except UnknownPlaceError:
            return None
        ids = [job_id for job_id, _ in found]
        return Found(jobs.edition, ranked.total, ids, {}, [score for _, score in found])

    async def reach(self, edition: str | None) -> bool:
        """Wait until the index is of this edition or a later one. False if it is not in
        :data:`WAIT_SECONDS`, or has not been for longer."""

        def reached() -> bool:
            if self._jobs is None or edition is None:
                return True
            return version_of(self._jobs.edition) >= version_of(edition)

        since = min(self._reading_since, asyncio.get_running_loop().time())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(since + WAIT_SECONDS), self._changed:
                await self._changed.wait_for(reached)
        return self._jobs is not None and reached()

    async def _understand(self, search: str) -> _Understood:
        understood = self._understood.get(search)
        if understood is None:
            (row,) = await self._database.fetch(
                queries.SEARCH_QUERY, {"search": search}, plan_once=True
            )
            understood = _Understood(tsquery.parse(row["query"]), row["trigrams"])
            self._understood[search] = understood
        return understood

    async def _keys(self, asked: Mapping[str, Any]) -> dict[str, list[str] | None]:
        """The names that are asked for, as they are compared."""
        named = {name: asked[name] for name in ("cities", "companies")}
        if not any(named.values()):
            return {}
        written = str(named)
        keys = self._names.get(written)
        if keys is None:
            (keys,) = await self._database.fetch(queries.INDEX_NAMES, named, plan_once=True)
            self._names[written] = keys
        return keys

    async def _scores(self, search: str, texts: frozenset[str]) -> dict[str, float]:
        """How much the texts read like a search, of those that do."""
        if not texts:
            return {}
        compared, scores = self._compared.get(search, (None, {}))
        if compared != texts:
            parameters = {"search": search, "texts": list(texts)}
            rows = await self._database.fetch(queries.INDEX_ALIKE, parameters, plan_once=True)
            scores = {row["text"]: row["score"] for row in rows}
            self._compared[search] = texts, scores
        return scores

    async def _searched(self, jobs: JobIndex, tree: tsquery.Node | None) -> Bitmap:
        """The jobs that match."""
        if tree is None:  # no word of it is indexed
            return bitmaps.empty(len(jobs.ids))
        for phrase in tsquery.phrases(tree):
            if not jobs.words.has(phrase):
                await self._look_for(jobs.words, phrase)
        return tsquery.matching(tree, jobs.words.bitmap)

    async def _look_for(self, words: Words, phrase: tsquery.Phrase) -> None:
        """Find and keep a phrase: of many candidates beside the requests, once however many wait
        for it."""
        candidates = words.candidates(phrase)
        if bitmaps.count(candidates) <= FEW_CANDIDATES:
            words.keep(phrase, words.find(phrase, candidates))
            return

        async def look() -> None:
            async with self._one_at_a_time:  # each takes some room
                words.keep(phrase, await asyncio.to_thread(words.find, phrase, candidates))

        task = self._looking.get((words, phrase))
        if task is None:
            task = asyncio.create_task(look())
            self._looking[words, phrase] = task
            task.add_done_callback(lambda _: self._looking.pop((words, phrase)))
        await asyncio.shield(task)  # a caller that leaves takes nothing from the others

    async def _follow(self) -> None:
        before: JobIndex | None = None
        seen: str | None = None
        while True:
            seen = await self._editions.other_than(seen)
            self._reading_since = asyncio.get_running_loop().time()
            try:
                jobs = await asyncio.to_thread(self._read, before)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("the index cannot be read (%s)", type(error).__name__)
                jobs = None
            except Exception:
                log.exception("the index cannot be read: PostgreSQL does its work")
                jobs = before = None
            async with self._changed:
                self._jobs = jobs
                self._reading_since = math.inf
                self.is_first_reading = False
                self._changed.notify_all()
            if jobs is None:
                seen = None
                await asyncio.sleep(POLL_SECONDS)
                continue
            worn = is_worn(jobs)  # it serves until one that is read anew is there
            before, seen = (None, None) if worn else (jobs, jobs.edition)

    def _read(self, before: JobIndex | None) -> JobIndex | None:
        with self._database.connect_apart("job-market-api index") as connection:
            return read(connection, before)
