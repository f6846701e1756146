"""The connections of the API to PostgreSQL: bounded in number, in time, and read only."""

from __future__ import annotations

import asyncio
import logging
import select
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from typing import Annotated, Any, Literal, TypeVar

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

ANSWER_SECONDS = WAIT_SECONDS + 3
"""How much longer than a statement may take its answer is waited for: a server that hangs does not
end it."""

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
_ONE_SNAPSHOT = "set transaction isolation level repeatable read"
_LOCAL_TIMEOUT = "select set_config('statement_timeout', %s, true)"
EXPORT_WAIT_SECONDS = 2.0

T = TypeVar("T")
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
        self._answer_seconds = settings.api_statement_timeout_ms / 1000 + ANSWER_SECONDS
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

        self._asking: set[asyncio.Task[Any]] = set()
        self._taken = 0
        """As many connections are used by requests."""

    @asynccontextmanager
    async def _connection(
        self, wait_seconds: float = WAIT_SECONDS
    ) -> AsyncIterator[AsyncConnection[DictRow]]:
        """One that the server has not ended while it was idle; those that it has are replaced.
        The check of the pool itself waits a second after each of these."""
        while True:
            async with self._pool.connection(wait_seconds) as connection:
                if not await _is_alive(connection):
                    await connection.close()
                    continue
                self._taken += 1
                try:
                    yield connection
                finally:
                    self._taken -= 1
                return

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        async with self._connection() as connection, AsyncExitStack() as begun:
            await self._answer(begun.enter_async_context(connection.transaction()))
            yield connection

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
            plan_once: the best plan is the same for all parameters, so that it may be kept.

        Raises:
            psycopg_pool.PoolTimeout: no connection became free in :data:`WAIT_SECONDS`.
            psycopg.OperationalError: the server went away or hangs, or the statement timed out.
        """
        try:
            return await self._answer(self._fetch(query, parameters, timeout_ms, plan_once))
        except psycopg.OperationalError as error:
            final = (psycopg.errors.QueryCanceled, PoolTimeout, PoolClosed, TooManyRequests)
            if isinstance(error, (*final, psycopg.errors.ConnectionTimeout)):
                raise
        # The server went away while it answered, or without a word. To read again is harmless.
        return await self._answer(self._fetch(query, parameters, timeout_ms, plan_once))

    async def _answer(self, answer: Coroutine[Any, Any, T]) -> T:
        """Wait for the server, but not for one that hangs.

        Raises:
            psycopg.errors.ConnectionTimeout: there was no answer within the time.
        """
        task = asyncio.create_task(answer)
        self._asking.add(task)
        task.add_done_callback(self._ended)
        try:
            if (await asyncio.wait({task}, timeout=self._answer_seconds))[0]:
                return task.result()
        finally:
            # One that has not ended asks the server for up to ten seconds to end the statement,
            # for which nobody waits.
            task.cancel()
        raise psycopg.errors.ConnectionTimeout("the server does not answer")

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            # Looked at, so that what nobody waited for is not logged as a failure of the code.
            task.exception()

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
            psycopg.OperationalError: the server went away or hangs, or a batch timed out.
        """
        try:
            async with asyncio.timeout(EXPORT_WAIT_SECONDS):
                await self._exports.acquire()
        except TimeoutError:
            raise PoolTimeout("too many exports at once") from None
        try:
            async with self._transaction() as connection:
                await self._answer(connection.execute(_ONE_SNAPSHOT))
                for parameters in parts:
                    if batch := await self._answer(_batch(connection, query, parameters)):
                        yield batch
        finally:
            self._exports.release()

    @asynccontextmanager
    async def lock(self, key: int) -> AsyncIterator[None]:
        """Hold the advisory lock ``key``, which is one for all processes of the database.

        Raises:
            psycopg.errors.QueryCanceled: another holder kept it beyond the statement timeout.
        """
        async with self._transaction() as connection:
            await self._answer(connection.execute("select pg_advisory_xact_lock(%s)", (key,)))
            yield

    async def last_publish(self) -> tuple[State, DictRow | None]:
        """How the database is, and the last publish if there was any, within two seconds."""
        try:
            async with (
                asyncio.timeout(HEALTH_SECONDS),
                self._connection(HEALTH_SECONDS / 2) as connection,
            ):
                cursor = await connection.execute(queries.LAST_PUBLISH)
                return "ok", await cursor.fetchone()
        except psycopg.errors.UndefinedTable:
            return "not migrated", None
        except (psycopg.Error, PoolTimeout, PoolClosed, TimeoutError):
            return ("busy" if self._taken >= self._pool.max_size else "unreachable"), None


async def _is_alive(connection: AsyncConnection[DictRow]) -> bool:
    """Whether the server answers. Only one that has said something while nobody asked is asked: a
    round trip would take half as long again as a small query, and this takes 2 µs."""
    try:
        said = select.poll()
        said.register(connection.fileno(), select.POLLIN)
        if said.poll(0):
            await AsyncConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True


# Not a plain function, for which FastAPI would change the thread at each request.
async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseOfApp = Annotated[Database, Depends(_database)]


async def _batch(
    connection: AsyncConnection[DictRow], query: bytes, parameters: Mapping[str, Any]
) -> list[DictRow]:
    cursor = await connection.execute(query, parameters, prepare=True)
    return await cursor.fetchall()
