"""Loads into real DuckDB files, through dlt, and reads the snapshots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from filelock import FileLock

from pipeline.extract.errors import FetchError
from pipeline.sources import WHOLE_NUMBER, RawField
from pipeline.staging import StagingError, dlt_pipeline, snapshot_path, staging_path
from pipeline.staging.coerce import Coercer
from pipeline.staging.fetch_log import Fetch
from pipeline.staging.load import load
from pipeline.staging.read import batches, read
from tests.staging.staged_source import ListSettings, list_source, posting, settings_in


def fetch(folder: Path, pages: Any, run_id: str = "r1", **options: Any) -> Fetch:
    keys = {"interval_minutes", "enabled", "key", "quota_per_day"}
    own = {name: options.pop(name) for name in keys & set(options)}
    source_settings = ListSettings(_env_file=None, **own)
    options = {"respect_cadence": False} | options
    return load(list_source(pages), source_settings, settings_in(folder), run_id, **options)


def rows(folder: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(snapshot_path(settings_in(folder), "lister")), read_only=True) as con:
        return con.execute(sql).fetchall()


def unfinished_extracts(folder: Path) -> list[str]:
    """What an extract that did not end has left in dlt's working folder."""
    found = (folder / "dlt").glob("*/normalize/[!.]*")
    return [entry.name for entry in found if entry.name != "extracted"]


def test_first_seen_survives_and_the_rest_moves(tmp_path: Path) -> None:
    first = fetch(tmp_path, [[posting(1), posting(2)]])
    second = fetch(tmp_path, [[posting(2, title="New"), posting(3)]], "r2")
    assert (first.status, first.rows, first.new_rows) == ("ok", 2, 2)
    assert (second.rows, second.new_rows) == (2, 1)
    assert first.load_id is not None
    assert second.load_id is not None
    found = rows(tmp_path, "select source_id, title, run_id, first_seen_at < last_seen_at,"
                 " _dlt_load_id from staging.postings order by 1")  # fmt: skip
    assert found == [
        ("1", "Engineer 1", "r1", False, first.load_id),
        ("2", "New", "r2", True, second.load_id),
        ("3", "Engineer 3", "r2", False, second.load_id),
    ]


def test_the_last_posting_with_a_key_wins(tmp_path: Path) -> None:
    assert fetch(tmp_path, [[posting(1, title="a")], [posting("1", title="b")]]).rows == 1
    assert rows(tmp_path, "select title from staging.postings") == [("b",)]


def test_wild_postings_are_all_kept(tmp_path: Path) -> None:
    wild = [None, 7, "text", [1], {}, posting(None), posting("  "), posting([1]), posting(True),
            posting(5, title="a\0b \ud800", salaryMin="120,000", views=10**30, remote="no",
                    tags="x", extra={"n": float("nan"), "big": 10**30})]  # fmt: skip
    got = fetch(tmp_path, [wild])
    assert (got.status, got.rows) == ("ok", len(wild))
    assert rows(tmp_path, "select title, \"salaryMin\", views, remote, tags,"
                " raw->>'$.extra.n' from staging.postings where source_id = '5'") == [
        ("a\0b \ufffd", 120_000.0, None, False, '"x"', None)
    ]  # fmt: skip
    valid = "select count(*) from staging.postings where json_valid(raw)"
    assert rows(tmp_path, f"{valid} and not contains(raw, chr(0))") == [(len(wild),)]
    what = {(drift.field, drift.what) for drift in got.drift}
    assert ("extra", "unknown field") in what
    assert ("salaryMin", "text instead of number") in what
    again = fetch(tmp_path, [[posting(5, extra=1)]], "r2")
    assert [drift.is_new for drift in again.drift if drift.field == "extra"] == [False]


def test_a_required_column_missing_everywhere_concerns_all(tmp_path: Path) -> None:
    got = fetch(tmp_path, [[{"id": 1, "date": None}, {"id": 2, "views": 3, "known": 1}]])
    assert {(d.field, d.what, d.concerns_all) for d in got.drift} == {
        ("title", "missing or null in every posting", True),
        ("date", "missing or null in every posting", True),
    }
    got = fetch(tmp_path, [[posting(1), posting(2, title=None, views="many", new=1)]])
    assert {(d.field, d.concerns_all) for d in got.drift} == {("views", False), ("new", False)}


@pytest.mark.trial("sources", "It fails between two pages")
def test_pages_before_an_error_are_loaded(tmp_path: Path) -> None:
    def pages() -> Iterator[Any]:
        yield [posting(1)]
        raise FetchError("Lister answers 503: wait.")

    got = fetch(tmp_path, pages)
    assert (got.status, got.reason, got.rows) == ("partial", "Lister answers 503: wait.", 1)


