"""A real PostgreSQL, the real API behind a real server, and a client."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest

from pipeline.installation.settings import Settings
from tests.serving.api_server import serving
from tests.serving.dagster_server import DagsterServer
from tests.serving.published_rows import Connection, Start
from tests.support.databases import delete_all_rows


@pytest.fixture(scope="session")
def migrated_url(new_database: Callable[[], str]) -> str:
    return new_database()


@pytest.fixture
def database_url(migrated_url: str) -> str:
    """A migrated database with empty tables."""
    with psycopg.connect(migrated_url) as connection:
        delete_all_rows(connection)
    return migrated_url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    """Start an API with these settings, by default on the database. Returns its client."""
    with ExitStack() as stack:

        def start(**values: Any) -> httpx.Client:
            settings = Settings(
                _env_file=None,
                **{"database_url": database_url, "environment": "test", "api_rate_limit": "none"}
                | values,
            )
            url = stack.enter_context(serving(settings))
            return stack.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))

        yield start


@pytest.fixture
def api(start: Start) -> httpx.Client:
    return start()


@pytest.fixture
def dagster() -> Iterator[DagsterServer]:
    with DagsterServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()
