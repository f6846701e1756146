"""``/api/jobs/changes``: what to read to keep a copy of the published jobs up to date."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import Field, TypeAdapter

from serving import queries
from serving.clients.database import DatabaseOfApp
from serving.models import Changes, ChangesQuery, Text
from serving.problems import documented
from serving.responses import json_answer, link_to_next
from serving.routes.jobs import UNAVAILABLE
from serving.search import cursors

router = APIRouter(tags=["jobs"])

_CHANGES = cursors.identity("changes")
_Place = tuple[Annotated[int, Field(ge=0, le=2**62)], Text]
_PLACE = TypeAdapter(tuple[str, _Place])


@router.get(
    "/api/jobs/changes",
    summary="Follow the changes",
    response_model=Changes,
    responses=documented(
        {422: "cursor: must be the 'next' of an earlier answer", 503: UNAVAILABLE}
    ),
)
async def read_changes(
    query: Annotated[ChangesQuery, Query()], request: Request, database: DatabaseOfApp
) -> Any:
    """The jobs that were created, updated, closed or removed after the cursor, each once in its
    latest state, in the order of the publishes. Store or drop them by `id`, keep `next`, and ask
    again with it: at once if there is `more`, else after a while."""
    version, job_id = cursors.read(query.cursor, _CHANGES, _PLACE) if query.cursor else (0, "")
    parameters = {"version": version, "id": job_id, "limit": query.limit}
    (row,) = await database.fetch(queries.CHANGES, parameters)
    request.app.state.revisions.saw(row["revision"])
    moved = row["last_id"] is not None
    cursor = cursors.write(_CHANGES, row["last_version"], row["last_id"]) if moved else query.cursor
    body = b'{"changes":%s,"next":%s,"more":%s}' % (
        row["changes"].encode(),
        orjson.dumps(cursor),
        b"true" if row["more"] else b"false",
    )
    headers = {"Link": link_to_next(request, cursor)} if cursor else {}
    return json_answer(body, row["revision"], headers)
