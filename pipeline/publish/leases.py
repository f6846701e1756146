"""Which run may publish: the one that took the last lease.

A run that Dagster gave up on may still be alive, and go on when its source or its disk answers.
So each run takes a number higher than all before, a fencing token, and a publish is refused
unless its token is still the highest.
"""

from __future__ import annotations

from collections.abc import Callable

from psycopg import Connection
from psycopg.rows import TupleRow

LOCK = 0x7075626C
"""The advisory lock of whoever publishes or takes a lease ("publ"): while a publish is under way,
no token becomes outdated."""

LOCK_WAIT = "60s"

SESSION = "job-market run "
"""The sessions of a run have this and the run's id as their ``application_name``."""

_END_MILLISECONDS = 10_000


class RunInProgressError(Exception):
    """Another run has the lease and has not ended."""


class SupersededError(Exception):
    """Another run has taken over. What this one would publish is outdated: it must end."""


def take(
    connection: Connection[TupleRow],
    run_id: str,
    is_in_progress: Callable[[str], bool] = lambda run_id: False,
) -> int:
    """Make the run the one that may publish, and name this session after it.

    The sessions of runs that are over are ended, and those of earlier attempts of this run: what
    they hold locked would stand in the way, and what they had not committed is void.

    Args:
        connection: in no transaction.
        is_in_progress: whether the run with this id has not ended.

    Returns:
        The token of the run: the same however often it asks, as long as no other has one since.

    Raises:
        RunInProgressError: the run with the lease has not ended.
        SupersededError: this run had a lease, and another run has taken one since.
    """
    # Asked before as well: who is refused ends no session.
    _token(connection, run_id, is_in_progress)
    _end_abandoned_sessions(connection, run_id, is_in_progress)
    with connection.transaction():
        connection.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
        connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
        token = _token(connection, run_id, is_in_progress)
        if token is None:
            row = connection.execute(
                "insert into run_leases (run_id) values (%s) returning token", (run_id,)
            ).fetchone()
            assert row is not None  # noqa: S101 - the statement returns the row it inserts
            token = int(row[0])
        connection.execute(
            "select set_config('application_name', %s, false)", (f"{SESSION}{run_id}",)
        )
    return token


def token_of(connection: Connection[TupleRow], run_id: str) -> int:
    """The token that the run took.

    Raises:
        SupersededError: it took none.
    """
    row = connection.execute("select token from run_leases where run_id = %s", (run_id,)).fetchone()
    if row is None:
        raise SupersededError(f"The run {run_id} has no lease, so it may not publish.")
    return int(row[0])


def confirm(connection: Connection[TupleRow], token: int) -> None:
    """Hold the lease until the transaction ends: no other run gets one before.

    Args:
        connection: in a transaction.

    Raises:
        SupersededError: another run has taken one since.
    """
    connection.execute("select pg_advisory_xact_lock(%s)", (LOCK,))
    row = connection.execute(
        "select run_id from run_leases where token > %s order by token desc limit 1", (token,)
    ).fetchone()
    if row is not None:
        raise SupersededError(_superseded_by(row[0]))


def run_before(connection: Connection[TupleRow], run_id: str) -> str | None:
    """The run that had the lease before this one."""
    row = connection.execute(
        "select run_id from run_leases where token < ("
        " select token from run_leases where run_id = %s) order by token desc limit 1",
        (run_id,),
    ).fetchone()
    return None if row is None else str(row[0])


def _token(
    connection: Connection[TupleRow], run_id: str, is_in_progress: Callable[[str], bool]
) -> int | None:
    """The token of the run if it is the highest; None if the run may take one."""
    row = connection.execute(
        "select token, run_id, exists (select from run_leases where run_id = %s)"
        " from run_leases order by token desc limit 1",
        (run_id,),
    ).fetchone()
    if row is None:
        return None
    token, owner, had_one = row
    if owner == run_id:
        return int(token)
    if had_one:
        raise SupersededError(_superseded_by(owner))
    if is_in_progress(owner):
        raise RunInProgressError(
            f"The run {owner} has not ended yet. Wait for it, or end it in the Dagster UI; only "
            "one runs at a time."
        )
    return None


def _end_abandoned_sessions(
    connection: Connection[TupleRow], run_id: str, is_in_progress: Callable[[str], bool]
) -> None:
    sessions = connection.execute(
        "select pid, backend_start, application_name from pg_stat_activity"
        " where datname = current_database() and usename = current_user"
        " and starts_with(application_name, %s) and pid <> pg_backend_pid()",
        (SESSION,),
    ).fetchall()
    for pid, started_at, name in sessions:
        owner = name.removeprefix(SESSION)
        if owner == run_id or not is_in_progress(owner):
            connection.execute(
                "select pg_terminate_backend(pid, %s) from pg_stat_activity"
                " where pid = %s and backend_start = %s",
                (_END_MILLISECONDS, pid, started_at),
            )


def _superseded_by(run_id: str) -> str:
    return (
        f"The run {run_id} has taken over, because this one was taken for ended. Nothing was "
        "written; what this run loaded is published by the next one."
    )
