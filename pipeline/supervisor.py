"""Runs the processes of an installation side by side and keeps them running.

For one machine without containers: starts each process when the one before is ready, restarts one
that dies, shows all output in one console, and stops everything on the first signal.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

import httpx

START_SECONDS = 120.0
"""How long a process may take until it is ready."""

STOP_SECONDS = 20.0
"""How long a process may take to stop before it is killed."""

RESTARTS = 5
"""How often a process is restarted; one that ran for :data:`STABLE_SECONDS` starts anew at 0."""

STABLE_SECONDS = 300.0

_PR_SET_PDEATHSIG = 1


class SupervisorError(Exception):
    """A process did not start or kept dying. The message names it and its last output."""


@dataclass
class Process:
    """One process of the installation.

    Attributes:
        name: what the console shows in front of its lines.
        command: the command and its arguments.
        environment: added to the environment of this process.
        port: the TCP port on this machine that it listens on, if any.
        health_url: answers below 500 once it is ready; without it, an open ``port`` does.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    port: int | None = None
    health_url: str | None = None
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    _restarts: int = field(default=0, init=False)
    _last_lines: list[str] = field(default_factory=list, init=False)

    def start(self, show: Callable[[str, str], None]) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            self.command,
            env=os.environ | self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        output = self._process.stdout
        assert output is not None  # noqa: S101
        threading.Thread(target=self._forward, args=(output, show), daemon=True).start()

    def _forward(self, output: IO[str], show: Callable[[str, str], None]) -> None:
        for line in output:
            self._last_lines = [*self._last_lines[-19:], line.rstrip()]
            show(self.name, line.rstrip())

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    def is_ready(self) -> bool:
        if self.health_url is not None:
            try:
                answer = httpx.get(self.health_url, timeout=2, trust_env=False)
            except httpx.HTTPError:
                return False
            return answer.status_code < 500
        return self.port is None or is_open(self.port)

    def terminate(self) -> None:
        if self._process and self.exit_code is None:
            self._process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait until it has stopped; after the deadline kill it and whatever it started."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def failure(self) -> SupervisorError:
        output = "\n".join(f"  {line}" for line in self._last_lines)
        return SupervisorError(
            f"The process '{self.name}' stopped with exit code {self.exit_code}. Its last output:\n"
            f"{output}"
        )


def _end_with_parent() -> None:
    """Ask the kernel to stop this child when its parent is gone, killed ones included."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def is_open(port: int) -> bool:
    """Whether something on this machine listens on the TCP port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Supervisor:
    """A group of processes that start in order and stop together."""

    def __init__(self, processes: Sequence[Process], show: Callable[[str, str], None]) -> None:
        """
        Args:
            show: called with the name of the process and each line that it prints.
        """
        self._processes = processes
        self._show = show
        self._stopping = threading.Event()

    def request_stop(self) -> None:
        """End :meth:`run`; may be called from a signal handler or another thread."""
        self._stopping.set()

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call ``when_ready``, and watch until :meth:`request_stop`.

        Raises:
            SupervisorError: a port is taken, or a process did not start or kept dying. Everything
                that was started is stopped by then.
        """
        for process in self._processes:
            if process.port is not None and is_open(process.port):
                raise SupervisorError(
                    f"Port {process.port}, which '{process.name}' needs, is in use. Stop what "
                    "listens there (an earlier start of this program?), or configure another port."
                )
        try:
            for process in self._processes:
                process.start(self._show)
                self._wait_until_ready(process)
            if not self._stopping.is_set():
                when_ready()
            while not self._stopping.wait(1):
                for process in self._processes:
                    if process.exit_code is not None:
                        self._restart(process)
        finally:
            self._stop()

    def _wait_until_ready(self, process: Process) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._stopping.is_set() and not process.is_ready():
            if process.exit_code is not None:
                raise process.failure()
            if time.monotonic() > deadline:
                raise SupervisorError(
                    f"The process '{process.name}' was not ready within {START_SECONDS:.0f} s."
                )
            self._stopping.wait(0.2)

    def _restart(self, process: Process) -> None:
        if time.monotonic() - process._started > STABLE_SECONDS:
            process._restarts = 0
        if process._restarts >= RESTARTS:
            raise process.failure()
        process._restarts += 1
        delay = 2.0**process._restarts
        self._show("supervisor", f"{process.name} stopped with exit code {process.exit_code}; "
                   f"restarting it in {delay:.0f} s")  # fmt: skip
        if not self._stopping.wait(delay):
            process.start(self._show)

    def _stop(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            process.finish(deadline)
