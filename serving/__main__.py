"""Run the API as in production: ``python -m serving``."""

from __future__ import annotations

import gc
import sys

import uvicorn

from pipeline.installation.settings import ConfigurationError, Settings
from serving.app import create_app
from serving.connections import BoundedConnection, max_connections

SHUTDOWN_SECONDS = 10
"""How long open requests may go on after a signal; one that waits for a run ends then."""

KEEP_ALIVE_SECONDS = 30
"""How long a connection may stay open between two requests."""


def serve(settings: Settings) -> None:
    """Serve until a signal arrives.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """
    app = create_app(settings)
    # What was imported stays. To look at it again would halt all requests for some 50 ms.
    gc.collect()
    gc.freeze()
    BoundedConnection.limit = max_connections(settings.api_pool_size)
    uvicorn.run(
        app,
        host=settings.api_host,
        port=settings.api_port,
        # The app itself believes TRUSTED_PROXIES, and nobody else.
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        http=BoundedConnection,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def main() -> None:
    """The entry point."""
    try:
        serve(Settings.load())
    except ConfigurationError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
