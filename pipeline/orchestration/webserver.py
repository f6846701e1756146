"""The Dagster UI with the guard before it, in one process."""

from __future__ import annotations

from urllib.parse import urlsplit

import dagster as dg
import uvicorn
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
)
from dagster_webserver.version import __version__

from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.orchestration.environment import project_dir
from pipeline.orchestration.guard import Guard, is_loopback

POLL_MILLISECONDS = 2_000
"""How often a page of the UI asks for news of assets."""
SHUTDOWN_SECONDS = 5
"""How long open requests may go on after a signal."""


def serve(settings: Settings) -> None:
    """Serve until a signal arrives. The environment is that of
    :func:`pipeline.orchestration.environment.dagster_environment`.

    Raises:
        ConfigurationError: others can reach the UI and it has no key.
    """
    if settings.dagster_key is None and not is_loopback(settings.dagster_host):
        raise ConfigurationError(
            f"DAGSTER_KEY is not set, but DAGSTER_HOST ({settings.dagster_host}) is not this "
            "machine alone: set DAGSTER_KEY to at least 16 random characters, or DAGSTER_HOST to "
            "127.0.0.1."
        )
    target = WorkspaceFileTarget([str(project_dir() / "workspace.yaml")])
    with (
        dg.DagsterInstance.get() as instance,
        WorkspaceProcessContext(instance, target, version=__version__) as workspace,
    ):
        instance.optimize_for_webserver(
            DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW
        )
        ui = create_app_from_workspace_process_context(
            workspace, live_data_poll_rate=POLL_MILLISECONDS
        )
        uvicorn.run(
            Guard(ui, hosts=allowed_hosts(settings), key=settings.dagster_key),
            host=settings.dagster_host,
            port=settings.dagster_port,
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            log_config=None,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )


def allowed_hosts(settings: Settings) -> set[str]:
    """The names under which the UI may be asked for, besides the loopback ones."""
    names = {settings.dagster_host, *settings.dagster_allowed_hosts}
    if settings.dagster_url is not None:
        names.add(urlsplit(settings.dagster_url).hostname or "")
    return names - {"", "0.0.0.0", "::"}  # noqa: S104 - these are every address, and nobody's name
