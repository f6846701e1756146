"""When runs start by themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from pipeline.extract.exchange_rates import renewed
from pipeline.installation.settings import Settings
from pipeline.transform.understanding.rates import RatesError, in_use

RATES_AGE = timedelta(days=30)
"""From this age on exchange rates are renewed. Later ones compute everything anew."""

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def cron(minutes: int) -> str:
    """The cron expression for every so many minutes, which divide an hour or a day evenly."""
    if minutes < 60:
        return f"*/{minutes} * * * *" if minutes > 1 else "* * * * *"
    hours = minutes // 60
    return f"0 */{hours} * * *" if 1 < hours < 24 else "0 * * * *" if hours == 1 else "0 0 * * *"


def ingest_schedule(
    job_name: str, minutes: int, run_config: Mapping[str, Any]
) -> dg.ScheduleDefinition:
    """Run the whole flow with a configuration, every so many minutes."""

    @dg.schedule(
        name="ingest_schedule",
        job_name=job_name,
        cron_schedule=cron(minutes),
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Every {minutes} minutes, unless a run is still unfinished.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        unfinished = context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED), limit=1)
        if unfinished:
            return dg.SkipReason(f"The run {unfinished[0].run_id} has not ended yet.")
        return dg.RunRequest(run_config=run_config, tags={"job_market/started_by": "schedule"})

    return schedule


@dg.op(description="Remove runs, their events and their logs beyond the retention.")
def remove_old_runs(
    context: dg.OpExecutionContext,
    settings: dg.ResourceParam[Settings],
) -> None:
    oldest = datetime.now(UTC) - timedelta(days=settings.run_retention_days)
    removed = 0
    while runs := context.instance.get_runs(dg.RunsFilter(created_before=oldest), limit=100):
        for run in runs:
            context.instance.compute_log_manager.delete_logs(prefix=[run.run_id])
            context.instance.delete_run(run.run_id)
            removed += 1
    context.log.info(f"removed {removed} runs from before {oldest:%Y-%m-%d}")


@dg.op(description="Fetch the ECB's reference rates where those in use are old.")
def renew_exchange_rates(
    context: dg.OpExecutionContext,
    settings: dg.ResourceParam[Settings],
) -> None:
    day = in_use(settings.data_dir).day
    is_old = datetime.now(UTC).date() - day >= RATES_AGE
    if is_old and settings.exchange_rates_url != "none":
        try:
            day = renewed(settings.data_dir, settings.exchange_rates_url).day
        except RatesError as error:
            # Without a network the bundled ones serve.
            context.log.warning(str(error))
    context.log.info(f"the exchange rates are those of {day}")


@dg.job(
    executor_def=dg.in_process_executor,
    description="Keeps Dagster's own storage small and the exchange rates of this month.",
)
def housekeeping() -> None:
    remove_old_runs()
    renew_exchange_rates()


housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping_schedule",
    job=housekeeping,
    cron_schedule="17 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
