"""``/api/health``: whether the API is alive, and how fresh its data is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from serving.database import DatabaseOfApp
from serving.models import Health, NoQuery
from serving.problems import documented

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