@pytest.mark.trial("key", "The error of a source holds a key")
def test_a_failed_source_leaves_its_postings_and_tells_no_secret(tmp_path: Path) -> None:
    def pages() -> Iterator[Any]:
        raise ValueError("https://x/?app_key=SECRET")
        yield

    fetch(tmp_path, [[posting(1)]])
    got = fetch(tmp_path, pages, "r2")
    assert got.status == "failed"
    assert "ValueError" in str(got.reason)
    assert "SECRET" not in str(got.reason)
    assert rows(tmp_path, "select run_id from staging.postings") == [("r1",)]
    assert rows(tmp_path, "select status from staging.fetches order by started_at") == [
        ("ok",), ("failed",)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"key": ""}, "needs LIST_KEY"),
        ({"quota_per_day": 0}, "quota"),
        ({"respect_cadence": True, "interval_minutes": 60}, "not due"),
    ],
)
def test_skips(tmp_path: Path, options: dict[str, Any], reason: str) -> None:
    fetch(tmp_path, [[posting(1)]])
    got = fetch(tmp_path, [[posting(2)]], "r2", **options)
    assert got.status == "skipped"
    assert reason in str(got.reason)
    assert rows(tmp_path, "select source_id from staging.postings") == [("1",)]
    source, settings = list_source([]), settings_in(tmp_path)
    state = read(source, settings, None, "r2")[1].row(0, named=True)
    assert (state["last_fetch_status"], state["staged"], state["fetched"]) == ("skipped", 1, 0)


@pytest.mark.trial("storage", "A load package of an earlier run is left")
def test_an_injected_load_failure_loses_neither_package_nor_fresh_data(tmp_path: Path) -> None:
    def extract_only(pipeline: Any, source: Any) -> None:
        pipeline.extract(source)
        raise RuntimeError("killed")

    with pytest.raises(StagingError, match="kept"):
        fetch(tmp_path, [[posting(1)]], run=extract_only)
    got = fetch(tmp_path, [[posting(2)]], "r2")
    assert "finished" in str(got.pending)
    assert rows(tmp_path, "select source_id, run_id from staging.postings order by 1") == [
        ("1", "r1"), ("2", "r2")
    ]  # fmt: skip


@pytest.mark.trial("storage", "A load fails and leaves nothing to finish")
def test_a_load_that_kept_nothing_is_tried_again_before_its_turn(tmp_path: Path) -> None:
    def fail(pipeline: Any, source: Any) -> None:
        raise RuntimeError("failed")

    with pytest.raises(StagingError, match="asks the source again"):
        fetch(tmp_path, [[posting(1)]], run=fail)
    again: dict[str, Any] = {"respect_cadence": True, "interval_minutes": 60}
    assert fetch(tmp_path, [[posting(1)]], **again).status == "ok"
    assert fetch(tmp_path, [[posting(1)]], "r2", **again).status == "skipped"
    found = rows(tmp_path, "select status, reason from staging.fetches order by started_at limit 1")
    assert found[0][0] == "failed"
    assert "could not be loaded" in found[0][1]


@pytest.mark.trial("storage", "A load package of an earlier run is damaged")
def test_a_pending_package_that_cannot_be_read_is_dropped_and_reported(tmp_path: Path) -> None:
    def spoil(pipeline: Any, source: Any) -> None:
        pipeline.extract(source)
        pipeline.normalize()
        for job in Path(pipeline.working_dir).glob("load/normalized/*/new_jobs/postings*"):
            job.write_bytes(b"spoiled")
        raise RuntimeError("killed")

    with pytest.raises(StagingError):
        fetch(tmp_path, [[posting(1)]], run=spoil)
    got = fetch(tmp_path, [[posting(2)]], "r2")
    assert "dropped" in str(got.pending)
    assert rows(tmp_path, "select source_id from staging.postings") == [("2",)]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.staging.staged_source import list_source, posting
from tests.staging.test_staging_load import fetch
step = sys.argv[2]
def run(pipeline, source):
    if step == "extract":
        import pyarrow.parquet as pq
        pq.ParquetWriter.close = lambda self: os.kill(os.getpid(), signal.SIGKILL)
    else:
        pipeline.extract(source)
        if step == "load":
            pipeline.normalize()
            import dlt.destinations.impl.duckdb.duck as duck
            duck.DuckDbClient.complete_load = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
    pipeline.run(source) if step == "extract" else pipeline.load() if step == "load" else None
    os.kill(os.getpid(), signal.SIGKILL)
