"""dlt numbers loads by the clock of the machine, which may jump: no load is lost by it."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import dlt.common.storages.load_package as load_packages
import pytest

from pipeline.staging import load as loading
from pipeline.staging.load import load
from pipeline.staging.read import read, staged_ids
from tests.staging.staged_source import ListSettings, list_source, posting, settings_in

CLOCKS = (1_700_000_000.25, 1_700_000_900.5, 2_100_000_000.75)


@pytest.mark.parametrize("clocks", itertools.permutations(CLOCKS))
@pytest.mark.parametrize("unread", [0, 1])
@pytest.mark.trial("clock", "It jumps back or forth between loads")
def test_a_clock_that_jumps_between_runs_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clocks: tuple[float, ...], unread: int
) -> None:
    settings, found = settings_in(tmp_path), set()
    watermark = None
    for number, clock in enumerate(clocks):
        source = list_source([[posting(number)]])
        monkeypatch.setattr(
            load_packages, "increasing_precise_time", lambda clock=clock: clock + 0.1
        )
        monkeypatch.setattr(loading, "time", SimpleNamespace(time=lambda clock=clock: clock))
        fetch = load(
            source, ListSettings(_env_file=None), settings, f"r{number}", respect_cadence=False
        )
        assert fetch.load_id == str(clock + 0.1)
        if number == unread:
            continue  # its run ends before it reads
        frame, state = read(source, settings, watermark, f"r{number}")
        found.update(frame["source_id"])
        watermark = state["read_up_to"].item()
        assert staged_ids(source, settings, watermark).height == number + 1
    assert found == {"0", "1", "2"}
