"""Processes that start together, come back when they die or hang, and stop together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.installation import liveness, logs
from pipeline.installation.liveness import Liveness
from pipeline.installation.settings import Settings
from pipeline.installation.supervisor import (
    LINE_CHARS,
    START_ATTEMPTS,
    Process,
    Supervisor,
    SupervisorError,
    answers_http,
    is_open,
    only_supervisor,
)
from tests.support.ports import free_port

PROJECT = Path(__file__).parents[1]

SERVER = """
import os, socket, sys, time
with socket.socket() as listener:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(sys.argv[1])))
    listener.listen()
    print("pid", os.getpid(), flush=True)
    time.sleep(600)
"""


def server(name: str, port: int) -> Process:
    command = [sys.executable, "-c", SERVER, str(port)]
    return Process(name, command, port=port, answers=lambda _: is_open(port))


HTTP_SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
print("pid", os.getpid(), flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "PROBE_SECONDS", 0.5)
    monkeypatch.setattr(liveness, "SILENT_SECONDS", 2.0)
    monkeypatch.setattr(liveness, "BUSY_FACTOR", 1.0)
    monkeypatch.setattr("pipeline.installation.supervisor.HUNG_STOP_SECONDS", 1.0)


@contextmanager
def running(supervisor: Supervisor) -> Iterator[None]:
    ready = threading.Event()
    thread = threading.Thread(target=supervisor.run, args=(ready.set,))
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        supervisor.request_stop()
        thread.join(40)
        assert not thread.is_alive()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    is_late = False
    # Asked once more after the deadline: the machine may have stood still meanwhile.
    while not condition():
        assert not is_late
        is_late = time.monotonic() > deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(lines: list[tuple[str, str]], name: str) -> list[int]:
    return [int(line.split()[1]) for who, line in lines if who == name and "pid" in line]


@pytest.mark.trial("processes", "A process is killed")
def test_a_killed_process_comes_back_and_all_stop_together(tmp_path: Path) -> None:
    lines: list[tuple[str, str]] = []
    supervisor = Supervisor(
        [server("one", free_port()), server("two", free_port())],
        lambda name, line: lines.append((name, line)),
        tmp_path,
    )
    with running(supervisor):
        eventually(lambda: len(pids(lines, "one")) == len(pids(lines, "two")) == 1)
        os.kill(pids(lines, "one")[0], signal.SIGKILL)
        eventually(lambda: len(pids(lines, "one")) == 2)
        assert ("supervisor", "one stopped with exit code -9; restarting it in 1 s") in lines
        assert is_alive(pids(lines, "two")[0])
    assert not any(map(is_alive, pids(lines, "one") + pids(lines, "two")))


@pytest.mark.trial("processes", "A port is taken")
def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        supervisor = Supervisor([server("one", port)], lambda *_: None, tmp_path)
        with pytest.raises(SupervisorError, match=f"Port {port}, which 'one' needs, is in use"):
            supervisor.run(lambda: None)


@pytest.mark.trial("processes", "A process does not start")
def test_a_process_that_does_not_start_ends_the_others_and_shows_why(tmp_path: Path) -> None:
    lines: list[str] = []
    good = server("good", free_port())
    bad = Process(
        "bad", [sys.executable, "-c", "print('no luck'); exit(3)"], answers=lambda _: False
    )
    supervisor = Supervisor([good, bad], lambda _, line: lines.append(line), tmp_path)
    with pytest.raises(SupervisorError, match=r"'bad' stopped with exit code 3.*\n.*no luck"):
        supervisor.run(lambda: None)
    pid = int(next(line for line in lines if line.startswith("pid")).split()[1])
    assert not is_alive(pid)


@pytest.mark.trial("key", "A process that does not start prints a secret")
def test_no_secret_is_in_the_last_output_of_a_process(tmp_path: Path) -> None:
    secret = "s3cret-of-a-source"
    settings = Settings(_env_file=None, api_key=secret)
    code = f"print('a ' * {LINE_CHARS // 2 - 4} + {secret!r}); print({secret!r}, end=''); exit(3)"
    bad = Process("bad", [sys.executable, "-c", code], answers=lambda _: False)
    shown: list[str] = []
    supervisor = Supervisor(
        [bad], lambda _, line: shown.append(line), tmp_path, clean=logs.redactor(settings)
    )
    with pytest.raises(SupervisorError) as failure:
        supervisor.run(lambda: None)
    for told in (str(failure.value), "".join(shown)):
        assert secret not in told
        assert told.count("[hidden]") == 2 * START_ATTEMPTS


@pytest.mark.usefixtures("impatient")
@pytest.mark.trial("processes", "A process hangs")
def test_a_process_that_hangs_is_ended_and_restarted(tmp_path: Path) -> None:
    lines: list[tuple[str, str]] = []
    port = free_port()
    hanging = Process(
        "web", [sys.executable, "-c", HTTP_SERVER, str(port)], port=port,
        answers=answers_http(f"http://127.0.0.1:{port}/"),
    )  # fmt: skip
    supervisor = Supervisor([hanging], lambda *line: lines.append(line), tmp_path)
    with running(supervisor):
        time.sleep(3)
        (first,) = pids(lines, "web")
        os.kill(first, signal.SIGSTOP)
        eventually(lambda: len(pids(lines, "web")) == 2)
        assert any("web has not answered for" in line for _, line in lines)
        assert not is_alive(first)
        eventually(lambda: bool(hanging.is_ready()))


STARTS = """
import subprocess, sys, time
own = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                       start_new_session=True)
print("pid", own.pid, flush=True)
own.wait()
print("ended", flush=True)
time.sleep(600)
"""


@pytest.mark.usefixtures("impatient")
@pytest.mark.trial("runs", "The worker of a run is stopped")
def test_what_a_process_started_is_ended_when_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "STOPPED_SECONDS", 1.0)
    lines: list[tuple[str, str]] = []
    starter = Process("starter", [sys.executable, "-c", STARTS], answers=lambda _: True)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with running(Supervisor([starter], lambda *line: lines.append(line), tmp_path)):
            eventually(lambda: len(pids(lines, "starter")) == 1)
            (worker,) = pids(lines, "starter")
            bystander.send_signal(signal.SIGSTOP)
            os.kill(worker, signal.SIGSTOP)
            eventually(lambda: ("starter", "ended") in lines)
            assert is_alive(bystander.pid)
            assert ("supervisor", f"starter: process {worker} hangs; ending it") in lines
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.trial("clock", "The machine slept, or is busy")
def test_silence_counts_only_when_it_is_long_and_seen_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    load = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(os, "getloadavg", lambda: (load[0], 0.0, 0.0))

    def silent_for(life: Liveness, seconds: float) -> bool:
        for _ in range(int(seconds / liveness.PROBE_SECONDS)):
            clock[0] += liveness.PROBE_SECONDS
            life.note(False)
        return life.is_hung

    starting = Liveness()
    assert not silent_for(starting, liveness.SILENT_SECONDS + 10)
    assert silent_for(starting, liveness.START_SECONDS)
    working = Liveness()
    working.note(True)
    assert not silent_for(working, liveness.SILENT_SECONDS - 5)
    working.note(None)
    assert not silent_for(working, liveness.SILENT_SECONDS - 5), "what cannot be told is no silence"
    load[0] = 1_000.0
    assert not silent_for(working, liveness.SILENT_SECONDS), "the machine is busy"
    load[0] = 0.0
    assert working.is_hung
    slept = Liveness()
    slept.note(True)
    clock[0] += 3_600
    slept.note(False)
    assert not slept.is_hung, "one probe says nothing"


def test_who_is_silent_and_does_not_work_is_given_less_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(os, "getloadavg", lambda: (1_000.0, 0.0, 0.0))

    def silent_for(life: Liveness, seconds: float, share_of_processor: float) -> bool:
        used = 0.0
        for _ in range(int(seconds / liveness.PROBE_SECONDS)):
            clock[0] += liveness.PROBE_SECONDS
            used += share_of_processor * liveness.PROBE_SECONDS
            life.note(False, used)
        return life.is_hung

    working, starting, waiting = Liveness(), Liveness(), Liveness()
    working.note(True, 0.0)
    assert not silent_for(working, liveness.SILENT_SECONDS, 0.1)
    waiting.note(True, 0.0)
    assert silent_for(waiting, liveness.IDLE_SECONDS + 4, 0.0)
    starting.note(False, 0.0)
    assert not silent_for(starting, liveness.IDLE_SECONDS + 4, 0.0)
    assert silent_for(starting, liveness.START_IDLE_SECONDS, 0.0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_who_is_killed_or_stopped_while_all_start_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(liveness, "STOPPED_SECONDS", 1.0)
    file = tmp_path / "started"
    code = (
        f"import os, pathlib, time; file = pathlib.Path({str(file)!r});"
        f"file.exists() or (file.touch(), os.kill(os.getpid(), {int(number)}));"
        "print('pid', os.getpid(), flush=True); time.sleep(600)"
    )
    lines: list[tuple[str, str]] = []
    process = Process(
        "one", [sys.executable, "-c", code], answers=lambda _: bool(pids(lines, "one"))
    )
    with running(Supervisor([process], lambda *line: lines.append(line), tmp_path)):
        assert ("supervisor", "one did not start; trying again") in lines


@pytest.mark.usefixtures("impatient")
def test_a_process_that_is_never_idle_hangs_when_it_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liveness, "START_SECONDS", 2.0)
    lines: list[tuple[str, str]] = []
    works = "import os, time\nprint('pid', os.getpid(), flush=True)\nwhile True: sum(range(10**6))"
    worker = Process(
        "daemon", [sys.executable, "-c", works], answers=lambda _: True, is_never_idle=True
    )
    with running(Supervisor([worker], lambda *line: lines.append(line), tmp_path)):
        time.sleep(3)
        (first,) = pids(lines, "daemon")
        os.kill(first, signal.SIGSTOP)
        eventually(lambda: len(pids(lines, "daemon")) == 2)
        assert not is_alive(first)


@pytest.mark.trial("processes", "A process dies again and again")
def test_one_that_dies_again_and_again_neither_ends_nor_delays_the_others(tmp_path: Path) -> None:
    lines: list[tuple[str, str]] = []
    dying = Process("dying", [sys.executable, "-c", "print('again')"])
    good = server("good", free_port())
    with running(Supervisor([good, dying], lambda *line: lines.append(line), tmp_path)):
        eventually(lambda: lines.count(("dying", "again")) >= 3)
        os.kill(pids(lines, "good")[0], signal.SIGKILL)
        eventually(lambda: len(pids(lines, "good")) == 2)


@pytest.mark.trial("processes", "A process prints without an end")
def test_output_is_read_whatever_becomes_of_it(tmp_path: Path) -> None:
    """A process that writes, without an end of a line too, is never blocked by its reader."""
    done = tmp_path / "done"
    code = f"print('x' * 20_000_000); open({str(done)!r}, 'w').close(); import time; time.sleep(99)"
    longest = [0]

    def show(name: str, line: str) -> None:
        longest[0] = max(longest[0], len(line))
        raise RuntimeError("it cannot be shown")

    process = Process("loud", [sys.executable, "-c", code])
    with running(Supervisor([process], show, tmp_path)):
        eventually(done.exists)
    assert 0 < longest[0] < 10_000


KILLED = """
import sys, time
from pathlib import Path
from pipeline.installation.supervisor import Process, Supervisor, only_supervisor
folder = Path(sys.argv[1])
worker = "import time; time.sleep(600)"
child = (
    "import os, subprocess, sys, time;"
    f"own = subprocess.Popen([sys.executable, '-c', {worker!r}], start_new_session=True);"
    "print('pid', os.getpid(), flush=True); print('pid', own.pid, flush=True); time.sleep(600)"
)
with only_supervisor(folder):
    supervisor = Supervisor(
        [Process("one", [sys.executable, "-c", child])],
        lambda name, line: print(line, flush=True),
        folder,
    )
    supervisor.run(lambda: None)