fetch(Path(sys.argv[1]), [[posting(1)]], run=run)
"""


@pytest.mark.parametrize("step", ["extract", "normalize", "load"])
@pytest.mark.trial("runs", "kill -9 during the load of a source")
def test_killed_at_each_step(tmp_path: Path, step: str) -> None:
    fetch(tmp_path, [[posting(0)]], "r0")
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), step], env=environment, check=False
    )
    assert done.returncode == -signal.SIGKILL
    got = fetch(tmp_path, [[posting(2)]], "r2", respect_cadence=True, interval_minutes=0)
    assert got.status == "ok"
    assert unfinished_extracts(tmp_path) == []
    expected = {("0",), ("2",)} | (set() if step == "extract" else {("1",)})
    assert set(rows(tmp_path, "select source_id from staging.postings")) == expected
    assert rows(tmp_path, "select count(*) from staging.fetches where finished_at is null") == [
        (1,)
    ]


def test_a_reader_keeps_its_snapshot_and_no_load_waits_for_it(tmp_path: Path) -> None:
    fetch(tmp_path, [[posting(1)]])
    path = snapshot_path(settings_in(tmp_path), "lister")
    stale = path.with_name(f".{path.name}.999")
    stale.write_bytes(b"half")
    with duckdb.connect(str(path), read_only=True) as reader:
        fetch(tmp_path, [[posting(2)]], "r2")
        assert reader.execute("select count(*) from staging.postings").fetchall() == [(1,)]
        source, settings = list_source([]), settings_in(tmp_path)
        assert read(source, settings, None, "r2")[0].height == 2
    assert [file.name for file in path.parent.glob("[!.]*")] == [path.name]
    assert not stale.exists()


def test_read_is_incremental_and_survives_a_file_begun_anew(tmp_path: Path) -> None:
    source, settings = list_source([]), settings_in(tmp_path)
    empty, state = read(source, settings, None, "r1")
    assert (empty.height, state["staged"][0], state["read_up_to"][0]) == (0, 0, None)
    one = fetch(tmp_path, [[posting(1)]])
    fetch(tmp_path, [[posting(2), posting(3)]], "r2")
    frame, state = read(source, settings, one.load_id, "r2")
    assert sorted(frame["source_id"]) == ["2", "3"]
    assert frame["tags"].to_list() == [["python"]] * 2
    assert state.select("staged", "fetched").row(0) == (3, 2)
    assert read(source, settings, state["read_up_to"][0], "r3")[0].height == 0
    assert read(source, settings, "9999999999.0", "r3")[0].height == 3
    frames = batches(source, settings, None, "r3", rows=2).postings
    assert sum(frame.height for frame in frames) == 3


@pytest.mark.trial("storage", "The staging file is deleted")
def test_a_deleted_staging_file_begins_anew(tmp_path: Path) -> None:
    fetch(tmp_path, [[posting(1)]])
    staging_path(settings_in(tmp_path), "lister").unlink()
    assert fetch(tmp_path, [[posting(2)]], "r2").new_rows == 1
    assert rows(tmp_path, "select source_id from staging.postings") == [("2",)]


@pytest.mark.trial("storage", "The staging file is damaged")
def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    path = staging_path(settings_in(tmp_path), "lister")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"not a database" * 1000)
    with pytest.raises(StagingError, match="move it away"):
        fetch(tmp_path, [[posting(1)]])


@pytest.mark.trial("storage", "Another process holds the staging file")
def test_a_second_process_waits_and_says_so(tmp_path: Path) -> None:
    path = staging_path(settings_in(tmp_path), "lister")
    path.parent.mkdir(parents=True)
    with (
        FileLock(path.with_name(f".{path.name}.lock")),
        pytest.raises(StagingError, match="another"),
    ):
        fetch(tmp_path, [[posting(1)]], lock_seconds=0.1)


def test_dlt_keeps_few_packages_and_loads_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dlt_pipeline, "KEPT_PACKAGES", 3)
    kept = []
    for number in range(5):
        fetch(tmp_path, [[posting(0, views=number), posting(number)]], f"r{number}")
        kept.append(len(list((tmp_path / "dlt").glob("*/load/loaded/*"))))
    assert kept == [1, 2, 3, 1, 2]
    assert rows(tmp_path, "select count(*), max(views) from staging.postings") == [(5, 4)]


def test_a_column_that_a_later_version_declares_is_added(tmp_path: Path) -> None:
    fetch(tmp_path, [[posting(1)]])
    source = list_source([[posting(2, seats=7)]])
    later = replace(source, fields={**source.fields, "seats": WHOLE_NUMBER})
    own = ListSettings(_env_file=None)
    got = load(later, own, settings_in(tmp_path), "r2", respect_cadence=False)
    assert got.status == "ok"
    assert rows(tmp_path, "select source_id, seats from staging.postings order by 1") == [
        ("1", None), ("2", 7)
    ]  # fmt: skip


def test_a_type_without_a_column_is_refused_by_name() -> None:
    source = list_source([])
    with pytest.raises(ValueError, match="no column type for Int32"):
        Coercer(replace(source, fields={**source.fields, "seats": RawField(pl.Int32())}))


def test_what_is_not_declared_is_no_column(tmp_path: Path) -> None:
    def smuggle(pipeline: Any, source: Any) -> None:
        source.resources["lister"].add_map(
            lambda table: table.append_column("smuggled", table["title"])
        )
        pipeline.run(source)

    fetch(tmp_path, [[posting(1)]])
    with pytest.raises(StagingError, match="DataValidationError"):
        fetch(tmp_path, [[posting(2)]], "r2", run=smuggle)
    assert unfinished_extracts(tmp_path) == []
    assert fetch(tmp_path, [[posting(3)]], "r3").status == "ok"
    assert rows(tmp_path, "select source_id from staging.postings order by 1") == [("1",), ("3",)]
