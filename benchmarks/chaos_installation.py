"""A whole installation as a user starts it: its processes and their health."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from pipeline.installation.embedded_database import running as embedded
from pipeline.orchestration.signs import code_server_answers
from tests.support.ports import free_port

PROJECT = Path(__file__).parents[1]
API_KEY = "chaos-key-of-this-run"
STOP_SECONDS = 60

PARTS = {
    "api": "pipeline serve",
    "webserver": "pipeline webserver",
    "daemon": "dagster._daemon",
    "code server": "pipeline.orchestration.code_server",
    "run worker": "spawn_main",
}
"""What is in the command line of the processes of each role."""

ROLES = (*PARTS, "postgres", "backend")


class Installation:
    """One that is started, killed and started again, with its data in a folder of its own.

    Attributes:
        gave_up: what was last on the console each time that ``up`` ended by itself.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.data = folder / "data"
        self.api = f"http://127.0.0.1:{(port := free_port())}"
        self.ui = f"http://127.0.0.1:{(ui_port := free_port())}"
        self._code_port = free_port()
        self.gave_up: list[str] = []
        self._console = folder / "console.log"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._folder = folder
        self._environment = {
            **kept,
            "PYTHONPATH": str(PROJECT),
            "DAGSTER_HOME": str(PROJECT),
            "DATA_DIR": str(self.data),
            "LOG_DIR": str(folder / "logs"),
            "API_PORT": str(port),
            "DAGSTER_PORT": str(ui_port),
            "DAGSTER_CODE_PORT": str(self._code_port),
            "API_KEY": API_KEY,
            "API_RATE_LIMIT": "none",
            # The lock under which the embedded PostgreSQL starts is one for each user: a process
            # that is hung while it holds that must not stop other installations.
            "XDG_RUNTIME_DIR": str(folder),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._wanted = False

    def start(self) -> None:
        """Start ``job-market up``, and start it again where it ends by itself."""
        with self._starting:
            self._wanted = True
            self._process = self._up()
        threading.Thread(target=self._keep, args=(self._process,), daemon=True).start()

    def _up(self) -> subprocess.Popen[bytes]:
        with self._console.open("ab") as console:
            return subprocess.Popen(
                [sys.executable, "-m", "pipeline", "up"],
                cwd=self._folder,
                env=self._environment,
                stdout=console,
                stderr=console,
            )

    def _keep(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        if self._wanted and self._process is process:
            self.gave_up.append(f"exit code {process.returncode}: {self.console()[-300:]}")
            time.sleep(1)
            self.start()

    def restart(self) -> None:
        """kill -9 the supervisor, and start anew."""
        assert self._process is not None
        self._wanted = False
        self._process.kill()
        self._process.wait()
        self.start()

    def stop(self) -> None:
        self._wanted = False
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        for process in self._own():
            with suppress(psutil.Error):
                process.kill()
        # Whoever was killed may have left the server behind; its last holder stops it.
        with embedded(self.data / "postgres"):
            pass

    def console(self) -> str:
        """The last that ``up`` showed."""
        return self._console.read_bytes()[-4_000:].decode(errors="replace")

    def _own(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.environ().get("JOB_MARKET_SUPERVISED") == str(self.data):
                    yield process

    def processes(self, role: str) -> list[psutil.Process]:
        """Those that live."""
        if role in ("postgres", "backend"):
            return self._postgres(role)
        found = []
        for process in self._own():
            with suppress(psutil.Error):
                if PARTS[role] in " ".join(process.cmdline()) and is_alive(process):
                    found.append(process)
        return found

    def _postgres(self, role: str) -> list[psutil.Process]:
        with suppress(OSError, ValueError, IndexError, psutil.Error):
            pid = (self.data / "postgres" / "postmaster.pid").read_text().splitlines()[0]
            server = psutil.Process(int(pid))
            if not Path(server.cwd()).samefile(self.data / "postgres") or not is_alive(server):
                return []
            if role == "postgres":
                return [server]
            return [
                child
                for child in server.children()
                if any(place in " ".join(child.cmdline()) for place in ("[local]", "127.0.0.1"))
            ]
        return []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """
        Raises:
            OSError, psycopg.Error: the server is away.
        """
        lines = (self.data / "postgres" / "postmaster.pid").read_text().splitlines()
        if len(lines) < 5:
            raise OSError("it is starting")
        return psycopg.connect(
            host=lines[4] or "127.0.0.1", port=lines[3], user="postgres", dbname="postgres",
            connect_timeout=5, options="-c statement_timeout=20s -c timezone=UTC",
        )  # fmt: skip

    def is_healthy(self, role: str) -> bool:
        """Whether what the processes of the role are there for works."""
        with suppress(httpx.HTTPError, OSError, psycopg.Error):
            return _HEALTH[role](self)
        return False

    def _serves(self) -> bool:
        return httpx.get(f"{self.api}/api/ready", trust_env=False, timeout=5).is_success

    def _shows(self) -> bool:
        return httpx.get(f"{self.ui}/server_info", trust_env=False, timeout=5).is_success

    def _beats(self) -> bool:
        """The daemon that runs has written a heartbeat."""
        started = max((one.create_time() for one in self.processes("daemon")), default=None)
        if started is None:
            return False
        with self.connect() as connection:
            row = connection.execute(
                "select extract(epoch from max(timestamp)) from dagster.daemon_heartbeats"
            ).fetchone()
        return row is not None and row[0] is not None and float(row[0]) >= started

    def _loads(self) -> bool:
        return bool(code_server_answers(self._code_port)(0.0))

    def _works(self) -> bool:
        return bool(self.processes("run worker"))

    def _answers(self) -> bool:
        with self.connect() as connection:
            return connection.execute("select 1").fetchone() is not None


_HEALTH: Mapping[str, Callable[[Installation], bool]] = {
    "api": Installation._serves,
    "webserver": Installation._shows,
    "daemon": Installation._beats,
    "code server": Installation._loads,
    "run worker": Installation._works,
    "postgres": Installation._answers,
    "backend": Installation._answers,
}


def is_alive(process: psutil.Process) -> bool:
    """Whether it runs or is stopped; one that nobody has waited for is neither."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
