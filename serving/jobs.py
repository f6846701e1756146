"""``/api/jobs``: the published jobs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from serving import queries
from serving.attributions import AttributionsOfApp
from serving.database import DatabaseOfApp
from serving.models import Job, Jobs, JobsQuery, NoQuery, Text
from serving.problems import ProblemError, documented
from serving.totals import Totals

router = APIRouter(tags=["jobs"])

_UNAVAILABLE = "No database connection is available. Ask again in a moment."


def parameters(query: JobsQuery) -> dict[str, Any]:
    """The filters and the page, as named parameters of the statement ``jobs.sql``."""
    return {
        "search": (query.search or "").strip() or None,
        "sources": query.source or None,
        "employment_types": list(query.employment_type) or None,
        "categories": list(query.category) or None,
        "country": query.country,
        "remote_only": query.remote_only,
        "limit": query.limit,
        "offset": query.offset,
    }


@router.get(
    "/api/jobs",
    summary="List and search jobs",
    responses=documented(
        {422: "limit: Input should be less than or equal to 200", 503: _UNAVAILABLE}
    ),
)
async def list_jobs(
    query: Annotated[JobsQuery, Query()],
    request: Request,
    database: DatabaseOfApp,
    attributions: AttributionsOfApp,
) -> Jobs:
    """The jobs that match all of the given filters, the newest first, and how many there are.
    The total and the page are of the same publish."""
    totals: Totals = request.app.state.totals
    asked = parameters(query)
    rows = await database.fetch(queries.JOBS, asked | totals.known(asked))
    total = rows[0]["total"]
    totals.remember(asked, rows[0]["version"], total)
    found = [row for row in rows if row["job_id"] is not None]
    sources = {source for row in found for source in row["sources"]}
    return Jobs.model_validate(
        {
            "total": total,
            "jobs": [{**row, "id": row["job_id"], "location": row} for row in found],
            "attribution": await attributions.of(sources),
        }
    )


# The path takes slashes, as the ids of some sources hold them: it must remain the last route
# below /api/jobs/.
@router.get(
    "/api/jobs/{job_id:path}",
    summary="Read one job",
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
                404: "There is no job with this id. It may have been removed.",
                422: "job_id: must not contain the character NUL",
                503: _UNAVAILABLE,
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
    response: Response,
    database: DatabaseOfApp,
    attributions: AttributionsOfApp,
) -> Job:
    """The job with all of its postings and the reasons why they are taken for one opening. The
    id of a posting that was merged into another job answers with that job."""
    rows = await database.fetch(queries.JOB, {"id": job_id})
    if not rows:
        raise ProblemError(
            HTTPStatus.NOT_FOUND, "There is no job with this id. It may have been removed."
        )
    row = rows[0]
    response.headers["Content-Location"] = f"/api/jobs/{quote(row['job_id'], safe='')}"
    return Job.model_validate(
        {
            **row,
            "id": row["job_id"],
            "location": row,
            "postings": row["postings"] or [],
            "attribution": await attributions.of(row["sources"]),
        }
    )
