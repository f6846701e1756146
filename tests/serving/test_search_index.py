"""The index follows what is published, whoever writes it and whatever became of its files."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from pipeline.search_index import directory
from pipeline.search_index import update as updating
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.directory import Commit, Directory
from pipeline.search_index.update import Report, TooMuchError, update
from serving.search.searcher import Conditions, Searcher
from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_publish,
    add_source,
    coming_version,
)
from tests.serving.published_rows import remove_job as remove

Update = Callable[..., Report]


@pytest.fixture
def indexed(database_url: str, tmp_path: Path) -> Update:
    """Bring the index to the published revision, as a process of its own would."""

    def run(**options: int) -> Report:
        with psycopg.connect(database_url, autocommit=True) as connection:
            report = update(Directory(tmp_path), connection, Analyzer(), **options)
        assert report is not None
        return report

    return run


def listed(commit: Commit) -> list[str]:
    searcher = Searcher(commit)
    found = searcher.filter(Conditions({"status": ["open"]}, {}))
    return [searcher.job_id(hit) for hit in searcher.hits(found)]


def published(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select job_id from jobs where status = 'open'"
        ' order by newest(posted_at) desc, job_id collate "C" desc'
    )
    return [job_id for (job_id,) in rows.fetchall()]


def publish_some(connection: Connection, chance: random.Random, step: int) -> int:
    """New, changed and removed jobs, and some brought back. Returns how many there are to index."""
    version = coming_version(connection)
    known = [row[0] for row in connection.execute("select job_id from jobs order by 1").fetchall()]
    gone = chance.sample(known, min(3, len(known)))
    with connection.transaction():
        for job_id in gone:
            remove(connection, job_id)
        for number in range(chance.randrange(8)):
            posted_at = chance.choice([None, DAY, DAY - timedelta(hours=chance.randrange(60))])
            add_job(connection, f"a_{step}_é{number}", posted_at=posted_at)
        if step > 1 and gone:
            add_job(connection, gone[0])
        connection.execute(
            "update jobs set changed_version = %s, posted_at = posted_at - interval '1 hour',"
            " status = case when random() < 0.2 then 'closed' else 'open' end"
            " where job_id = any (%s)",
            (version, chance.sample(known, min(4, len(known)))),
        )
        add_publish(connection, f"run-{step}", finished_at=datetime.now(UTC))
    row = connection.execute("select count(*) from jobs where changed_version = %s", (version,))
    (changed,) = row.fetchone() or (0,)
    return int(changed)


@pytest.mark.parametrize("seed", range(2))
def test_each_publish_is_indexed_by_what_it_changed(
    connection: Connection, indexed: Update, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(updating, "MAX_SEGMENTS", 3)
    monkeypatch.setattr(updating, "DOCUMENTS_AT_ONCE", 7)
    chance = random.Random(seed)
    for number in range(20):
        add_job(connection, f"b_{number}", posted_at=DAY - timedelta(hours=number // 2))
    add_publish(connection, "run-0")
    assert indexed().indexed == 20
    for step in range(1, 9):
        changed = publish_some(connection, chance, step)
        report = indexed()
        assert report.indexed == changed
        assert listed(report.commit) == published(connection)
        assert len(report.commit.segments) <= 3
        again = indexed()
        assert (again.indexed, again.merged) == (0, 0)
        assert again.commit.indexed == changed
        assert again.commit.revision == report.commit.revision


def test_publishes_go_on_while_segments_are_merged(
    connection: Connection, indexed: Update, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(3)
    for number in range(20):
        add_job(connection, f"b_{number}")
    add_publish(connection, "run-0")
    indexed()
    merge = updating.merge

    def slow(*arguments: Any) -> None:
        merge(*arguments)
        monkeypatch.setattr(updating, "merge", merge)
        publish_some(connection, chance, 9)
        assert listed(indexed(at_most=100).commit) == published(connection)

    monkeypatch.setattr(updating, "MAX_SMALL", 0.01)
    monkeypatch.setattr(updating, "merge", slow)
    publish_some(connection, chance, 1)
    report = indexed()
    assert report.merged > 0
    assert listed(report.commit) == published(connection)


def test_the_index_of_another_database_is_not_followed(
    connection: Connection, indexed: Update
) -> None:
    add_job(connection, "a_1")
    add_job(connection, "a_2")
    add_publish(connection, "run-1")
    assert listed(indexed().commit) == ["a_2", "a_1"]
    connection.execute("truncate jobs, job_postings, publishes restart identity cascade")
    add_job(connection, "c_1")
    add_publish(connection, "run-1", finished_at=DAY + timedelta(days=1))
    report = indexed()
    assert (report.indexed, listed(report.commit)) == (1, ["c_1"])


@pytest.mark.parametrize("kind", ["segment-*", "commit-*"])
@pytest.mark.parametrize(
    "harm", [lambda old: b"", lambda old: old[:-1], lambda old: b"x" + old[1:]]
)
def test_a_file_that_was_harmed_is_written_anew(
    connection: Connection, indexed: Update, tmp_path: Path, kind: str, harm: Callable[..., bytes]
) -> None:
    add_job(connection, "a_1")
    add_publish(connection, "run-1")
    indexed()
    (path,) = Directory(tmp_path).path.glob(kind)
    path.write_bytes(harm(path.read_bytes()))
    report = indexed()
    assert (report.indexed, listed(report.commit)) == (1, ["a_1"])


def test_one_process_indexes_and_the_others_find_it_done(
    connection: Connection, indexed: Update
) -> None:
    for number in range(5):
        add_job(connection, f"a_{number}")
    add_publish(connection, "run-1")
    with ThreadPoolExecutor(3) as processes:
        reports = list(processes.map(lambda _: indexed(), range(3)))
    assert sorted(report.indexed for report in reports) == [0, 0, 5]
    assert len({report.commit.revision for report in reports}) == 1


def test_much_work_is_left_to_who_has_time(connection: Connection, indexed: Update) -> None:
    for number in range(3):
        add_job(connection, f"a_{number}")
    add_publish(connection, "run-1")
    with pytest.raises(TooMuchError):
        indexed(at_most=2)
    assert indexed(at_most=3).indexed == 3


def test_files_that_no_commit_needs_are_removed(
    connection: Connection, indexed: Update, tmp_path: Path
) -> None:
    for number in range(4):
        add_job(connection, "a_1", title=f"Title {number}") if not number else connection.execute(
            "update jobs set title = %s, changed_version = %s",
            (f"Title {number}", coming_version(connection)),
        )
        add_publish(connection, f"run-{number}")
        indexed()
    folder = Directory(tmp_path).path
    assert len(list(folder.glob("commit-*"))) == 2
    assert not list(folder.glob("*.unfinished"))


def test_a_job_in_a_list_is_the_job_of_the_changes(
    api: httpx.Client, connection: Connection
) -> None:
    add_source(connection, "a")
    add_job(connection, "a_1", city="Zürich", country="CH", company='"Q" & <Co>', skills=["C++"],
            salary_min="1.50", salary_max="200", salary_currency="CHF", salary_period="HOUR",
            employment_type="FULLTIME", remote=True, apply_url="https://example.com/?a=1",
            posted_at=DAY + timedelta(microseconds=5))  # fmt: skip
    add_job(connection, "a_2", posted_at=None)
    by_id = {job["id"]: job for job in api.get("/api/jobs").json()["jobs"]}
    changes = api.get("/api/jobs/changes").json()["changes"]
    assert by_id == {change["id"]: change["job"] for change in changes}


def test_replicas_answer_from_the_same_files(
    start: Start, connection: Connection, tmp_path: Path
) -> None:
    add_job(connection, "a_1", title="Kubernetes Engineer")
    one, other = start(), start()
    for api in (one, other):
        assert api.get("/api/jobs?search=k8s").json()["total"] == 1
    assert len(list((tmp_path / "data/search").glob("*/segment-*"))) == 1


def test_much_is_indexed_by_a_process_apart(
    start: Start, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.search.service.SMALL_UPDATE", 0)
    api = start(publishes=False)
    for version in (1, 2):
        add_job(connection, f"a_{version}")
        add_publish(connection, f"run-{version}")
        deadline = time.monotonic() + 120
        while (answer := api.get("/api/jobs")).json().get("total") != version:
            # Until there is an index it says so; then it answers from the publish before.
            assert answer.status_code == (503 if version == 1 else 200)
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_what_is_not_of_the_index_is_left_in_its_folder(
    connection: Connection, indexed: Update, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    (tmp_path / "0123456789ab").symlink_to(elsewhere)
    (tmp_path / "lost+found" / "inner").mkdir(parents=True)
    add_job(connection, "a_1")
    add_publish(connection, "run-1")
    folder = Directory(tmp_path).path
    folder.mkdir()
    (folder / "commit-000000000012~").touch()
    assert listed(indexed().commit) == ["a_1"]
    assert (elsewhere / "kept").exists()
    assert (tmp_path / "lost+found" / "inner").exists()


def test_an_update_that_fails_leaves_no_file(
    connection: Connection, indexed: Update, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_job(connection, "a_1")
    add_publish(connection, "run-1")
    with monkeypatch.context() as full:
        full.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left")))
        with pytest.raises(OSError, match="No space left"):
            indexed()
    left = {path.name for path in Directory(tmp_path).path.iterdir()}
    assert left <= {"lock", "merge.lock"}
    assert listed(indexed().commit) == ["a_1"]


def test_another_list_of_fields_is_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = directory.code_version.__wrapped__()
    monkeypatch.setitem(directory.documents.COMPOSED, "list_columns", "title as title")
    directory.documents._select.cache_clear()
    try:
        assert directory.code_version.__wrapped__() != before
    finally:
        monkeypatch.undo()
        directory.documents._select.cache_clear()
