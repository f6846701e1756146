"""A snapshot is what the staging file is, whoever reads it and however it came about."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.staging import snapshot as snapshots
from pipeline.staging.snapshot import publish_snapshot

JOBS = "select count(*), sum(hash(job)) from postings"


@pytest.fixture
def staging(tmp_path: Path) -> Path:
    path = tmp_path / "staging" / "source.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table postings (id bigint, job varchar)")
        connection.execute(
            "insert into postings select i, md5(i::varchar) || repeat(hash(i)::varchar, 100)"
            " from range(10000) as t (i)"
        )
    return path


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "snapshots" / "source.duckdb"


def change(staging: Path, seed: int) -> None:
    chance = random.Random(seed)
    with duckdb.connect(str(staging)) as connection:
        for statement in chance.choices(
            [
                "update postings set job = md5(job) || repeat(id::varchar, 300) where id % 97 = 3",
                "delete from postings where id % 11 = 5",
                "insert into postings select id + 100000, job || 'x' from postings limit 3000",
                "create or replace table other as select * from postings",
                "drop table if exists other",
            ],
            k=3,
        ):
            connection.execute(statement)


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of each piece that is copied."""
    pieces: list[int] = []
    real: Callable[[int, int, int, int], None] = snapshots._copy_range

    def counted(source: int, target: int, start: int, count: int) -> None:
        pieces.append(count)
        real(source, target, start, count)

    monkeypatch.setattr(snapshots, "_copy_range", counted)
    return pieces


def test_it_is_the_staging_file_byte_for_byte(staging: Path, snapshot: Path) -> None:
    for seed in range(12):
        publish_snapshot(staging, snapshot)
        assert snapshot.read_bytes() == staging.read_bytes()
        change(staging, seed)


def test_only_what_changed_is_copied(staging: Path, snapshot: Path, copied: list[int]) -> None:
    with duckdb.connect(str(staging)) as connection:
        connection.execute("create table old as select uuid() as id from range(1000000)")
    for number in range(3):
        copied.clear()
        with duckdb.connect(str(staging)) as connection:
            connection.execute("insert into postings values (?, 'new')", [number])
        publish_snapshot(staging, snapshot)
    assert snapshot.read_bytes() == staging.read_bytes()
    assert staging.stat().st_size > 10_000_000
    assert sum(copied) < 5_000_000


def test_readers_of_older_copies_go_on_reading_them(staging: Path, snapshot: Path) -> None:
    readers, expected = [], []
    for seed in range(6):
        publish_snapshot(staging, snapshot)
        readers.append(snapshot.open("rb"))
        expected.append(staging.read_bytes())
        change(staging, seed)
    for reader, content in zip(readers, expected, strict=True):
        with reader:
            assert reader.read() == content


@pytest.mark.trial("storage", "Snapshots are swapped in while an analyst reads")
def test_a_query_reads_one_copy_while_others_are_published(staging: Path, snapshot: Path) -> None:
    publish_snapshot(staging, snapshot)
    with duckdb.connect(str(snapshot), read_only=True) as reading:
        before = reading.execute(JOBS).fetchone()
        for seed in range(5):
            change(staging, seed)
            publish_snapshot(staging, snapshot)
            assert reading.execute(JOBS).fetchone() == before
    with duckdb.connect(str(snapshot), read_only=True) as reading:
        after = reading.execute(JOBS).fetchone()
    with duckdb.connect(str(staging), read_only=True) as source:
        assert after == source.execute(JOBS).fetchone() != before


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("published", [1, 3])
@pytest.mark.trial("storage", "The disk is full when a snapshot is written")
def test_a_full_disk_leaves_a_whole_copy(
    staging: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch, published: int
) -> None:
    for seed in range(published):
        publish_snapshot(staging, snapshot)
        change(staging, seed)
    before = snapshot.read_bytes()
    with monkeypatch.context() as full:
        full.setattr(snapshots, "_copy_range", _no_space)
        full.setattr(snapshots.shutil, "copyfileobj", _no_space)
        with pytest.raises(OSError, match="No space left"):
            publish_snapshot(staging, snapshot)
    assert snapshot.read_bytes() == before
    publish_snapshot(staging, snapshot)
    assert snapshot.read_bytes() == staging.read_bytes()
    assert len(list(snapshot.parent.iterdir())) <= 2


@pytest.mark.trial("storage", "kill -9 while a snapshot is swapped in")
def test_a_crash_between_keeping_and_swapping_is_survived(
    staging: Path, snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_snapshot(staging, snapshot)
    change(staging, 0)
    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "replace", _no_space)
        with pytest.raises(OSError, match="No space left"):
            publish_snapshot(staging, snapshot)
    with snapshot.open("rb") as reader:
        before = snapshot.read_bytes()
        for seed in range(1, 4):
            publish_snapshot(staging, snapshot)
            change(staging, seed)
        assert reader.read() == before


@pytest.mark.trial("storage", "The machine crashed after a snapshot was written")
def test_a_machine_that_was_started_anew_copies_the_whole_file(
    staging: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(2):
        publish_snapshot(staging, snapshot)
        change(staging, seed)
    (kept,) = (path for path in snapshot.parent.iterdir() if path != snapshot)
    kept.chmod(0o644)
    # Torn by a power cut: the checksum of the block is there, the rest of it is not.
    os.truncate(kept, snapshots.HEADERS_BYTES + 4096)
    (tmp_path / "boot").write_text("another")
    monkeypatch.setattr(snapshots, "_BOOT", tmp_path / "boot")
    publish_snapshot(staging, snapshot)
    assert snapshot.read_bytes() == staging.read_bytes()
    assert not kept.exists()
    monkeypatch.setattr(snapshots, "_BOOT", tmp_path / "no such file")
    publish_snapshot(staging, snapshot)
    assert list(snapshot.parent.iterdir()) == [snapshot]
