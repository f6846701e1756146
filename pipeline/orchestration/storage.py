"""Dagster's PostgreSQL storage on one pool of connections.

``dagster-postgres`` opens a connection for each statement (SQLAlchemy's ``NullPool``), some 300 in
a run; only its web server may keep some, and then trusts them to outlive a restart of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.base_storage import DagsterStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres.event_log import PostgresEventLogStorage
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage
from dagster_postgres.utils import set_pg_statement_timeout

KEPT_CONNECTIONS = 2
"""Each process keeps at most so many open; more are opened while needed."""


class PooledPostgresStorage(DagsterStorage[Any], ConfigurableClass):
    """Dagster's runs, events and schedules in PostgreSQL, for ``dagster.yaml``.

    A connection is tried before it is used again, so that one which the server has closed is
    replaced instead of failing the event that is to be written. All are closed with the instance.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        engine = sqlalchemy.create_engine(
            postgres_url,
            isolation_level="AUTOCOMMIT",
            pool_size=KEPT_CONNECTIONS,
            max_overflow=-1,
            pool_pre_ping=True,
            pool_use_lifo=True,
        )
        self._run_storage = _RunStorage(postgres_url)
        self._event_log_storage = _EventLogStorage(postgres_url)
        self._schedule_storage = _ScheduleStorage(postgres_url)
        for storage in (self._run_storage, self._event_log_storage, self._schedule_storage):
            storage._engine = engine  # the way in which their own optimize_for_webserver does it

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        from dagster import StringSource

        return {"postgres_url": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledPostgresStorage:
        return cls(config_value["postgres_url"], inst_data)

    @property
    def run_storage(self) -> PostgresRunStorage:
        return self._run_storage

    @property
    def event_log_storage(self) -> PostgresEventLogStorage:
        return self._event_log_storage

    @property
    def schedule_storage(self) -> PostgresScheduleStorage:
        return self._schedule_storage


class _RunStorage(PostgresRunStorage):
    def optimize_for_webserver(self, *_: int, **__: int) -> None:
        """The pool is kept; the event log limits the statements of all three."""


class _ScheduleStorage(PostgresScheduleStorage):
    def optimize_for_webserver(self, *_: int, **__: int) -> None:
        """As of the runs."""


class _EventLogStorage(PostgresEventLogStorage):
    def optimize_for_webserver(self, statement_timeout: int, *_: int, **__: int) -> None:
        """End the statements of the web server after so many milliseconds."""
        sqlalchemy.event.listen(
            self._engine,
            "connect",
            lambda connection, _: set_pg_statement_timeout(connection, statement_timeout),
        )

    def dispose(self) -> None:
        super().dispose()
        self._engine.dispose()
