"""``/api/stats``, ``/api/sources``, ``/api/rejected`` and ``/api/runs``: what is published, what is
not, and how it came about."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter

from serving import queries
from serving.clients.database import DatabaseOfApp
from serving.models import (
    NoQuery,
    Publishes,
    PublishesQuery,
    RejectedPostings,
    RejectedQuery,
    Sources,
    Statistics,
    Text,
)
from serving.problems import documented
from serving.responses import json_answer
from serving.routes.jobs import UNAVAILABLE
from serving.search import cursors

STATISTICS_MS = 30_000
"""How long the statistics may take. They are computed once a publish."""

router = APIRouter(tags=["statistics"])
_REJECTED = cursors.identity("rejected")
_ID = TypeAdapter(tuple[str, tuple[Text]])
_OF_A_LIST = documented({422: "cursor: must be the 'next' of an earlier answer", 503: UNAVAILABLE})
_PROBLEMS = documented({422: "x: There is no such parameter", 503: UNAVAILABLE})


@router.get("/api/stats", summary="Count the jobs", response_model=Statistics, responses=_PROBLEMS)
async def read_statistics(
    query: Annotated[NoQuery, Query()], request: Request, database: DatabaseOfApp
) -> Any:
    """The jobs that are not closed by day, category, source, country and skill, and their
    salaries."""
    (row,) = await database.fetch(queries.STATISTICS, {}, timeout_ms=STATISTICS_MS)
    request.app.state.revisions.saw(row["revision"])
    return json_answer(row["statistics"].encode(), row["revision"])


@router.get("/api/sources", summary="How are the sources?", responses=_PROBLEMS)
async def read_sources(query: Annotated[NoQuery, Query()], database: DatabaseOfApp) -> Sources:
    """How the last fetch from each source went, how old its data is, and what its terms ask to
    be shown."""
    return Sources.model_validate({"sources": await database.fetch(queries.SOURCES, {})})


@router.get("/api/rejected", summary="Why is a posting not shown?", responses=_OF_A_LIST)
async def read_rejected(
    query: Annotated[RejectedQuery, Query()], database: DatabaseOfApp
) -> RejectedPostings:
    """The postings that are not published, each with the reason: it cannot be understood, or it is
    no job in technology. In the order of their ids."""
    after = cursors.read(query.cursor, _REJECTED, _ID)[0] if query.cursor else ""
    parameters = {"after": after, "posting_id": query.posting_id, "limit": query.limit}
    rows = await database.fetch(queries.REJECTED, parameters)
    shown = rows[: query.limit]
    more = len(rows) > query.limit
    following = cursors.write(_REJECTED, shown[-1]["posting_id"]) if more else None
    return RejectedPostings.model_validate({"postings": shown, "next": following})


@router.get("/api/runs", summary="List what was published", responses=_PROBLEMS)
async def list_runs(
    query: Annotated[PublishesQuery, Query()], database: DatabaseOfApp
) -> Publishes:
    """The statistics of each run that published, the latest first. Read on with `before`, the
    version of the last one."""
    rows = await database.fetch(queries.PUBLISHES, query.model_dump())
    return Publishes.model_validate({"runs": rows})
