"""The console: the standard error of this process, as something that never blocks it or fails.

Who reads it may stop reading (a pager, a log collector that hangs) or go away (a closed terminal).
A write would then wait for ever or raise an error, and with it whatever wanted to say something.
"""

from __future__ import annotations

import atexit
import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import suppress

PENDING_BYTES = 1_000_000
"""What waits for a slow reader; what is more than that is dropped and counted."""

EXIT_SECONDS = 1.0
"""How long the end of the process waits for the reader."""


class Console:
    """Writes in a thread of its own. ``dropped`` counts the texts that nobody could read."""

    def __init__(self) -> None:
        self.dropped = 0
        self._unsaid = 0
        self._pending: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._writer: threading.Thread | None = None

    def write(self, text: str) -> None:
        """Show the text, which ends a line, as soon as it is read; at once where the standard
        error is no file but something that tests or libraries have put there."""
        stream = sys.stderr
        try:
            file = stream.fileno()
        except (AttributeError, OSError, ValueError):
            with suppress(AttributeError, OSError, ValueError):
                stream.write(text)
            return
        data = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if self._bytes + len(data) > PENDING_BYTES:
                self._drop()
                return
            self._pending.append((file, data))
            self._bytes += len(data)
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write, name="console", daemon=True)
                self._writer.start()
            self._changed.notify_all()

    def flush(self, seconds: float = EXIT_SECONDS) -> None:
        """Wait until everything is written, but no longer than this."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._pending and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)

    def _drop(self) -> None:
        self.dropped += 1
        self._unsaid += 1

    def _write(self) -> None:
        while True:
            with self._changed:
                while not self._pending:
                    self._changed.wait()
                file, data = self._pending[0]
                note = b""
                if self._unsaid:
                    note = b"(%d lines are missing here: nobody read them)\n" % self._unsaid
                unsaid, self._unsaid = self._unsaid, 0
            try:
                _write_all(file, note + data)
                lost = False
            except OSError:
                lost = True
            with self._changed:
                self._pending.popleft()
                self._bytes -= len(data)
                if lost:
                    self._unsaid += unsaid
                    self._drop()
                self._changed.notify_all()


def _write_all(file: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(file, data) :]
        except BlockingIOError:
            # Somebody else has made the file one that does not wait.
            select.select([], [file], [])


console = Console()
atexit.register(console.flush)
