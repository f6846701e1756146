"""A source that answers otherwise than its file declares fails a check by name, at once."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pytest
from dagster_dlt import DagsterDltResource

from pipeline.orchestration.raw import api_spec, raw_assets
from pipeline.simulator.server import Simulator
from pipeline.sources import SOURCES
from tests.orchestration.world import World
from tests.support.source_postings import jsearch_job


def checks(server: Simulator, world: World, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for name, value in {
        "JSEARCH_BASE_URL": server.base_url("jsearch"),
        "JSEARCH_QUERIES": "sre",
        "JSEARCH_MAX_ATTEMPTS": "1",
        "RAPIDAPI_KEY": "s3cret",
    }.items():
        monkeypatch.setenv(name, value)
    source = SOURCES["jsearch"]
    run = dg.materialize(
        [raw_assets(source), api_spec(source)],
        resources={
            "settings": world.settings,
            "dlt": DagsterDltResource(),
        },
    )
    assert run.success
    return {check.check_name: check for check in run.get_asset_check_evaluations()}


@pytest.mark.trial("sources", "Its answers drift from what is declared")
def test_another_envelope_fails_in_each_run_and_one_odd_posting_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator() as server:
        server.give("jsearch", {"status": "OK", "data": [jsearch_job(job_id="1")]})
        for _ in range(2):
            told = checks(server, world, monkeypatch)
            assert told["source_answered"].passed
            assert not told["as_declared"].passed
            assert told["as_declared"].severity == dg.AssetCheckSeverity.ERROR
            assert "(answer).data: list instead of object" in told["as_declared"].description
        server.give("jsearch", [jsearch_job(job_id="2", job_is_remote="perhaps"),
                                  jsearch_job(job_id="3")])  # fmt: skip
        told = checks(server, world, monkeypatch)
        assert not told["as_declared"].passed
        assert told["as_declared"].severity == dg.AssetCheckSeverity.WARN
        assert "job_is_remote: text instead of true or false" in told["as_declared"].description
        assert checks(server, world, monkeypatch)["as_declared"].passed


@pytest.mark.trial("sources", "Its path is gone")
def test_a_path_that_is_gone_fails_by_name_on_the_first_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Simulator() as server:
        body = {"message": "Endpoint '/search-v2' does not exist"}
        server.give("jsearch", body, status=404)
        told = checks(server, world, monkeypatch)
    assert not told["source_answered"].passed
    assert "has nothing at /search-v2 (HTTP 404" in str(told["source_answered"])
