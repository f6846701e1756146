"""Processes that start in order, come back when they die, and stop together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.servers import free_port
from pipeline.supervisor import Process, Supervisor, SupervisorError

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
    return Process(name, [sys.executable, "-c", SERVER, str(port)], {}, port=port)


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
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_killed_process_comes_back_and_all_stop_together() -> None:
    lines: list[tuple[str, str]] = []
    supervisor = Supervisor(
        [server("one", free_port()), server("two", free_port())],
        lambda name, line: lines.append((name, line)),
    )

    def pids(name: str) -> list[int]:
        return [int(line.split()[1]) for who, line in lines if who == name and "pid" in line]

    with running(supervisor):
        eventually(lambda: len(pids("one")) == len(pids("two")) == 1)
        os.kill(pids("one")[0], signal.SIGKILL)
        eventually(lambda: len(pids("one")) == 2)
        assert ("supervisor", "one stopped with exit code -9; restarting it in 2 s") in lines
        assert is_alive(pids("two")[0])
    assert not any(map(is_alive, pids("one") + pids("two")))


def test_a_taken_port_is_named_before_anything_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        supervisor = Supervisor([server("one", port)], lambda *_: None)
        with pytest.raises(SupervisorError, match=f"Port {port}, which 'one' needs, is in use"):
            supervisor.run(lambda: None)


def test_a_process_that_does_not_start_ends_the_others_and_shows_why() -> None:
    lines: list[str] = []
    good = server("good", free_port())
    bad = Process("bad", [sys.executable, "-c", "print('no luck'); exit(3)"], {}, port=free_port())
    supervisor = Supervisor([good, bad], lambda _, line: lines.append(line))
    with pytest.raises(SupervisorError, match=r"'bad' stopped with exit code 3.*\n.*no luck"):
        supervisor.run(lambda: None)
    pid = int(next(line for line in lines if line.startswith("pid")).split()[1])
    assert not is_alive(pid)
