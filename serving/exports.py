"""``/api/jobs.csv`` and the like: all jobs of a query in other formats, as a stream."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from psycopg.rows import DictRow
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


LIST_PATH = "/api/jobs"
FORMATS = [
    Format("csv", "text/csv", "id,source,title\r\na_1,a,Engineer\r\n", lambda _: Csv()),
    Format("ndjson", "application/x-ndjson", '{"id": "a_1"}\n', lambda _: Ndjson()),
    Format("parquet", "application/vnd.apache.parquet", "PAR1…PAR1", lambda _: Parquet()),
    Format("atom", "application/atom+xml", "<feed>…</feed>", Atom, FEED_ENTRIES),
]


_EXTENSIONS = {form.media_type: form.extension for form in FORMATS} | {"application/json": "json"}


class ChooseFormat:
    """ASGI middleware: a request for the list whose ``Accept`` likes another format better than
    JSON is answered as if it had asked for that extension."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != LIST_PATH or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        extension = _preferred(Headers(scope=scope).get("accept", ""))
        if extension is not None:
            path = f"{LIST_PATH}.{extension}"
            scope = {**scope, "path": path, "raw_path": path.encode()}

        async def vary(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).add_vary_header("Accept")
            await send(message)

        await self.app(scope, receive, vary)


def _preferred(accept: str) -> str | None:
    """The extension of the format with the highest quality in ``accept``; none for JSON, which
    is what wildcards and unknown types get."""
    best, highest = None, 0.0
    for part in accept.lower().split(","):
        media_type, _, parameters = part.partition(";")
        quality = 1.0
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                with contextlib.suppress(ValueError):
                    quality = float(value)
        extension = _EXTENSIONS.get(media_type.strip())
        if extension is not None and quality > highest:
            best, highest = extension, quality
    return None if best == "json" else best


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
