"""Migrating a real database: once, in order, by one process, and never backwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from pipeline.installation.settings import ConfigurationError
from pipeline.publish.migrate import Migration, known_migrations, migrate
from tests.publish.postings import Connection

FIRST = Migration(1, "0001_first", b"create table first (a int); select pg_sleep(0.2);")
SECOND = Migration(2, "0002_second", b"create table second (a int)")


@pytest.fixture
def fresh_url(postgres: Any) -> str:
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute("drop database if exists fresh with (force)")
        connection.execute("create database fresh")
    return str(postgres.get_uri("fresh"))


@pytest.fixture
def fresh(fresh_url: str) -> Iterator[Connection]:
    with psycopg.connect(fresh_url, autocommit=True) as connection:
        yield connection


def test_migrations_are_applied_once_and_in_order(fresh: Connection) -> None:
    assert migrate(fresh, [FIRST]) == ["0001_first"]
    assert migrate(fresh, [FIRST, SECOND]) == ["0002_second"]
    assert migrate(fresh, [FIRST, SECOND]) == []


def test_dagster_finds_its_schema(fresh: Connection) -> None:
    assert migrate(fresh) == [migration.name for migration in known_migrations()]
    assert fresh.execute("select to_regnamespace('dagster') is not null").fetchone() == (True,)


@pytest.mark.trial("PostgreSQL", "A migration fails halfway")
def test_a_failing_migration_leaves_nothing_and_can_be_repeated(fresh: Connection) -> None:
    broken = Migration(2, "0002_second", b"create table second (a int); select 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(fresh, [FIRST, broken])
    assert migrate(fresh, [FIRST, SECOND]) == ["0002_second"]


@pytest.mark.trial("PostgreSQL", "Its schema is newer than the code")
def test_a_changed_migration_and_a_newer_database_are_refused(fresh: Connection) -> None:
    migrate(fresh, [FIRST, SECOND])
    changed = Migration(2, "0002_second", b"create table other (a int)")
    with pytest.raises(ConfigurationError, match="0002_second was changed"):
        migrate(fresh, [FIRST, changed])
    with pytest.raises(ConfigurationError, match="newer than this code.*0002_second"):  # noqa: RUF043
        migrate(fresh, [FIRST])
    windows = Migration(1, "0001_first", FIRST.statements.replace(b"\n", b"\r\n"))
    assert migrate(fresh, [windows, SECOND]) == []


@pytest.mark.trial("PostgreSQL", "Several processes migrate it at once")
def test_of_several_starters_one_migrates_and_the_others_wait(fresh_url: str) -> None:
    applied: list[str] = []

    def start() -> None:
        with psycopg.connect(fresh_url, autocommit=True) as connection:
            applied.extend(migrate(connection, [FIRST, SECOND]))

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == ["0001_first", "0002_second"]


@pytest.mark.trial("PostgreSQL", "The user has no rights")
def test_a_user_without_rights_is_told_what_to_do(fresh_url: str, fresh: Connection) -> None:
    fresh.execute("drop role if exists guest")
    fresh.execute("create role guest login")
    guest = fresh_url.replace("//postgres:", "//guest:")
    with (
        psycopg.connect(guest, autocommit=True) as connection,
        pytest.raises(ConfigurationError, match="may not create the tables"),
    ):
        migrate(connection)


@pytest.mark.trial("PostgreSQL", "A view of somebody else stands in the way of a migration")
def test_a_view_in_the_way_of_a_migration_is_named(fresh: Connection) -> None:
    migrate(fresh, [FIRST])
    fresh.execute("create view of_an_analyst as select a from first")
    drops = Migration(2, "0002_drops", b"alter table first drop column a")
    with pytest.raises(ConfigurationError, match=r"view of_an_analyst.*Drop it"):
        migrate(fresh, [FIRST, drops])
    fresh.execute("drop view of_an_analyst")
    assert migrate(fresh, [FIRST, drops]) == ["0002_drops"]


@pytest.mark.trial("PostgreSQL", "The server is too old")
def test_a_server_that_is_too_old_is_refused_before_anything_is_created(
    fresh: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", 140_011)
    with pytest.raises(ConfigurationError, match=r"15 or newer is needed, this is .* 14"):
        migrate(fresh, [FIRST])
    assert fresh.execute("select to_regclass('schema_migrations')").fetchone() == (None,)
