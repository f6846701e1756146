"""Worlds: staging files that dlt loaded, and migrated databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.installation.settings import Settings
from pipeline.simulator.faults import MISSING
from pipeline.simulator.server import Simulator
from pipeline.sources import SOURCES
from pipeline.staging import snapshot_path
from pipeline.staging.load import load
from tests.orchestration.world import World
from tests.support.source_postings import remoteok_job

FETCHES = 5


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("staged")
    settings = Settings(_env_file=None, data_dir=folder)
    kept = []
    with Simulator() as server:
        source = SOURCES["remoteok"]
        own = source.settings(_env_file=None, base_url=server.base_url("remoteok"))
        for number in range(FETCHES):
            server.give("remoteok", [
                remoteok_job(id=f"wanted{number}", company=f"Company {number}"),
                remoteok_job(id=f"other{number}", position="Nurse", tags=[]),
                remoteok_job(id=f"untitled{number}", position=MISSING),
            ])  # fmt: skip
            fetch = load(source, own, settings, f"fetch-{number}", respect_cadence=False)
            assert fetch.status == "ok", fetch.reason
            kept.append(folder / f"{number}.duckdb")
            shutil.copy(snapshot_path(settings, "remoteok"), kept[-1])
    return kept


@pytest.fixture
def world(new_database: Callable[[], str], snapshots: list[Path], tmp_path: Path) -> World:
    """A world in which nothing is published."""
    url = SecretStr(new_database())
    return World(Settings(_env_file=None, data_dir=tmp_path, database_url=url), snapshots)
