"""``python -m pipeline.orchestration.code_server``: Dagster's code server, which ends when a thread
of it does.

One of its threads marks the runs as failed whose process died. Where the database is away at that
moment that thread ends, and such runs would pass for running ever after. Whoever restarts the code
server then (the supervisor, or the engine of the containers) has them marked.
"""

from __future__ import annotations

import os
import sys
import threading

from dagster._cli import main

from pipeline.installation import logs
from pipeline.installation.settings import Settings

FAILED = 1


def _end(failure: threading.ExceptHookArgs) -> None:
    threading.__excepthook__(failure)
    sys.stderr.flush()
    if failure.thread is not None and failure.thread.name == "grpc-server-cleanup":
        os._exit(FAILED)


if __name__ == "__mp_main__":
    # A run: the code server spawns a process for each, one at a time. Only what starts as a
    # process of its own may configure its logs, and loading the definitions does not.
    logs.configure(Settings.load(), "run-worker")

if __name__ == "__main__":
    logs.configure(Settings.load(), "code-server")
    threading.excepthook = _end
    main()  # type: ignore[no-untyped-call]
