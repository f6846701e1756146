"""``/api/jobs``: the published jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote

import orjson
import psycopg
from fastapi import APIRouter, Path, Query, Request
from psycopg.rows import DictRow
from pydantic import AwareDatetime, Field, TypeAdapter

from serving import queries
from serving.clients.database import Database
from serving.clients.editions import Editions, version_of
from serving.models import Job, JobPostings, Jobs, JobsQuery, NoQuery, Text
from serving.problems import ProblemError, documented, unavailable
from serving.responses import json_answer, link_to_next
from serving.search import cursors
from serving.search.columns import Counts
from serving.search.follow import Found, Index
from serving.search.parameters import filters, may_be_misspelled

router = APIRouter(tags=["jobs"])

UNAVAILABLE = "No database connection is available. Ask again in a moment."
_NO_JOB = "There is no job with this id. It may have been removed."
FEW = 3
"""With fewer matches than this, jobs that read alike are looked for."""
ALIKE_MS = 300
"""How long that may take."""
_ATTEMPTS = 5

Mode = Literal["newest", "moved", "relevance", "alike"]
"""By which statement a page is read. A list by date ends with the jobs that were moved to its front
while it was read."""
_Version = Annotated[int, Field(ge=0, le=2**62)]
_Place = tuple[
    Mode,
    Annotated[float, Field(allow_inf_nan=False)],
    AwareDatetime | Literal["-infinity", "infinity"],
    Text,
    _Version,
    _Version,
]
"""The mode, the score, the time and the id of the last job of the page before, and of which publish
the list was when its reading began, or ended: ``since`` and ``until`` of ``jobs_moved.sql``."""
_BEFORE_ALL = (0, "infinity", "")
_PLACE = TypeAdapter(tuple[str, _Place])


def _mode(query: JobsQuery, asked: Mapping[str, Any]) -> Mode:
    """How the first page is read, unless it finds too few."""
    ranked = query.sort == "relevance" and asked["search"] is not None
    return "relevance" if ranked else "newest"


def identity(query: JobsQuery) -> str:
    """What the cursors of this query belong to: the list as it is searched, filtered and sorted.
    ``limit``, ``offset`` and ``facets`` may be others on each page."""
    asked = filters(query)
    return cursors.identity("jobs", asked | {"sort": _mode(query, asked)})


def place(query: JobsQuery) -> tuple[Mode, dict[str, Any]]:
    """Which statement the page is read with, and where it begins.

    Raises:
        ProblemError: 422, the cursor is not one of this query.
    """
    asked = filters(query)
    mode = _mode(query, asked)
    names = ("after_score", "after_at", "after_id", "since", "until")
    after: dict[str, Any] = dict.fromkeys(names)
    if query.cursor:
        mode, *values = cursors.read(query.cursor, identity(query), _PLACE)
        if mode in ("relevance", "alike") and asked["search"] is None:
            raise cursors.refused("is one of a search, and there is none")
        after = dict(zip(names, values, strict=True))
    return mode, after | {"limit": query.limit, "offset": query.offset}


_STATEMENTS = {
    "newest": queries.JOBS,
    "moved": queries.JOBS_MOVED,
    "relevance": queries.JOBS_BY_RELEVANCE,
}


async def _page(
    begin: tuple[Mode, dict[str, Any]],
    database: Database,
    index: Index,
    asked: dict[str, Any],
    found: Found | None,
) -> tuple[Mode, DictRow]:
    """The page as a row of ``page_answer.sql``, and the mode it was found in."""
    mode, page = begin
    if mode == "alike":
        return mode, await _alike(database, index, asked, page, found)
    if mode == "moved":
        return mode, await _in_mode(mode, database, asked | page, found)
    looks_for_more = page["after_id"] is None and may_be_misspelled(asked["search"])
    if found is not None and found.total < FEW and looks_for_more:
        alike = await index.find_alike(asked, page)
        if alike is not None and alike.ids is not None and alike.total > found.total:
            return "alike", await _of_found(database, alike, page["limit"])
        looks_for_more = alike is None
    row = await _in_mode(mode, database, asked | page, found)
    if row["total"] < FEW and looks_for_more:
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            alike_row = await _alike_by_postgresql(database, asked | page)
            if alike_row["total"] > row["total"]:
                return "alike", alike_row
    return mode, row


async def _in_mode(
    mode: Mode, database: Database, parameters: dict[str, Any], found: Found | None
) -> DictRow:
    if found is not None and found.ids is not None and mode != "moved":
        if mode == "newest":
            return await _of_found(database, found, parameters["limit"])
        ranked = parameters | {"ids": found.ids, "total": found.total}
        (row,) = await database.fetch(queries.JOBS_RANKED, ranked, plan_once=True)
        return row
    known = {
        "known_edition": found.edition if found else None,
        "known_total": found.total if found else None,
    }
    (row,) = await database.fetch(_STATEMENTS[mode], parameters | known)
    return row


async def _next(
    query: JobsQuery,
    mode: Mode,
    page: dict[str, Any],
    row: DictRow,
    database: Database,
    asked: dict[str, Any],
) -> str | None:
    """The cursor of the page after ``row``, if there is one: behind the last page by date are the
    jobs that were moved to the front meanwhile, in as many rounds as publishes went by."""
    version = version_of(row["edition"]) if row["edition"] else 0
    since, until = page["since"], page["until"]
    if since is None:
        since = until = version
    if row["last"]:
        return cursors.write(identity(query), mode, *row["last"], since, until)
    begin = until if mode == "moved" else since
    if version == begin or mode not in ("newest", "moved"):
        return None
    rest = {"after_id": None, "after_at": None, "since": begin, "until": version}
    moved = await _in_mode("moved", database, asked | rest | {"limit": 1, "offset": 0}, None)
    if moved["jobs"] == "[]":
        return None
    return cursors.write(identity(query), "moved", *_BEFORE_ALL, begin, version)


async def _of_found(database: Database, found: Found, limit: int) -> DictRow:
    page = {"ids": found.ids, "scores": found.scores, "total": found.total, "limit": limit}
    (row,) = await database.fetch(queries.JOBS_FOUND, page, plan_once=True)
    return row


async def _alike(
    database: Database,
    index: Index,
    asked: dict[str, Any],
    page: dict[str, Any],
    found: Found | None,
) -> DictRow:
    if found is not None:
        alike = await index.find_alike(asked, page)
        if alike is not None and alike.ids is not None:
            return await _of_found(database, alike, page["limit"])
    return await _alike_by_postgresql(database, asked | page)


async def _alike_by_postgresql(database: Database, parameters: dict[str, Any]) -> DictRow:
    (row,) = await database.fetch(queries.JOBS_ALIKE, parameters, timeout_ms=ALIKE_MS)
    return row


@router.get(
    "/api/jobs",
    summary="List and search jobs",
    response_model=Jobs,
    responses=documented(
        {422: "limit: Input should be less than or equal to 200", 503: UNAVAILABLE}
    ),
)
async def list_jobs(
    query: Annotated[JobsQuery, Query()],
    request: Request,
) -> Any:
    """The jobs that match all of the given filters, the newest first, and how many there are.
    The total, the facets and the page are of the same publish. Formats other than JSON are at
    `/api/jobs.csv`, `.ndjson`, `.parquet` and `.atom`."""
    database: Database = request.app.state.database
    index: Index = request.app.state.index
    editions: Editions = request.app.state.editions
    asked = filters(query)
    begin = place(query)
    mode, page = begin
    indexed, ranked = True, mode == "relevance"
    for attempt in range(_ATTEMPTS):
        found = None
        if indexed:
            found = await index.find(asked, page, query.facets, ranked=ranked)
        mode, row = await _page(begin, database, index, asked, found)
        facets: dict[str, Any] | None = None
        if found is not None:
            if row["edition"] == found.edition:
                facets = {str(name): _told(found.facets[name]) for name in query.facets}
                break
            editions.saw(row["edition"])
            # Where publishes follow each other so fast that the index is always one behind,
            # PostgreSQL finds as well.
            indexed = await index.reach(row["edition"]) and attempt + 3 < _ATTEMPTS
            continue
        if not query.facets:
            break
        (counts,) = await database.fetch(queries.FACETS, asked | {"facets": list(query.facets)})
        if counts["edition"] == row["edition"]:
            facets = _all_of(list(query.facets), counts["facets"])
            break
    else:
        raise unavailable("The jobs are published too often to be counted. Ask again in a moment.")
    editions.saw(row["edition"])
    cursor = await _next(query, mode, page, row, database, asked)
    body = b'{"total":%d,"match":"%s","next":%s,"jobs":%s,"attribution":%s%s}' % (
        row["total"],
        b"alike" if mode == "alike" else b"exact",
        orjson.dumps(cursor),
        row["jobs"].encode(),
        row["attribution"].encode(),
        b"" if not query.facets else b',"facets":' + orjson.dumps(facets),
    )
    headers = {"Link": link_to_next(request, cursor)} if cursor else {}
    return json_answer(body, row["edition"], headers)


def _told(counts: Counts) -> list[dict[str, Any]]:
    return [{"value": value, "jobs": jobs} for value, jobs in counts]


def _all_of(names: list[str], facets: str) -> dict[str, Any]:
    found = orjson.loads(facets)
    return {name: found.get(name, []) for name in names}


@router.get(
    "/api/jobs/{job_id:path}/postings",
    summary="Read why postings are one job",
    response_model=JobPostings,
    responses=documented({404: _NO_JOB, 422: "x: There is no such parameter", 503: UNAVAILABLE}),
)
async def read_postings(
    job_id: Annotated[Text, Path(description="Its id, or that of one of its postings.")],
    query: Annotated[NoQuery, Query()],
    request: Request,
) -> Any:
    """Every posting of the job, with the rule, the evidence and the score that joined it."""
    row = await _found(request, queries.POSTINGS, job_id)
    body = b'{"job_id":%s,"postings":%s}' % (
        orjson.dumps(row["job_id"]),
        row["postings"].encode(),
    )
    return json_answer(body, row["edition"])


# The path takes slashes, as the ids of some sources hold them: it must remain the last route
# below /api/jobs/.
@router.get(
    "/api/jobs/{job_id:path}",
    summary="Read one job",
    response_model=Job,
    responses={
        200: {
            "headers": {
                "Content-Location": {
                    "description": "The job's own address.",
                    "schema": {"type": "string"},
                }
            }
        },
        **documented(
            {
                404: _NO_JOB,
                422: "job_id: must not contain the character NUL",
                503: UNAVAILABLE,
            },
            status_422={
                "errors": [{"parameter": "job_id", "message": "must not contain the character NUL"}]
            },
        ),
    },
)
async def read_job(
    job_id: Annotated[Text, Path(description="Its id, or that of one of its postings.")],
    query: Annotated[NoQuery, Query()],
    request: Request,
) -> Any:
    """The job with all of its postings and the reasons why they are taken for one opening. The
    id of a posting that was merged into another job answers with that job. Closed jobs stay
    readable."""
    row = await _found(request, queries.JOB, job_id)
    location = f"/api/jobs/{quote(row['job_id'], safe='')}"
    return json_answer(row["job"].encode(), row["edition"], {"Content-Location": location})


async def _found(request: Request, query: bytes, job_id: str) -> DictRow:
    database: Database = request.app.state.database
    editions: Editions = request.app.state.editions
    rows = await database.fetch(query, {"id": job_id}, plan_once=True)
    if not rows:
        # That it is gone may be news of an edition of which nothing has been answered yet.
        await editions.look()
        raise ProblemError(HTTPStatus.NOT_FOUND, _NO_JOB)
    editions.saw(rows[0]["edition"])
    return rows[0]
