"""Runs the processes of an installation side by side and keeps them running.

For one machine without containers: starts them together, restarts one that dies or hangs, shows all
output in one console, and stops everything on the first signal. What a killed supervisor left
behind, the next one ends first.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx
import psutil

from pipeline.installation import liveness
from pipeline.installation.liveness import Liveness, Stopped

STOP_SECONDS = 20.0
"""How long processes may take to stop before they are killed."""

HUNG_STOP_SECONDS = 3.0
"""The same for one that hangs."""

START_ATTEMPTS = 3
"""A process may end so often while all start: the database or another process may restart."""

LONGEST_DELAY_SECONDS = 8.0
"""Between an end and the restart: 1 s, then twice as long each time, up to this."""

STABLE_SECONDS = 300.0
"""A process that ran for so long is restarted after 1 s again."""

LINE_CHARS = 8_192
"""A longer line is shown in parts, so that output without an end takes no memory."""

COMMAND_CHARS = 120
"""As much of a command line is shown."""

_POLL_SECONDS = 0.2
_MARK = "JOB_MARKET_SUPERVISED"
"""In the environment of every process of an installation and of whatever those start: its folder.
Unlike a recorded process id it cannot come to name another program."""
_SUPERVISOR = "JOB_MARKET_SUPERVISOR"
_PR_SET_PDEATHSIG = 1

Clean = Callable[[str], str]
"""What makes a line of a process fit to be shown."""

Sign = Callable[[float], bool | None]
"""Whether a process answers, given when it was started (Unix time); None if it cannot be told."""


class SupervisorError(Exception):
    """A process did not start, or another supervisor runs. The message names it and what to do."""


@dataclass
class Process:
    """One process of the installation.

    Attributes:
        name: what the console shows in front of its lines.
        command: the command and its arguments.
        port: the TCP port on this machine that it listens on, if any.
        answers: its sign of life. Without one it counts as alive while it runs.
        awaited: whether the start is over only when it answers.
        is_never_idle: it wakes by itself every few seconds, so that it hangs once it uses no
            processor time, whatever its sign of life says.
        environment: variables for it alone.
    """

    name: str
    command: Sequence[str]
    port: int | None = None
    answers: Sign | None = None
    awaited: bool = True
    is_never_idle: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    started: float = field(default=0.0, init=False)
    _process: subprocess.Popen[str] | None = field(default=None, init=False)
    _finished: bool = field(default=False, init=False)
    _reader: threading.Thread | None = field(default=None, init=False)
    _last_lines: list[str] = field(default_factory=list, init=False)

    def start(self, show: Callable[[str, str], None], clean: Clean, mark: str) -> None:
        self.started = time.time()
        self._process = subprocess.Popen(
            self.command,
            env=os.environ | self.environment | {_MARK: mark, _SUPERVISOR: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._finished = False
        output = self._process.stdout
        assert output is not None  # noqa: S101
        self._reader = threading.Thread(
            target=self._forward, args=(output, show, clean), daemon=True
        )
        self._reader.start()

    def _forward(self, output: IO[str], show: Callable[[str, str], None], clean: Clean) -> None:
        for line in _lines(output):
            # If the reading ended, the process would block in a write.
            with suppress(Exception):
                cleaned = clean(line)
                self._last_lines = [*self._last_lines[-19:], cleaned]
                show(self.name, cleaned)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def processor_seconds(self) -> float | None:
        """How much processor time it has used; None where that cannot be told."""
        if self._process is None:
            return None
        with suppress(psutil.Error):
            return liveness.processor_seconds(psutil.Process(self._process.pid))
        return None

    @property
    def family(self) -> list[psutil.Process]:
        """Itself, then the processes that it has started, and theirs."""
        if self._process is not None:
            with suppress(psutil.Error):
                itself = psutil.Process(self._process.pid)
                return [itself, *itself.children(recursive=True)]
        return []

    def is_ready(self) -> bool:
        return self.answers is None or not self.awaited or bool(self.answers(self.started))

    def terminate(self) -> None:
        if self._process and self.exit_code is None:
            self._process.terminate()

    def finish(self, deadline: float) -> None:
        """Wait until it has stopped; then, or at the deadline, kill whatever is left of its
        process group. Once for each start, as the group's number may be another's afterwards."""
        if self._process is None or self._finished:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.1, deadline - time.monotonic()))
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._finished = True
        # One that waits for a broken disk cannot even be killed.
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(HUNG_STOP_SECONDS)

    def failure(self) -> SupervisorError:
        if self._reader is not None:
            self._reader.join(1)
        output = "\n".join(f"  {line}" for line in self._last_lines)
        return SupervisorError(
            f"The process '{self.name}' stopped with exit code {self.exit_code}. Its last output:\n"
            f"{output}"
        )


def _lines(output: IO[str]) -> Iterator[str]:
    """The lines, and a longer one in parts of :data:`LINE_CHARS` at most. They end at blanks where
    there are any, so that no word is cut in which a secret would not be known again."""
    rest = ""
    while part := output.readline(LINE_CHARS - len(rest)):
        line, rest = rest + part, ""
        if len(line) == LINE_CHARS and not line.endswith("\n"):
            blank = line.rfind(" ") + 1 or LINE_CHARS
            line, rest = line[:blank], line[blank:]
        elif not line.endswith("\n"):
            rest = line
            continue
        yield line.rstrip()
    if rest:
        yield rest


def end_with_supervisor() -> None:
    """Where a supervisor started this process: end when that one is gone, killed ones included.

    Only Linux can do so; elsewhere the next supervisor ends what it finds.
    """
    if (supervisor := os.environ.pop(_SUPERVISOR, None)) is None or sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the supervisor's end cannot be followed")
    # What started this process may block or ignore the signal, which is inherited.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if os.getppid() != int(supervisor):
        sys.exit("the supervisor is gone")


def is_open(port: int) -> bool:
    """Whether something on this machine listens on the TCP port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers_http(url: str) -> Sign:
    """The sign of life of a web server: it answers ``url`` below 500."""

    def answers(started: float) -> bool:
        try:
            answer = httpx.get(url, timeout=liveness.PROBE_SECONDS, trust_env=False)
        except httpx.HTTPError:
            return False
        return answer.status_code < 500

    return answers


