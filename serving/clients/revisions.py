"""Which published state is the latest, known without asking for every request.

PostgreSQL tells each API process of a publish as it commits (``LISTEN``), and the process asks
once a second besides, so that a lost or proxied connection is noticed. While the database cannot
be asked, no revision is known and nothing is answered from memory. What a process has shown it
never takes back: every statement says which revision it read, and :meth:`Revisions.saw` notes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta

import psycopg

from serving import queries
from serving.clients.database import Database

POLL_SECONDS = 1.0

log = logging.getLogger(__name__)


def version_of(revision: str) -> int:
    """The publish that made this revision."""
    return int(revision.partition("-")[0])


def published_at(revision: str) -> datetime:
    """When the publish that made this revision ended."""
    microseconds = int(revision.partition("-")[2], 16)
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)


class Revisions:
    """The latest published state: the version, and a mark that sets apart two databases."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watch: asyncio.Task[None] | None = None
        self._latest: str | None = None
        self._moved = asyncio.Event()

    @property
    def latest(self) -> str | None:
        """None while the database cannot be asked, and before the first publish."""
        return self._latest

    @latest.setter
    def latest(self, revision: str | None) -> None:
        if revision != self._latest:
            self._latest = revision
            self._moved.set()
            self._moved = asyncio.Event()

    async def other_than(self, revision: str | None) -> str:
        """Wait until the latest revision is not this one."""
        while self._latest is None or self._latest == revision:
            await self._moved.wait()
        return self._latest

    def saw(self, revision: str | None) -> None:
        """Note the revision that a statement has read."""
        if revision is None or self._watch is None:
            return
        if self.latest is not None and version_of(revision) > version_of(self.latest):
            self.latest = revision

    async def look(self) -> None:
        """Ask which state is the latest, for a caller who knows of a publish."""
        (row,) = await self._database.fetch(queries.REVISION, {})
        self.saw(row["revision"])

    def start(self) -> None:
        self._watch = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                if self.latest is not None:
                    log.warning("publishes cannot be followed (%s)", type(error).__name__)
            self.latest = None
            await asyncio.sleep(POLL_SECONDS)

    async def _listen(self) -> None:
        async with await self._database.connect() as connection:
            await connection.execute("listen published")
            while True:
                async with asyncio.timeout(POLL_SECONDS):
                    cursor = await connection.execute(queries.REVISION)
                    row = await cursor.fetchone()
                self.latest = row["revision"] if row else None
                async for notice in connection.notifies(timeout=POLL_SECONDS):
                    self.saw(notice.payload)
                    self.latest = self.latest or notice.payload
