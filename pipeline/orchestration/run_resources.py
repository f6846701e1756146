"""What the assets of a run share: its lease on the database and the frames between its steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from psycopg import Connection
from psycopg.rows import TupleRow

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.publish import leases
from pipeline.run.frames import Frames, FramesOfRuns

OWNERS = ["team:job-market"]

RETRIES = dg.RetryPolicy(
    max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS
)

SettingsResource = dg.ResourceParam[Settings]
FramesResource = dg.ResourceParam[FramesOfRuns]


@contextmanager
def leased(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[Connection[TupleRow]]:
    """A connection of this run, which has the lease. Where another run has it, this one fails at
    once: trying again would not help."""

    def is_in_progress(run_id: str) -> bool:
        run = context.instance.get_run_by_id(run_id)
        return run is not None and not run.is_finished

    with database.connect(settings) as connection:
        try:
            leases.take(connection, context.run.run_id, is_in_progress)
        except (leases.RunInProgressError, leases.SupersededError) as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        yield connection


def frames_of_run(
    context: dg.AssetExecutionContext, connection: Connection[TupleRow], frames: FramesOfRuns
) -> Frames:
    """The frames of this run. One that begins later than with reading goes on from those of the
    run that it repeats, otherwise of the run before it; a publish refuses outdated ones."""
    run = context.run
    earlier = (run.parent_run_id, run.root_run_id, leases.run_before(connection, run.run_id))
    return frames.of(run.run_id, [run_id for run_id in earlier if run_id is not None])
