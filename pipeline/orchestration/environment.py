"""What Dagster's own processes need in their environment: ``dagster.yaml`` and
``workspace.yaml`` read these variables, so that both files serve every way of starting."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.installation.settings import ConfigurationError, Settings

DEFINITIONS_MODULE = "pipeline.orchestration.definitions"


def project_dir() -> Path:
    """The folder that holds ``dagster.yaml`` and ``workspace.yaml``: ``DAGSTER_HOME`` if set,
    otherwise the working directory, otherwise the checkout that this package is part of.

    Raises:
        ConfigurationError: none of them has the files.
    """
    candidates = [Path.cwd(), Path(__file__).parents[2]]
    if home := os.environ.get("DAGSTER_HOME"):
        candidates.insert(0, Path(home))
    for candidate in candidates:
        if (candidate / "dagster.yaml").is_file() and (candidate / "workspace.yaml").is_file():
            return candidate.absolute()
    raise ConfigurationError(
        "DAGSTER_HOME is not usable: no dagster.yaml and workspace.yaml in it. Start from the "
        "project's folder, or set DAGSTER_HOME to it."
    )


def dagster_environment(settings: Settings) -> dict[str, str]:
    """The variables for a Dagster process, to be added to the environment.

    Raises:
        ConfigurationError: the project's folder is not found, or there is no database URL.
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
        "DAGSTER_HOME": str(project_dir()),
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
