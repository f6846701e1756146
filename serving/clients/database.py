"""The connections of the API to PostgreSQL: bounded in number, in time, and read only."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Annotated, Any, Literal

import psycopg
from fastapi import Depends, Request
from psycopg import AsyncConnection, Connection
from psycopg.rows import DictRow, TupleRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from pipeline.installation.settings import ConfigurationError, Settings
from serving import queries

WAIT_SECONDS = 2.0
"""How long a request waits for a free connection before it is answered with 503."""

HEALTH_SECONDS = 1.5

SESSION = {
    # Each statement reads one snapshot, and a request is one statement, outside a transaction.
    "default_transaction_read_only": "on",
    "timezone": "UTC",
    "random_page_cost": "1.1",
    # With many callers, workers and compilation for one of them slow down the others.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
}

CONNECTION: dict[str, Any] = {
    "autocommit": True,
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "application_name": "job-market-api",
}
_SET = "select set_config(key, value, false) from jsonb_each_text(%s)"
_LOCAL_TIMEOUT = "select set_config('statement_timeout', %s, true)"
EXPORT_WAIT_SECONDS = 2.0

State = Literal["ok", "busy", "unreachable", "not migrated"]

log = logging.getLogger(__name__)


class Database:
    """A pool of connections. It opens without waiting: until the server is there, requests end
    with ``psycopg_pool.PoolTimeout``, and it connects as soon as the server is."""

    def __init__(self, settings: Settings) -> None:
        """Raises:
        ConfigurationError: ``DATABASE_URL`` is missing or malformed.
        """
        if settings.database_url is None:
            raise ConfigurationError(
                "DATABASE_URL is not set: the API needs it to find the published jobs. Start "
                "everything together with `job-market`, or set it in the environment or in .env."
            )
        self._url = settings.database_url.get_secret_value()
        self._exports = asyncio.Semaphore(max(1, settings.api_pool_size // 3))
        self._session = SESSION | {"statement_timeout": str(settings.api_statement_timeout_ms)}
        self._pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
            self._url,
            # To open one takes longer than most requests.
            min_size=settings.api_pool_size,
            max_size=settings.api_pool_size,
            timeout=WAIT_SECONDS,
            # Those that would wait too long are told so at once.
            max_waiting=settings.api_pool_size * 20,
            reconnect_timeout=30,
            open=False,
            configure=self._configure,
            kwargs={"row_factory": dict_row, **CONNECTION},
            name="api",
        )

        self._taken = 0
        """As many connections are used by requests."""

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        async with self._pool.connection() as connection:
            self._taken += 1
            try:
                yield connection
            finally:
                self._taken -= 1

    async def _configure(self, connection: AsyncConnection[DictRow]) -> None:
        await connection.execute(_SET, (Jsonb(self._session),))

    async def open(self) -> None:
        await self._pool.open(wait=False)

    async def close(self) -> None:
        await self._pool.close(timeout=WAIT_SECONDS)

    async def connect(self) -> AsyncConnection[DictRow]:
        """A connection of its own, beside the pool."""
        return await AsyncConnection.connect(self._url, row_factory=dict_row, **CONNECTION)

    def connect_apart(self, name: str) -> Connection[TupleRow]:
        """A connection of its own for a thread, which may take its time, in no transaction.

        Raises:
            psycopg.OperationalError: the server cannot be reached.
        """
        connection = psycopg.connect(self._url, **CONNECTION | {"application_name": name})
        connection.execute(_SET, (Jsonb(SESSION),))
        return connection

    async def fetch(
        self,
        query: bytes,
        parameters: Mapping[str, Any],
        *,
        timeout_ms: int | None = None,
        plan_once: bool = False,
    ) -> list[DictRow]:
        """The rows of one statement, all of one snapshot.

        Args:
            timeout_ms: how long the statement may take, if not as long as others.
            plan_once: the best plan is the same for all parameters, so that it may be kept. That
                of a search depends on how frequent its words are.

        Raises:
            psycopg_pool.PoolTimeout: no connection became free in :data:`WAIT_SECONDS`.
            psycopg.OperationalError: the server went away, or the statement timed out.
        """
        try:
            return await self._fetch(query, parameters, timeout_ms, plan_once)
        except psycopg.OperationalError as error:
            final = (psycopg.errors.QueryCanceled, PoolTimeout, PoolClosed, TooManyRequests)
            if isinstance(error, final):
                raise
        # The server ended the connection while it was idle, and others perhaps too. To look at
        # each before it is used would cost every request a round trip.
        await self._pool.check()
        return await self._fetch(query, parameters, timeout_ms, plan_once)

    async def _fetch(
        self,
        query: bytes,
        parameters: Mapping[str, Any],
        timeout_ms: int | None,
        plan_once: bool,
    ) -> list[DictRow]:
        async with (
            self._connection() as connection,
            nullcontext() if timeout_ms is None else connection.transaction(),
        ):
            if timeout_ms is not None:
                await connection.execute(_LOCAL_TIMEOUT, (str(timeout_ms),))
            cursor = await connection.execute(query, parameters, prepare=plan_once)
            return await cursor.fetchall()

    async def stream(
        self, query: bytes, parts: Iterable[Mapping[str, Any]]
    ) -> AsyncGenerator[list[DictRow], None]:
        """The rows of a statement, a batch for each of the parameters in ``parts``, all of one
        snapshot; an empty batch ends them. Few may stream at once: each occupies a connection for
        as long as its reader takes.

        Raises:
            psycopg_pool.PoolTimeout: too many stream already, or no connection is free.
            psycopg.OperationalError: the server went away, or a batch timed out.
        """
        try:
            async with asyncio.timeout(EXPORT_WAIT_SECONDS):
                await self._exports.acquire()
        except TimeoutError:
            raise PoolTimeout("too many exports at once") from None
        try:
            async with self._connection() as connection, connection.transaction():
                await connection.execute("set transaction isolation level repeatable read")
                for parameters in parts:
                    cursor = await connection.execute(query, parameters, prepare=True)
                    if batch := await cursor.fetchall():
                        yield batch
        finally:
            self._exports.release()

    @asynccontextmanager
    async def lock(self, key: int) -> AsyncIterator[None]:
        """Hold the advisory lock ``key``, which is one for all processes of the database.

        Raises:
            psycopg.errors.QueryCanceled: another holder kept it beyond the statement timeout.
        """
        async with self._connection() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(%s)", (key,))
            yield

    async def last_publish(self) -> tuple[State, DictRow | None]:
        """How the database is, and the last publish if there was any, within two seconds."""
        try:
            async with (
                asyncio.timeout(HEALTH_SECONDS),
                self._pool.connection(HEALTH_SECONDS / 2) as connection,
            ):
                cursor = await connection.execute(queries.LAST_PUBLISH)
                return "ok", await cursor.fetchone()
        except psycopg.errors.UndefinedTable:
            return "not migrated", None
        except (psycopg.Error, PoolTimeout, PoolClosed, TimeoutError):
            return ("busy" if self._taken >= self._pool.max_size else "unreachable"), None


# Not a plain function, for which FastAPI would change the thread at each request.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseOfApp = Annotated[Database, Depends(_database)]
