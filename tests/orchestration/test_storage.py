"""Dagster's storage keeps its connections, and outlives a restart of PostgreSQL."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg
import pytest

from pipeline.orchestration.environment import dagster_environment
from tests.orchestration.world import World


@pytest.fixture
def instance(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name, value in dagster_environment(world.settings).items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.get() as found:
        yield found


@contextmanager
def administration(world: World) -> Iterator[psycopg.Connection[Any]]:
    assert world.settings.database_url is not None
    url = world.settings.database_url.get_secret_value()
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def opened(world: World) -> int:
    """How many connections the database was ever asked for; those of this function included."""
    time.sleep(1.1)  # a process reports what it did at most once a second
    with administration(world) as connection:
        row = connection.execute(
            "select sessions from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


@dg.op
def note(context: dg.OpExecutionContext) -> None:
    for number in range(50):
        context.log_event(dg.AssetObservation("noted", metadata={"number": number}))


@dg.job(executor_def=dg.in_process_executor)
def noting() -> None:
    note()


def test_the_connections_do_not_follow_the_events(
    world: World, instance: dg.DagsterInstance
) -> None:
    before = opened(world)
    assert noting.execute_in_process(instance=instance).success
    asked = opened(world) - before
    assert instance.fetch_observations(dg.AssetKey("noted"), limit=100).records
    assert asked < 10


def test_a_connection_that_the_server_closed_is_replaced(
    world: World, instance: dg.DagsterInstance
) -> None:
    assert noting.execute_in_process(instance=instance).success
    with administration(world) as connection:
        closed = connection.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        ).fetchone()
    assert closed is not None
    assert closed[0] >= 1
    assert noting.execute_in_process(instance=instance).success


def test_a_closed_instance_leaves_no_connection(world: World, instance: dg.DagsterInstance) -> None:
    assert noting.execute_in_process(instance=instance).success
    instance.dispose()
    with administration(world) as connection:
        left = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend'"
        ).fetchone()
    assert left == (0,)


def test_the_statements_of_the_web_server_end_in_time(
    world: World, instance: dg.DagsterInstance
) -> None:
    instance.optimize_for_webserver(statement_timeout=4_321, pool_recycle=0, max_overflow=0)
    with instance.event_log_storage.index_connection() as connection:
        assert connection.exec_driver_sql("show statement_timeout").scalar() == "4321ms"
