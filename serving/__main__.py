"""Run the API as in production: ``python -m serving``."""

from __future__ import annotations

import sys

import uvicorn

from pipeline.settings import ConfigurationError, Settings
from serving.app import create_app

SHUTDOWN_SECONDS = 10
"""How long open requests may go on after a signal; one that waits for a run ends then."""


def main() -> None:
    """Serve until a signal arrives."""
    try:
        settings = Settings.load()
        app = create_app(settings)
    except ConfigurationError as error:
        sys.exit(str(error))
    uvicorn.run(
        app,
        host=settings.api_host,
        port=settings.api_port,
        server_header=False,
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    main()
