"""The index of this process: mapped, and kept at the revision that is published."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import os
import sys
from collections.abc import Callable
from typing import TypeVar

import psycopg
from psycopg_pool import PoolTimeout

from pipeline.installation.settings import Settings
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.directory import Commit, Directory
from pipeline.search_index.update import REVISION_OF, TooMuchError, needs_merge, update
from serving import queries
from serving.clients.database import Database
from serving.clients.revisions import Revisions, version_of
from serving.problems import unavailable
from serving.search.searcher import Searcher

WAIT_SECONDS = 10.0
"""How long a request waits for the index of what was just published, unless it is large."""
RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
"""Between two attempts to index what is published: twice as long after each failure."""
SMALL_UPDATE = 5_000
"""So many documents are indexed by the API itself if the pipeline has not done it, in a second.
For more, and to merge, it starts a process whose memory is given back when it ends."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class SearchService:
    """Follows the publishes. Where the pipeline writes to the same folder, it maps what that has
    written; elsewhere it brings a folder of its own up to date from PostgreSQL."""

    def __init__(self, settings: Settings, database: Database, revisions: Revisions) -> None:
        self._settings = settings
        self._database = database
        self._revisions = revisions
        self._directory = Directory(settings.search_dir)
        self._analyzer = Analyzer()  # for the thread that updates
        self._searcher: Searcher | None = None
        self._changed = asyncio.Condition()
        self._behind_since = math.inf
        self.is_indexing_much = False
        """Lists are of the publish before until that has ended."""
        self._following: asyncio.Task[None] | None = None
        self._merging: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def revision(self) -> str | None:
        """What is searched at present; None until there is an index."""
        return None if self._searcher is None else self._searcher.commit.revision

    def start(self) -> None:
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        for task in (self._following, self._merging):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def searcher(self) -> Searcher | None:
        """Of what is published, or of the publish before while a large one is being indexed.
        None before the first publish.

        Raises:
            ProblemError: 503, there is no index yet.
            psycopg.Error, psycopg_pool.PoolTimeout: the database cannot be asked.
        """
        latest = self._revisions.latest
        if latest is None:
            (row,) = await self._database.fetch(queries.REVISION, {})
            latest = row["revision"]
            if latest is None:
                return None
        if self.revision != latest:
            await self.reach(latest)
        found = self._searcher
        if found is None:
            raise unavailable("The jobs are being indexed. Ask again in a moment.")
        is_of_another_database = (
            found.commit.revision != latest
            and version_of(found.commit.revision) >= version_of(latest)
            and self._revisions.latest == latest
        )
        if is_of_another_database:
            raise unavailable("The jobs are being indexed anew. Ask again in a moment.")
        return found

    async def run(self, work: Callable[[], T], *, is_quick: bool) -> T:
        """The result of ``work``; what is not quick is done in a thread, one at a time for the
        memory that it takes."""
        if is_quick:
            return work()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise unavailable("Too many searches that take long. Ask again in a moment.") from None
        try:
            return await asyncio.to_thread(work)
        finally:
            self._one_at_a_time.release()

    async def reach(self, revision: str) -> None:
        """Wait for a revision or a later one, for :data:`WAIT_SECONDS` at most; not while much is
        being indexed."""

        def reached() -> bool:
            own = self.revision
            is_later = own is not None and version_of(own) > version_of(revision)
            return own == revision or is_later or self.is_indexing_much

        since = min(self._behind_since, asyncio.get_running_loop().time())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(since + WAIT_SECONDS), self._changed:
                await self._changed.wait_for(reached)

    async def _is_published(self, commit: Commit, latest: str) -> bool:
        """Whether a commit is of this database: one that was restored may have an index of what
        was published before, and of higher versions."""
        if commit.revision == latest:
            return True
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            version = version_of(commit.revision)
            known = await self._database.fetch(REVISION_OF, {"version": version})
            is_ours = [row["revision"] for row in known] == [commit.revision]
            return is_ours and version > version_of(latest)
        return False

    async def _follow(self) -> None:
        failures = 0
        while True:
            latest = await self._revisions.other_than(self.revision)
            now = asyncio.get_running_loop().time()
            self._behind_since = min(self._behind_since, now)
            try:
                commit = await self._commit_of(latest)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("the jobs cannot be indexed (%s)", type(error).__name__)
                commit = None
            except Exception:
                log.exception("the jobs cannot be indexed")
                commit = None
            if commit is None or not await self._is_published(commit, latest):
                failures += 1
                await asyncio.sleep(min(RETRY_SECONDS * 2**failures, LONGEST_RETRY_SECONDS))
                continue
            failures = 0
            async with self._changed:
                self.is_indexing_much = False
                self._searcher = Searcher(commit)
                self._behind_since = math.inf
                self._changed.notify_all()
            self._revisions.saw(commit.revision)
            if needs_merge(commit) and (self._merging is None or self._merging.done()):
                self._merging = asyncio.create_task(self._merge())

    async def _commit_of(self, revision: str) -> Commit | None:
        commit = await asyncio.to_thread(self._directory.latest)
        if commit is not None and commit.revision == revision:
            return commit
        try:
            return await asyncio.to_thread(self._update)
        except TooMuchError as error:
            log.info("indexing %s", error)
            async with self._changed:
                self.is_indexing_much = True
                self._changed.notify_all()
            is_earlier = commit and version_of(commit.revision) < version_of(revision)
            if commit and is_earlier and self._searcher is None:
                self._searcher = Searcher(commit)  # better than none
            await self._update_apart()
            return await asyncio.to_thread(self._directory.latest)

    def _update(self) -> Commit | None:
        with self._database.connect_apart("job-market-api index") as connection:
            report = update(self._directory, connection, self._analyzer, at_most=SMALL_UPDATE)
        return None if report is None else report.commit

    async def _merge(self) -> None:
        """Merge segments, and search what came of it if nothing was published meanwhile."""
        try:
            await self._update_apart()
            commit = await asyncio.to_thread(self._directory.latest)
        except Exception:
            log.exception("the segments cannot be merged")
            return
        if commit is not None and commit.revision == self.revision:
            self._searcher = Searcher(commit)

    async def _update_apart(self) -> None:
        url = self._settings.database_url
        assert url is not None  # noqa: S101 - Database has refused to be without
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pipeline.search_index",
            env=os.environ | {
                "DATABASE_URL": url.get_secret_value(),
                "DATA_DIR": str(self._settings.data_dir.absolute()),
            },
        )  # fmt: skip
        try:
            if await process.wait():
                log.error("the indexing process ended with %s: see its log", process.returncode)
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
