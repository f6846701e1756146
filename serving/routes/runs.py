"""``/api/jobs/ingest`` and ``/api/runs``: start and watch ingestion runs in Dagster."""

from __future__ import annotations

import asyncio
import logging
import time
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse

from pipeline.installation.settings import Settings
from pipeline.publish.statistics import RUN_STATISTICS, as_statistics
from serving.clients.dagster import Dagster, DagsterOfApp, Run
from serving.clients.database import Database, DatabaseOfApp
from serving.clients.revisions import Revisions
from serving.middleware.security import NO_KEY, Authorized
from serving.models import IngestQuery, NoQuery, RunState, RunStatistics, StartedRun
from serving.problems import ProblemError, documented

LAUNCH_LOCK = 0x6A6F6273
"""The advisory lock under which the API looks for an unfinished run and starts one ("jobs")."""
POLL_SECONDS = 1.0
_RUN_ID = "5a8b6c1e-0f6d-4a51-b7a7-5a0d5f4c2f11"
_DENIED = {
    401: "The API needs a key. Send the value of API_KEY, or the key that `job-market up` shows, "
    "as X-API-Key.",
    403: NO_KEY,
}
_DAGSTER_DOWN = "The Dagster webserver does not answer. Start it with `job-market`, and ask again."
_RUN_LINK = {
    "Location": {"description": "Where the run can be watched.", "schema": {"type": "string"}}
}

router = APIRouter(tags=["operation"], dependencies=[Authorized])
log = logging.getLogger(__name__)


async def _statistics(database: Database, run_id: str) -> RunStatistics | None:
    rows = await database.fetch(RUN_STATISTICS, {"run_id": run_id})
    return RunStatistics.model_validate(as_statistics(rows[0])) if rows else None


async def _launch(database: Database, dagster: Dagster, own_turn: asyncio.Lock) -> str:
    """Start a run unless one is unfinished, in one turn over all processes of the API.

    ``own_turn`` queues the callers of this process, so that they occupy one connection.
    """
    async with own_turn, database.lock(LAUNCH_LOCK):
        running = await dagster.unfinished_run()
        if running is not None:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                f"The run {running} has not ended yet. Wait for it; only one runs at a time.",
                run_id=running,
            )
        return await dagster.launch()


async def _finished(run_id: str, dagster: Dagster, request: Request, seconds: float) -> Run | None:
    """The run once it has ended; ``None`` when the client left or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not await request.is_disconnected():
        run = await dagster.run(run_id)
        if run is None or run.finished:
            return run or Run(run_id, "DELETED", [])
        await asyncio.sleep(POLL_SECONDS)
    return None


@router.post(
    "/api/jobs/ingest",
    summary="Start an ingestion",
    response_model=RunStatistics,
    responses={
        202: {"model": StartedRun, "description": "Started.", "headers": _RUN_LINK},
        **documented(
            _DENIED
            | {
                409: f"The run {_RUN_ID} has not ended yet. Wait for it; only one runs at a time.",
                422: "wait: Input should be a valid boolean",
                502: f"The run {_RUN_ID} ended as FAILURE in: published_jobs.",
                503: _DAGSTER_DOWN,
                504: f"The run {_RUN_ID} has not ended within 60 minutes. It goes on.",
            },
            status_409={"run_id": _RUN_ID},
            status_422={
                "errors": [{"parameter": "wait", "message": "Input should be a valid boolean"}]
            },
            status_502={"run_id": _RUN_ID, "failed_steps": ["published_jobs"]},
            status_504={"run_id": _RUN_ID},
        ),
    },
)
async def ingest(
    query: Annotated[IngestQuery, Query()],
    request: Request,
    database: DatabaseOfApp,
    dagster: DagsterOfApp,
    prefer: Annotated[
        str | None, Header(description="`respond-async` does as `wait=false` (RFC 7240).")
    ] = None,
) -> Any:
    """Fetch from every source and publish, as a run that shows in the Dagster UI. Without
    `wait`, answers at once with the run's id; a client that leaves does not end the run."""
    settings: Settings = request.app.state.settings
    run_id = await _launch(database, dagster, request.app.state.launching)
    log.info("started the ingestion run %s", run_id)
    link = {"Location": f"/api/runs/{run_id}"}
    respond_async = "respond-async" in (prefer or "").lower()
    if respond_async or not query.wait:
        applied = {"Preference-Applied": "respond-async"} if respond_async else {}
        return JSONResponse({"run_id": run_id}, HTTPStatus.ACCEPTED, link | applied)

    minutes = settings.max_run_minutes
    run = await _finished(run_id, dagster, request, minutes * 60)
    if run is None:
        raise ProblemError(
            HTTPStatus.GATEWAY_TIMEOUT,
            f"The run {run_id} has not ended within {minutes} minutes. It goes on.",
            headers=link,
            run_id=run_id,
        )
    if not run.succeeded:
        where = f" in: {', '.join(run.failed_steps)}" if run.failed_steps else ""
        raise ProblemError(
            HTTPStatus.BAD_GATEWAY,
            f"The run {run_id} ended as {run.status}{where}. The Dagster UI shows why.",
            headers=link,
            run_id=run_id,
            failed_steps=run.failed_steps,
        )
    revisions: Revisions = request.app.state.revisions
    statistics = await _statistics(database, run_id)
    if statistics is None:
        raise ProblemError(
            HTTPStatus.BAD_GATEWAY,
            f"The run {run_id} succeeded but published nothing in the database of this API. "
            "Check that Dagster and the API have the same DATABASE_URL.",
            headers=link,
            run_id=run_id,
        )
    # Whoever is told of the publish reads it from here on, however late PostgreSQL's notice is.
    await revisions.look()
    return statistics


@router.get(
    "/api/runs/{run_id}",
    summary="Watch an ingestion",
    responses=documented(
        _DENIED
        | {
            404: "Dagster knows no ingestion run with this id.",
            422: "run_id: Input should be a valid UUID",
            503: _DAGSTER_DOWN,
        },
        status_422={"errors": [{"parameter": "run_id", "message": "Input should be a valid UUID"}]},
    ),
)
async def read_run(
    run_id: UUID,
    query: Annotated[NoQuery, Query()],
    request: Request,
    database: DatabaseOfApp,
    dagster: DagsterOfApp,
) -> RunState:
    """The state of a run in Dagster, with its statistics once it has published."""
    run = await dagster.run(str(run_id))
    if run is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "Dagster knows no ingestion run with this id.")
    statistics = await _statistics(database, run.run_id)
    if statistics is not None:
        await request.app.state.revisions.look()
    return RunState(
        run_id=run.run_id,
        status=run.status,
        failed_steps=run.failed_steps,
        statistics=statistics,
    )
