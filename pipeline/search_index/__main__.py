"""``python -m pipeline.search_index``: bring the index below ``DATA_DIR`` to the published
revision. The API starts it where there is more to do than it does itself."""

from __future__ import annotations

import logging
import sys

from pipeline.installation import database, logs
from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.directory import Directory
from pipeline.search_index.update import update

log = logging.getLogger("pipeline.search_index")


def main() -> None:
    """The entry point."""
    settings = Settings.load()
    logs.configure(settings, "search_index")
    with database.connect(settings) as connection:
        report = update(Directory(settings.search_dir), connection, Analyzer())
    if report is not None:
        log.info(
            "indexed %d documents and merged %d in %.1f s",
            report.indexed, report.merged, report.seconds,
        )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except ConfigurationError as error:
        sys.exit(str(error))