@contextmanager
def only_supervisor(folder: Path) -> Iterator[list[str]]:
    """Be the only one that runs the installation with its data in ``folder``, an existing one.

    Processes that an earlier one could not stop are ended first; the result names them.

    Raises:
        SupervisorError: another one runs.
    """
    with (folder / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SupervisorError(
                f"This installation runs already: process {lock.read().strip() or '?'} keeps its "
                f"data in {folder}. Stop that one first, or set DATA_DIR to another folder."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield _end_left_behind(str(folder))


def _end_left_behind(mark: str) -> list[str]:
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        # Another user's, or gone by now.
        with suppress(psutil.Error, OSError):
            if process.pid not in own and process.environ().get(_MARK) == mark:
                command = " ".join(process.cmdline())[:COMMAND_CHARS]
                found.append((process, f"process {process.pid}: {command}"))
    for process, _ in found:
        with suppress(psutil.Error):
            process.terminate()
            # One that is stopped would not see it.
            process.resume()
    _, alive = psutil.wait_procs([process for process, _ in found], HUNG_STOP_SECONDS)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, HUNG_STOP_SECONDS)
    return [name for _, name in found]


class Supervisor:
    """A group of processes that start and stop together."""

    def __init__(
        self,
        processes: Sequence[Process],
        show: Callable[[str, str], None],
        folder: Path,
        clean: Clean = str,
    ) -> None:
        """
        Args:
            show: called with the name of the process and each line that it prints; must not block.
            folder: the data of the installation, by which :func:`only_supervisor` knows its
                processes again.
            clean: what each line passes through before it is shown, or kept for an error: it hides
                secrets, and commands to a terminal.
        """
        self._processes = processes
        self._show = show
        self._clean = clean
        self._mark = str(folder)
        self._stopping = False
        self._starting = threading.Lock()

    def request_stop(self) -> None:
        """End :meth:`run`; may be called from a signal handler or another thread."""
        self._stopping = True

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call ``when_ready``, and watch until :meth:`request_stop`.

        A process that ends or hangs from then on is restarted, however often.

        Raises:
            SupervisorError: a port is taken, or a process did not start. Everything that was
                started is stopped by then.
        """
        for process in self._processes:
            if process.port is not None and is_open(process.port):
                raise SupervisorError(
                    f"Port {process.port}, which '{process.name}' needs, is in use. Stop what "
                    "listens there (an earlier start of this program?), or configure another port."
                )
        try:
            for process in self._processes:
                self._start(process)
            for process in self._processes:
                self._wait_until_ready(process)
            for process in self._processes:
                threading.Thread(target=self._keep, args=(process,), daemon=True).start()
            if not self._stopping:
                when_ready()
            while not self._stopping:
                time.sleep(_POLL_SECONDS)
        finally:
            self._stop()

    def _start(self, process: Process) -> None:
        with self._starting:
            if not self._stopping:
                process.start(self._show, self._clean, self._mark)

    def _wait_until_ready(self, process: Process) -> None:
        began = time.monotonic()
        life, stopped = Liveness(), Stopped()
        ends = 0
        while not self._stopping and not process.is_ready():
            if (waited := time.monotonic() - began) > liveness.START_SECONDS * liveness.patience():
                raise SupervisorError(
                    f"The process '{process.name}' was not ready within {waited:.0f} s."
                )
            life.note(False, process.processor_seconds)
            has_ended = process.exit_code is not None
            if has_ended or life.is_hung or stopped.among(process.family):
                ends += has_ended
                if ends == START_ATTEMPTS:
                    raise process.failure()
                self._show("supervisor", f"{process.name} did not start; trying again")
                process.finish(time.monotonic())
                self._start(process)
                life = Liveness()
            time.sleep(_POLL_SECONDS)

    def _keep(self, process: Process) -> None:
        """Restart the process whenever it ends or hangs."""
        delay = 1.0
        while (why := self._end_of(process)) is not None:
            if time.time() - process.started > STABLE_SECONDS:
                delay = 1.0
            self._show("supervisor", f"{process.name} {why}; restarting it in {delay:.0f} s")
            process.terminate()
            process.finish(time.monotonic() + HUNG_STOP_SECONDS)
            self._pause(delay)
            delay = min(2 * delay, LONGEST_DELAY_SECONDS)
            try:
                self._start(process)
            except OSError as error:
                self._show("supervisor", f"{process.name} cannot be started: {error.strerror}")

    def _end_of(self, process: Process) -> str | None:
        """Wait for it. Returns how the process ended, or None once everything stops."""
        life = Liveness()
        stopped = Stopped()
        used: float | None = None
        next_probe = time.monotonic()
        while not self._stopping:
            if process.exit_code is not None:
                return f"stopped with exit code {process.exit_code}"
            if process.answers is not None and time.monotonic() >= next_probe:
                next_probe = time.monotonic() + liveness.PROBE_SECONDS
                answered = process.answers(process.started)
                before, used = used, process.processor_seconds
                # Without the database it may wait, and nothing can be told.
                if process.is_never_idle and answered and before is not None and used == before:
                    answered = False
                life.note(answered, used)
                for helper in stopped.among(process.family[1:]):
                    self._show(
                        "supervisor", f"{process.name}: process {helper.pid} hangs; ending it"
                    )
                    with suppress(psutil.Error):
                        helper.kill()
                if life.is_hung:
                    return f"has not answered for {life.silent_seconds:.0f} s"
            time.sleep(_POLL_SECONDS)
        return None

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < end:
            time.sleep(_POLL_SECONDS)

    def _stop(self) -> None:
        with self._starting:
            self._stopping = True
        deadline = time.monotonic() + STOP_SECONDS
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            process.finish(deadline)
