"""Whoever stops reading the console stops nothing else."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.installation.console import PENDING_BYTES, Console

PROJECT = Path(__file__).parents[1]

WRITES = """
import signal, sys
from pathlib import Path
from pipeline.installation.console import console
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.stdin.readline()
for number in range(100_000):
    console.write(f"line {number:06} {'x' * 90}\\n")
Path(sys.argv[1]).write_text("written")
sys.stdin.readline()
console.flush(20)
Path(sys.argv[1]).write_text(str(console.dropped))
"""


def start(file: Path, stderr: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITES, str(file)],
        stdin=subprocess.PIPE, stderr=stderr, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )  # fmt: skip


def proceed(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def until(file: Path) -> None:
    deadline = time.monotonic() + 30
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.trial("processes", "The reader of the console pauses")
def test_a_reader_that_pauses_misses_lines_and_is_told_how_many(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    process = start(tmp_path / "state", writing)
    os.close(writing)
    proceed(process)
    until(tmp_path / "state")
    proceed(process)
    with os.fdopen(reading, encoding="utf-8") as reader:
        lines = reader.read().splitlines()
    assert process.wait(30) == 0
    dropped = int((tmp_path / "state").read_text())
    assert dropped > 0
    numbers = [int(line.split()[1]) for line in lines if line.startswith("line ")]
    assert numbers == sorted(set(numbers))
    assert len(numbers) + dropped == 100_000
    assert len(numbers) * 100 < PENDING_BYTES + 200_000


@pytest.mark.parametrize("how", ["pipe", "terminal"])
@pytest.mark.trial("processes", "The reader of the console goes away")
def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path, how: str) -> None:
    reading, writing = os.pipe() if how == "pipe" else pty.openpty()
    process = start(tmp_path / "state", writing)
    os.close(writing)
    os.close(reading)
    proceed(process)
    proceed(process)
    assert process.wait(30) == 0
    assert int((tmp_path / "state").read_text()) == 100_000


@pytest.mark.trial("processes", "The reader of the console is stopped at the end")
def test_the_end_does_not_wait_for_a_reader_that_is_stopped(tmp_path: Path) -> None:
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    os.kill(reader.pid, signal.SIGSTOP)
    code = (
        "from pipeline.installation.console import console\n"
        "for _ in range(9_999): console.write('x' * 99)"
    )
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", code], stderr=reader.stdin,
            env=os.environ | {"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
        assert process.wait(30) == 0
    finally:
        reader.kill()
        reader.communicate()


def test_without_a_standard_error_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    Console().write("nobody\n")


def test_what_tests_put_in_its_place_is_written_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Console().write("one\n")
    assert capsys.readouterr().err == "one\n"
