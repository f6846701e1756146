"""The demo asks the simulator, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic_settings import SettingsConfigDict

from pipeline.installation.settings import Settings, SourceSettings
from pipeline.simulator import environment as simulated
from pipeline.simulator.apis import APIS
from pipeline.simulator.market import Market
from pipeline.simulator.server import Simulator
from pipeline.sources import SOURCES
from pipeline.staging.load import load


class FourthSettings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="FOURTH_", env_file=None)
    base_url: str = "https://fourth.example"


def test_what_is_played_is_a_source() -> None:
    assert APIS.keys() <= SOURCES.keys()


def test_a_source_that_is_not_played_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    fourth = replace(SOURCES["remoteok"], name="fourth", settings=FourthSettings)
    monkeypatch.setattr(simulated, "SOURCES", {**SOURCES, "fourth": fourth})
    with Simulator() as simulator:
        environment = simulator.environment
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert not FourthSettings.load().enabled
        for name in APIS:
            settings = SOURCES[name].settings.load()
            assert settings.enabled
            assert settings.base_url == simulator.base_url(name)
    assert [name for name in environment if name.startswith("FOURTH_")] == ["FOURTH_ENABLED"]


def test_each_source_fetches_from_a_market_in_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = Settings(data_dir=tmp_path, _env_file=None)
    with Simulator(Market(size=400)) as simulator:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        for source in SOURCES.values():
            for run in ("first", "second"):
                fetch = load(source, source.settings.load(), shared, run, respect_cadence=True)
                assert fetch.status == "ok", fetch.reason
                assert fetch.rows > 0
            assert not [drift for drift in fetch.drift if drift.concerns_all]
