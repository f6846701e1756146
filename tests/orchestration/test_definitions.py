"""The graph that Dagster shows, pinned: names, dependencies and checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeline.installation.settings import Settings
from pipeline.orchestration.definitions import INGEST, definitions, defs
from pipeline.sources import SOURCES
from pipeline.transform.schema import Job

READ = {"run_plan", "postings", "rejected_postings", "complete_fetches"}
DEPENDENCIES = {
    **{f"api/{name}": set() for name in SOURCES},
    **{f"raw_{name}": {f"api/{name}"} for name in SOURCES},
    **{f"snapshot_{name}": {f"raw_{name}"} for name in SOURCES},
    **{name: {f"snapshot_{source}" for source in SOURCES} for name in READ},
    "relevant_postings": {"postings"},
    "jobs": {*READ, "relevant_postings"},
    "job_postings": {*READ, "relevant_postings"},
    "published_jobs": {*READ, "jobs", "job_postings"},
    "search_index": {"published_jobs"},
}
CHECKS = {
    **{f"raw_{name}": {"source_answered", "not_suddenly_few", "as_declared"} for name in SOURCES},
    "postings": {"few_rejected"},
    "jobs": {"ids_are_unique"},
    "job_postings": {"every_posting_has_one_job"},
    "published_jobs": {"nothing_refused", "nothing_lost", "total_is_exact"},
}


@pytest.fixture(scope="module")
def graph() -> Any:
    return definitions(Settings(_env_file=None)).resolve_asset_graph()


def test_the_assets_and_what_each_is_made_of(graph: Any) -> None:
    found = {
        key.to_user_string(): {parent.to_user_string() for parent in graph.get(key).parent_keys}
        for key in graph.get_all_asset_keys()
    }
    assert found == DEPENDENCIES


def test_the_checks_and_which_of_them_block(graph: Any) -> None:
    found: dict[str, set[str]] = {}
    for key in graph.asset_check_keys:
        found.setdefault(key.asset_key.to_user_string(), set()).add(key.name)
    assert found == CHECKS
    blocking = {key.name for key in graph.asset_check_keys if graph.get(key).blocking}
    assert blocking == {"ids_are_unique", "every_posting_has_one_job"}


def test_each_asset_says_what_it_is(graph: Any) -> None:
    versions = set()
    for name in set(DEPENDENCIES) - {f"api/{name}" for name in SOURCES}:
        node = graph.get(dg.AssetKey(name.split("/")))
        assert node.description, name
        assert node.group_name != "default", name
        assert node.owners == ["team:job-market"], name
        if name == "search_index":
            assert node.code_version not in (None, *versions)
        elif not name.startswith(("raw_", "snapshot_")):
            versions.add(node.code_version)
            assert node.metadata["dagster/column_schema"].columns, name
    assert len(versions) == 1
    assert None not in versions
    published = graph.get(dg.AssetKey("published_jobs")).metadata
    assert published["dagster/table_name"] == "public.jobs"
    columns = {column.name for column in published["dagster/column_schema"].columns}
    assert columns == set(Job.column_names())
    raw = graph.get(dg.AssetKey("raw_remoteok")).metadata
    assert raw["dagster/table_name"] == "remoteok.staging.postings"


def test_a_scheduled_run_asks_each_source_at_its_own_interval(tmp_path: Path) -> None:
    found = definitions(Settings(_env_file=None))
    schedule = found.resolve_schedule_def("ingest_schedule")
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        (request,) = schedule.evaluate_tick(
            dg.build_schedule_context(instance, repository_def=found.get_repository_def())
        ).run_requests
    ops = {f"raw_{name}": {"config": {"respect_cadence": True}} for name in SOURCES}
    assert request.run_config["ops"] == ops
    assert dg.validate_run_config(found.resolve_job_def(INGEST), request.run_config)


LOADED = """
import logging, os, sys
import dlt
before = sorted(os.listdir("."))
handlers = list(logging.getLogger().handlers)
from pipeline.orchestration.definitions import defs
defs()
assert logging.getLogger().handlers == handlers
assert sorted(os.listdir(".")) == before, os.listdir(".")
"""


def test_the_definitions_load_without_a_trace(tmp_path: Path) -> None:
    """No file, no log, no connection: the environment names no database."""
    subprocess.run([sys.executable, "-c", LOADED], cwd=tmp_path, check=True)
    assert isinstance(defs(), dg.Definitions)
