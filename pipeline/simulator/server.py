"""The demo's server: the three source APIs on the loopback address, in a thread of this process."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import uvicorn

from pipeline.simulator.apis import source_apis
from pipeline.simulator.market import Market

_STARTUP_SECONDS = 20.0


class DemoServerError(Exception):
    """The demo server cannot run. The message says what to do."""


@dataclass(frozen=True)
class DemoServer:
    """A running server. ``url`` has no trailing slash."""

    url: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that point every source at this server: base URLs, keys that it accepts,
        and a cadence and quotas that let each run of the schedule ask every source."""
        variables = {
            "RAPIDAPI_KEY": "demo",
            "ADZUNA_APP_ID": "demo",
            "ADZUNA_API_KEY": "demo",
        }
        for source in ("remoteok", "jsearch", "adzuna"):
            prefix = source.upper()
            variables |= {
                f"{prefix}_BASE_URL": f"{self.url}/{source}",
                f"{prefix}_INTERVAL_MINUTES": "0",
            }
            for period in ("MINUTE", "DAY", "WEEK", "MONTH"):
                variables[f"{prefix}_QUOTA_PER_{period}"] = "1000000"
        return variables


@contextlib.contextmanager
def serve(port: int = 0, market: Market | None = None) -> Iterator[DemoServer]:
    """Serve the market (by default one of 2,000 openings) on 127.0.0.1 until the block ends.

    Args:
        port: 0 takes a free one.

    Raises:
        DemoServerError: the port is taken, or the server did not start.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with listener:
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise DemoServerError(
                f"The demo server cannot use port {port} ({error}). Choose another, or 0 for any."
            ) from None
        config = uvicorn.Config(
            source_apis(market or Market()),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        # Outside the main thread uvicorn leaves the process's signal handlers alone.
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="demo-server", daemon=True
        )
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield DemoServer(f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(timeout=5)


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + _STARTUP_SECONDS
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise DemoServerError("The demo server did not start. Run it again.")
        time.sleep(0.01)
