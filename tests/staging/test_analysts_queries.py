"""The queries of docs/analysts.md, as typed, on snapshots that loads have written."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.staging.load import load
from tests.staging.staged_source import ListSettings, list_source, settings_in
from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job

PAGE = Path(__file__).parents[2] / "docs" / "analysts.md"


def test_every_query_runs_as_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: dict[str, tuple[str, list[Any]]] = {
        "remoteok": ("id", [remoteok_job(salary_min=90_000), remoteok_job()]),
        "jsearch": ("job_id", [jsearch_job()]),
        "adzuna": ("id", [adzuna_job()]),
    }
    settings, own = settings_in(tmp_path), ListSettings(_env_file=None)
    for name, (key, postings) in jobs.items():
        source = replace(list_source([postings]), name=name, key=key)
        load(source, own, settings, "r1", respect_cadence=False)
    # A second fetch without it: one posting of JSearch is gone.
    gone = replace(list_source([[jsearch_job()]]), name="jsearch", key="job_id")
    load(gone, own, settings, "r2", respect_cadence=False)

    queries = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(queries) > 6
    monkeypatch.chdir(settings.snapshot_dir)
    with duckdb.connect() as connection:
        connection.execute(queries[0])
        for query in queries[1:]:
            assert connection.execute(query).fetchall(), query