"""


@pytest.mark.trial("processes", "The supervisor is killed and a hung process is left behind")
def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert killed.stdout is not None
    child, worker = (int(killed.stdout.readline().split()[1]) for _ in range(2))
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with (
            pytest.raises(SupervisorError, match=f"runs already: process {killed.pid} keeps"),
            only_supervisor(tmp_path),
        ):
            pytest.fail("two at once")
        os.kill(child, signal.SIGSTOP)
        killed.kill()
        killed.wait()
        assert is_alive(worker)
        with only_supervisor(tmp_path) as ended:
            assert any(str(worker) in name for name in ended)
            assert not is_alive(child)
            assert not is_alive(worker)
            assert bystander.poll() is None
        with only_supervisor(tmp_path) as ended:
            assert ended == []
    finally:
        bystander.kill()
        bystander.wait()


ONE_OF_MANY = """
import sys
from pathlib import Path
from pipeline.installation.supervisor import SupervisorError, only_supervisor
print("ready", flush=True)
sys.stdin.readline()
try:
    with only_supervisor(Path(sys.argv[1])):
        print("runs", flush=True)
        sys.stdin.readline()
except SupervisorError as error:
    print(error, flush=True)
"""


@pytest.mark.trial("processes", "The installation is started several times in the same instant")
def test_of_several_supervisors_at_once_one_runs(tmp_path: Path) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_MANY, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )
        for _ in range(4)
    ]  # fmt: skip
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("\n")
        start.stdin.flush()
    said = [start.stdout.readline() for start in starts if start.stdout is not None]
    assert said.count("runs\n") == 1
    assert sum("runs already" in one for one in said) == 3
    for start in starts:
        start.communicate(timeout=20)


@pytest.mark.trial("processes", "The supervisor is killed")
def test_a_process_ends_with_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import os, time; from pipeline.installation.supervisor import end_with_supervisor;"
        "end_with_supervisor(); print('pid', os.getpid(), flush=True); time.sleep(600)"
    )
    command = f"""
from pathlib import Path
import sys
from pipeline.installation.supervisor import Process, Supervisor
Supervisor(
    [Process("one", [sys.executable, "-c", {code!r}])],
    lambda name, line: print(line, flush=True),
    Path({str(tmp_path)!r}),
).run(lambda: None)
"""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip
    assert supervisor.stdout is not None
    child = int(supervisor.stdout.readline().split()[1])
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not is_alive(child))
