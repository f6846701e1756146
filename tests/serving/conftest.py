"""A real PostgreSQL, the real API behind a real server, and a client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from pipeline.installation.settings import Settings
from serving.app import create_app
from serving.clients.revisions import version_of
from tests.serving.api_server import serving
from tests.serving.dagster_server import DagsterServer
from tests.serving.published_rows import Connection, Start, add_publish
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


def _version(app: FastAPI) -> int:
    revision = app.state.search.revision
    return 0 if revision is None else version_of(revision)


def published(database_url: str, app: FastAPI) -> Callable[[httpx.Request], None]:
    """A hook before each request: what tests have written since is published, and the API has
    heard of the last publish."""

    def publish(_: httpx.Request) -> None:
        try:
            connection = psycopg.connect(database_url, autocommit=True, connect_timeout=1)
        except psycopg.Error:
            return
        with connection:
            try:
                (waiting,) = connection.execute(
                    "select exists (select from jobs where changed_version > ("
                    " select coalesce(max(version), 0) from publishes))"
                ).fetchone() or (False,)
                if waiting:
                    add_publish(connection, "run-of-test")
                (latest,) = connection.execute("select published_edition()").fetchone() or (None,)
            except psycopg.Error:
                return
        deadline = time.monotonic() + 60
        while latest is not None and _version(app) < version_of(latest):
            assert time.monotonic() < deadline, "the API does not follow the publishes"
            time.sleep(0.005)

    return publish


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start an API with these settings, by default on the database. Returns its client."""
    with ExitStack() as stack:

        def start(*, publishes: bool = True, **values: Any) -> httpx.Client:
            settings = Settings(
                _env_file=None,
                **{
                    "database_url": database_url,
                    "environment": "test",
                    "api_rate_limit": "none",
                    "data_dir": tmp_path / "data",
                }
                | values,
            )
            app = create_app(settings)
            url = stack.enter_context(serving(settings, app))
            hooks: list[Any] = []
            if publishes and settings.database_url is not None:
                hooks = [published(settings.database_url.get_secret_value(), app)]
            return stack.enter_context(
                httpx.Client(
                    base_url=url, timeout=30, trust_env=False, event_hooks={"request": hooks}
                )
            )

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
