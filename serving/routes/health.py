"""``/api/health`` and ``/api/ready``: whether the API is alive, and whether it can answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from serving.clients.database import DatabaseOfApp
from serving.models import Health, NoQuery, Ready
from serving.problems import documented, unavailable
from serving.search.service import SearchService

router = APIRouter(tags=["operation"])


@router.get(
    "/api/health",
    summary="Is the API alive?",
    responses=documented({422: "x: There is no such parameter"}),
)
async def health(query: Annotated[NoQuery, Query()], database: DatabaseOfApp) -> Health:
    """Answers 200 within two seconds whenever the API is alive, whatever the database does: a
    restart of the API would not mend that."""
    state, publish = await database.last_publish()
    return Health.model_validate({"status": "alive", "database": state, "last_publish": publish})


@router.get(
    "/api/ready",
    summary="Can the API answer?",
    responses=documented(
        {422: "x: There is no such parameter", 503: "The database is not migrated."}
    ),
)
async def ready(
    query: Annotated[NoQuery, Query()], request: Request, database: DatabaseOfApp
) -> Ready:
    """For a balancer: 503 while the database is away, busy or not migrated, and until there is an
    index of the jobs. The age of the last publish is shown but does not make the API unready: old
    jobs are better than none."""
    state, publish = await database.last_publish()
    if state != "ok":
        raise unavailable(f"The database is {state}.")
    search: SearchService = request.app.state.search
    if publish is not None and search.revision is None:
        raise unavailable("The jobs are being indexed.")
    return Ready.model_validate({"status": "ready", "last_publish": publish})
