"""``/api/jobs.csv`` and the like: all jobs of a query in other formats, as a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from psycopg.rows import DictRow
from starlette.concurrency import run_in_threadpool

from serving import queries
from serving.cache import etag_of
from serving.database import DatabaseOfApp
from serving.formats import Atom, Csv, Ndjson, Parquet, Writer
from serving.jobs import UNAVAILABLE
from serving.models import ExportQuery
from serving.problems import documented
from serving.search import filters

FEED_ENTRIES = 100
"""The entries of an Atom feed whose query has no limit."""

router = APIRouter(tags=["jobs"])


@dataclass(frozen=True)
class Format:
    """A format by the extension of the path."""

    extension: str
    media_type: str
    example: str
    writer: Callable[[str], Writer]
    rows: int | None = None


FORMATS = [
    Format("csv", "text/csv", "id,source,title\r\na_1,a,Engineer\r\n", lambda _: Csv()),
    Format("ndjson", "application/x-ndjson", '{"id": "a_1"}\n', lambda _: Ndjson()),
    Format("parquet", "application/vnd.apache.parquet", "PAR1…PAR1", lambda _: Parquet()),
    Format("atom", "application/atom+xml", "<feed>…</feed>", Atom, FEED_ENTRIES),
]


async def _bytes(
    writer: Writer, first: Sequence[DictRow], rest: AsyncIterator[list[DictRow]]
) -> AsyncIterator[bytes]:
    if first:
        yield await run_in_threadpool(writer.batch, first)
        async for batch in rest:
            yield await run_in_threadpool(writer.batch, batch)
    yield await run_in_threadpool(writer.end)


async def _export(
    form: Format,
    query: Annotated[ExportQuery, Query()],
    request: Request,
    database: DatabaseOfApp,
) -> Any:
    parameters = filters(query) | {"limit": query.limit or form.rows}
    batches = database.stream(queries.EXPORT, parameters)
    # A failure of the query is still an answer of its own; one of a later batch cuts the stream.
    first: list[DictRow] = await anext(batches, [])
    edition = first[0]["edition"] if first else None
    headers = {"ETag": etag_of(edition, form.extension)} if edition else {}
    headers["Content-Disposition"] = f'inline; filename="jobs.{form.extension}"'
    headers["Cache-Control"] = "no-cache"
    writer = form.writer(str(request.url))
    return StreamingResponse(
        _bytes(writer, first, batches), headers=headers, media_type=form.media_type
    )


def _route(form: Format) -> Any:
    async def export(
        query: Annotated[ExportQuery, Query()], request: Request, database: DatabaseOfApp
    ) -> Any:
        return await _export(form, query, request, database)

    export.__name__ = f"export_{form.extension}"
    export.__doc__ = (
        "All jobs that match, the newest first, of one publish. `limit` bounds them"
        + (f"; without it, {form.rows}." if form.rows else ".")
    )
    return export


for _form in FORMATS:
    router.get(
        f"/api/jobs.{_form.extension}",
        summary=f"Jobs as {_form.extension.upper()}",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "A stream.",
                "content": {
                    _form.media_type: {
                        "schema": {"type": "string", "format": "binary"},
                        "example": _form.example,
                    }
                },
            },
            **documented({422: "country.0: String should match pattern", 503: UNAVAILABLE}),
        },
    )(_route(_form))
