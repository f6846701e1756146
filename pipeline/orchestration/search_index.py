"""The search index as a Dagster asset."""

import dagster as dg

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.directory import Directory, code_version
from pipeline.search_index.update import update


@dg.asset(
    deps=["published_jobs"],
    group_name="publish",
    kinds={"file"},
    code_version=code_version(),
    owners=["team:job-market"],
    retry_policy=dg.RetryPolicy(max_retries=2, delay=5, jitter=dg.Jitter.PLUS_MINUS),
    description=(
        "The files that the API maps to search the published jobs: a segment for each publish, "
        "merged when they are many. Only what the publish changed is indexed. An API on another "
        "host builds its own from PostgreSQL."
    ),
)
def search_index(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    with database.connect(settings) as connection:
        report = update(Directory(settings.search_dir), connection, Analyzer())
    if report is None:
        return dg.MaterializeResult(metadata={"dagster/row_count": 0})
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": report.commit.documents,
            "revision": report.commit.revision,
            "segments": len(report.commit.segments),
            "megabytes": round(report.commit.octets / 1_000_000, 1),
            # The API may have heard of the publish first, and done it.
            "indexed": report.commit.indexed,
            "merged": report.merged,
            "seconds": round(report.commit.seconds, 1),
        }
    )
