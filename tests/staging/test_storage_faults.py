"""What a folder that cannot be written, and other programs, do to a load: the next one makes up."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pydantic_settings import SettingsConfigDict

from pipeline.extract import quota as ledger
from pipeline.extract.errors import LedgerError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import SourceSettings
from pipeline.staging import StagingError, snapshot_path, staging_path
from pipeline.staging.load import load
from pipeline.staging.read import read
from tests.staging.staged_source import ListSettings, list_source, posting, settings_in

NOBODY = 65534


def fetch(folder: Path, number: int) -> Any:
    settings = ListSettings(_env_file=None)
    source = list_source([[posting(number)]])
    return load(source, settings, settings_in(folder), f"r{number}", respect_cadence=False)


def staged(folder: Path) -> set[str]:
    return set(read(list_source([]), settings_in(folder), None, "r")[0]["source_id"])


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Nobody may write in the folder, not even root, who becomes another user."""
    user = os.geteuid()
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")]}
    for path, mode in modes.items():
        path.chmod((mode | 0o555 if path.is_dir() else mode | 0o444) & ~0o222)
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not below a folder that only one user may enter."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)


@pytest.mark.trial("storage", "The data folder becomes read-only")
def test_a_folder_that_cannot_be_written_loses_nothing(folder: Path) -> None:
    fetch(folder, 1)
    with read_only(folder):
        with pytest.raises(StagingError, match="cannot be written: correct its permissions"):
            fetch(folder, 2)
        assert staged(folder) == {"1"}, "it is still read"
    fetch(folder, 3)
    assert staged(folder) == {"1", "3"}


class QuotaSettings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="JSEARCH_", env_file=None)


def quota(folder: Path) -> Quota:
    return Quota("jsearch", QuotaSettings(base_url="http://127.0.0.1", quota_per_day=5), folder)


@pytest.mark.trial("storage", "The ledger becomes read-only")
def test_a_ledger_that_cannot_be_written_lets_nothing_pass(folder: Path) -> None:
    quota(folder).acquire()
    with read_only(folder), pytest.raises(LedgerError, match="Correct the permissions"):
        quota(folder).acquire()
    quota(folder).acquire()
    assert quota(folder).left() == 3


@pytest.mark.trial("storage", "Another program keeps the ledger locked")
def test_a_locked_ledger_lets_nothing_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_LOCK_SECONDS", 0.2)
    quota(tmp_path).acquire()
    with closing(sqlite3.connect(tmp_path / "quota.sqlite", isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(LedgerError, match=r"quota\.sqlite cannot be used .*locked"):
            quota(tmp_path).acquire()
    assert quota(tmp_path).left() == 4


@pytest.mark.trial("storage", "Another program has the staging file open")
def test_a_staging_file_that_another_program_has_open_loses_nothing(tmp_path: Path) -> None:
    fetch(tmp_path, 1)
    path = staging_path(settings_in(tmp_path), "lister")
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(StagingError, match="Another program has the staging file open"):
        fetch(tmp_path, 2)
    assert staged(tmp_path) == {"1"}, "the snapshot is read"
    other.communicate("\n")
    fetch(tmp_path, 3)
    assert staged(tmp_path) == {"1", "3"}


@pytest.mark.trial("storage", "The staging file is of newer code, with more columns and tables")
def test_a_staging_file_of_newer_code_is_read_and_kept(tmp_path: Path) -> None:
    fetch(tmp_path, 1)
    with duckdb.connect(str(staging_path(settings_in(tmp_path), "lister"))) as newer:
        newer.execute("alter table staging.postings add column of_newer_code varchar default 'x'")
        newer.execute("create table staging.of_newer_code as select 1 as n")
    fetch(tmp_path, 2)
    assert staged(tmp_path) == {"1", "2"}
    path = snapshot_path(settings_in(tmp_path), "lister")
    with duckdb.connect(str(path), read_only=True) as snapshot:
        assert snapshot.execute("select n from staging.of_newer_code").fetchall() == [(1,)]
        known = "select of_newer_code from staging.postings where source_id = '1'"
        assert snapshot.execute(known).fetchall() == [("x",)]


LOADS = """
import sys
from pathlib import Path
from tests.staging.test_storage_faults import fetch
fetch(Path(sys.argv[1]), 1)
"""


@pytest.mark.trial("key", "A library would tell its makers of every load")
def test_no_load_is_told_to_the_makers_of_dlt(tmp_path: Path) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, [here, here.parent, here.parents[1]]))
    with socket.create_server(("127.0.0.1", 0)) as makers:
        makers.settimeout(1)
        endpoint = f"http://127.0.0.1:{makers.getsockname()[1]}"
        own = {"RUNTIME__DLTHUB_TELEMETRY_ENDPOINT": endpoint, "PYTHONPATH": path}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-c", LOADS, str(tmp_path)], env=kept | own, check=False
        )
        assert done.returncode == 0
        with pytest.raises(TimeoutError):
            makers.accept()
