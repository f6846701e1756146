"""Installations on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.ingest_once import ingest_once
from pipeline.installation.settings import Settings
from pipeline.orchestration.environment import dagster_environment
from pipeline.simulator.server import Simulator
from tests.end_to_end.installation import Installation


@pytest.fixture
def installation(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Installation]:
    with Simulator() as server:
        yield Installation(tmp_path, new_database(), server)


@pytest.fixture
def ingested(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dict[str, Any]]:
    """Runs one ingestion in this process, as the command line does."""
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(installation.folder)
    settings = Settings.load()
    for name, value in dagster_environment(settings).items():
        monkeypatch.setenv(name, value)
    return lambda: ingest_once(settings, None, lambda line: None)
