"""Servers that a benchmark starts, each in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psutil

from tests.support.ports import free_port

START_SECONDS = 60


@contextmanager
def running(command: Sequence[str], port: int, **environment: str) -> Iterator[psutil.Process]:
    """Run a server until the end, once it listens at ``port``.

    Raises:
        RuntimeError: it does not in :data:`START_SECONDS`, or has ended.
    """
    started = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _listens(port):
            if started.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command} did not start")
            time.sleep(0.05)
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait()


@contextmanager
def api(
    database_url: str, module: str = "serving", **settings: str
) -> Iterator[tuple[str, psutil.Process]]:
    """Run ``module`` as an API over the database, without a rate limit, with a search index of its
    own. Yields its URL too."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DATABASE_URL": database_url, "API_PORT": str(port),
                       "API_RATE_LIMIT": "none", "DATA_DIR": folder} | settings  # fmt: skip
        with running([sys.executable, "-m", module], port, **environment) as process:
            yield f"http://127.0.0.1:{port}", process


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
