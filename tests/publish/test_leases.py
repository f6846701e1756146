"""Which run may publish, in a real PostgreSQL."""

from __future__ import annotations

import polars as pl
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from pipeline.publish import leases
from pipeline.publish.leases import RunInProgressError, SupersededError, take
from pipeline.publish.state import watermarks
from pipeline.transform.schema import RejectedPosting
from tests.publish.at_once import at_once
from tests.publish.postings import Connection, posting, publish_delta, rejected_posting, states


def named(url: str, name: str) -> Connection:
    connection = psycopg.connect(url, autocommit=True)
    connection.execute("select set_config('application_name', %s, false)", (name,))
    return connection


def is_alive(connection: Connection) -> bool:
    try:
        connection.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True


def test_each_run_gets_a_higher_token_and_keeps_it(connection: Connection) -> None:
    first = take(connection, "a")
    assert take(connection, "a") == first == leases.token_of(connection, "a")
    assert take(connection, "b") > first
    assert leases.run_before(connection, "b") == "a"
    assert leases.run_before(connection, "a") is None


@pytest.mark.trial("runs", "A superseded run tries to publish")
def test_a_superseded_run_gets_no_lease_and_publishes_nothing(connection: Connection) -> None:
    token = take(connection, "a")
    take(connection, "b")
    with pytest.raises(SupersededError, match="The run b has taken over"):
        take(connection, "a")
    with pytest.raises(SupersededError, match="The run b has taken over"):
        publish_delta(connection, [posting("jsearch_1")], token=token)
    with pytest.raises(SupersededError, match="c has no lease"):
        leases.token_of(connection, "c")
    assert connection.execute("select from jobs").fetchall() == []
    assert connection.execute("select from publishes").fetchall() == []


@pytest.mark.trial("runs", "A run is started beside one that has not ended")
def test_no_run_takes_over_from_one_that_has_not_ended(connection: Connection) -> None:
    take(connection, "a")
    with pytest.raises(RunInProgressError, match="The run a has not ended yet"):
        take(connection, "b", lambda run_id: run_id == "a")
    assert take(connection, "a") == leases.token_of(connection, "a")


@pytest.mark.trial("runs", "Many runs begin in the same instant")
def test_of_many_runs_that_begin_at_once_one_gets_the_lease(empty: str) -> None:
    outcomes = at_once(
        empty,
        6,
        lambda connection, number: take(connection, f"run-{number}", lambda run_id: True),
        RunInProgressError,
    )
    assert outcomes == ["done"] + ["refused"] * 5


@pytest.mark.trial("runs", "A run hangs in its publish transaction")
def test_a_run_that_hangs_in_its_publish_is_not_waited_for(
    empty: str, connection: Connection
) -> None:
    with psycopg.connect(empty, autocommit=True) as hanging:
        token = take(hanging, "a")
        hanging.execute("begin")
        leases.confirm(hanging, token)
        hanging.execute("lock table jobs")
        connection.execute("set lock_timeout = '1s'")
        own = take(connection, "b")
        assert publish_delta(connection, [posting("jsearch_1")], token=own).new == 1
        assert not is_alive(hanging)


@pytest.mark.trial("runs", "Other programs have sessions in the database")
def test_only_sessions_of_runs_that_are_over_are_ended(empty: str, connection: Connection) -> None:
    others = [named(empty, name) for name in ("psql", "job-market", "job-market run alive")]
    over = [named(empty, name) for name in ("job-market run over", "job-market run own")]
    with psycopg.connect(make_conninfo(empty, dbname="postgres"), autocommit=True) as elsewhere:
        elsewhere.execute("set application_name = 'job-market run over'")
        take(connection, "own", lambda run_id: run_id == "alive")
        assert is_alive(elsewhere)
    assert [is_alive(session) for session in (*others, *over)] == [True] * 3 + [False] * 2
    for session in (*others, *over):
        session.close()


@pytest.mark.trial("runs", "A watermark was lowered meanwhile")
def test_a_watermark_moves_only_from_where_the_run_began_to_read(connection: Connection) -> None:
    publish_delta(connection, [], source_states=states("17", remoteok=1))
    publish_delta(connection, [], source_states=states("19", "18", remoteok=1))
    assert watermarks(connection) == {"remoteok": "17"}
    publish_delta(connection, [], source_states=states("18", "17", remoteok=1))
    assert watermarks(connection) == {"remoteok": "18"}


def test_postings_of_other_roles_are_remembered_until_they_change(connection: Connection) -> None:
    def irrelevant() -> list[str]:
        rows = connection.execute("select posting_id from irrelevant_postings order by 1")
        return [posting_id for (posting_id,) in rows.fetchall()]

    publish_delta(connection, [posting("jsearch_1")], gone=["jsearch_2", "remoteok_3"])
    assert irrelevant() == ["jsearch_2", "remoteok_3"]
    publish_delta(connection, [posting("jsearch_2")], gone=["jsearch_1"])
    assert irrelevant() == ["jsearch_1", "remoteok_3"]
    rejected = pl.DataFrame([rejected_posting("remoteok_3")], RejectedPosting.create_empty().schema)
    publish_delta(connection, [], gone=["remoteok_3"], rejected=rejected)
    assert irrelevant() == ["jsearch_1"]
