"""What Dagster's own processes need in their environment: ``dagster.yaml`` and
``workspace.yaml`` read these variables, so that both files serve every way of starting."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.installation.settings import ConfigurationError, Settings

DEFINITIONS_MODULE = "pipeline.orchestration.definitions"


def dagster_home() -> Path:
    """The folder that holds ``dagster.yaml`` and ``workspace.yaml``: that of this package, or
    ``DAGSTER_HOME`` where that has both files. They are not in the project's own folder, where
    ``dg`` would read them and look for the database of an installation."""
    home = Path(os.environ.get("DAGSTER_HOME") or ".").absolute()
    if "DAGSTER_HOME" in os.environ and all(
        (home / name).is_file() for name in ("dagster.yaml", "workspace.yaml")
    ):
        return home
    return Path(__file__).parent / "dagster_home"


def dagster_environment(settings: Settings) -> dict[str, str]:
    """The variables for a Dagster process, to be added to the environment.

    Raises:
        ConfigurationError: there is no database URL.
    """
    storage_url = settings.dagster_database_url
    if settings.database_url is None or storage_url is None:
        raise ConfigurationError(
            "DATABASE_URL is not set: Dagster keeps its runs there. Start everything together with "
            "`job-market up`, or set it in the environment or in .env."
        )
    storage = settings.data_dir.absolute() / "dagster"
    storage.mkdir(parents=True, exist_ok=True)
    return {
        "DAGSTER_HOME": str(dagster_home()),
        # Named explicitly, because SQLAlchemy's default driver does not know Dagster's statements.
        "DAGSTER_POSTGRES_URL": storage_url.get_secret_value().replace(
            "postgresql://", "postgresql+psycopg2://", 1
        ),
        "DAGSTER_STORAGE_DIR": str(storage),
        "DAGSTER_CODE_HOST": settings.dagster_code_host,
        "DAGSTER_CODE_PORT": str(settings.dagster_code_port),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
        # dlt warns at each load that the types of the frames are kept, which is what is wanted.
        "RUNTIME__LOG_LEVEL": "ERROR",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "DATA_DIR": str(settings.data_dir.absolute()),
        "LOG_DIR": str(settings.log_dir.absolute()),
    }
