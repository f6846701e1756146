"""``/api/jobs.csv`` and the like: all jobs of a query in other formats, as a stream."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import chain, islice
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from psycopg.rows import DictRow
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.declaration import Day, Field, Moment, Money
from pipeline.fields import exported
from pipeline.installation.settings import Settings
from pipeline.transform.understanding.rates import Rates, in_use
from serving import queries, validators
from serving.clients.database import Database, DatabaseOfApp
from serving.clients.revisions import Revisions
from serving.formats import Atom, Csv, Ndjson, Parquet, Writer
from serving.middleware.head import IS_HEAD
from serving.models import CsvQuery, ExportQuery
from serving.problems import documented, unavailable
from serving.routes.jobs import UNAVAILABLE
from serving.search.parameters import ANALYZER, as_installed, asked
from serving.search.query import parse
from serving.search.searcher import Searcher
from serving.search.service import SearchService

FEED_ENTRIES = 100
MAX_FEED_ENTRIES = 10_000
"""The entries of an Atom feed whose query has no limit, and at most: they are written at once."""

ROWS_AT_ONCE = 1_000
BEGIN_SECONDS = 10.0
"""How long an export waits for rows and index to be of one publish. Where publishes follow each
other faster than they are indexed, they seldom are."""
PAUSE_SECONDS = 0.02
READER_SECONDS = 30.0
"""How long the reader of an export may take nothing of it."""

log = logging.getLogger(__name__)

router = APIRouter(tags=["jobs"])

LIST_PATH = "/api/jobs"


def _example(field: Field) -> Any:
    """Of a column of an export, as PostgreSQL answers it."""
    match field.kind:
        case Money():
            return Decimal(field.example)
        case Moment():
            return datetime.fromisoformat(field.example)
        case Day():
            return date.fromisoformat(field.example)
        case _:
            return field.example


_EXAMPLE = {field.shown_as: _example(field) for field in exported()}
_FEED_EXAMPLE = {"feed_updated_at": _EXAMPLE["updated_at"]}


@dataclass(frozen=True)
class Format:
    """A format by the extension of the path, and the statement that its rows are read with."""

    extension: str
    media_type: str
    writer: Callable[[URL, ExportQuery], Writer]
    query: type[ExportQuery] = ExportQuery
    rows: int | None = None
    statement: bytes = queries.EXPORT
    is_text: bool = True

    @property
    def is_feed(self) -> bool:
        """Whether it holds what was found last, not what was posted last."""
        return self.statement == queries.FEED

    def described(self) -> dict[str, Any]:
        """The answer as OpenAPI describes it."""
        if not self.is_text:
            return {"schema": {"type": "string", "format": "binary"}, "example": "PAR1…PAR1"}
        url = URL(f"https://example.com{LIST_PATH}.{self.extension}")
        writer = self.writer(url, self.query.model_validate({}))
        example = writer.batch([_EXAMPLE | _FEED_EXAMPLE]) + writer.end()
        return {"schema": {"type": "string"}, "example": example.decode()}


def _csv(_: URL, query: ExportQuery) -> Csv:
    return Csv(bom=isinstance(query, CsvQuery) and query.bom)


def _atom(url: URL, _: ExportQuery) -> Atom:
    listed = url.replace(path=url.path.removesuffix(".atom")).remove_query_params("limit")
    return Atom(str(url) if url.netloc else f"urn:jobs:{url}", str(url), str(listed))


FORMATS = [
    Format("csv", "text/csv", _csv, CsvQuery),
    Format("ndjson", "application/x-ndjson", lambda *_: Ndjson()),
    Format(
        "parquet", "application/vnd.apache.parquet", lambda *_: Parquet(), is_text=False
    ),
    Format(
        "atom", "application/atom+xml", _atom, rows=FEED_ENTRIES, statement=queries.FEED,
    ),
]  # fmt: skip


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


class _Stream(StreamingResponse):
    """A stream that is cut where its reader takes nothing for :data:`READER_SECONDS`, so that it
    does not keep a place and a snapshot of the database from others."""

    async def stream_response(self, send: Send) -> None:
        async def within_time(message: Message) -> None:
            async with asyncio.timeout(READER_SECONDS):
                await send(message)

        try:
            await super().stream_response(within_time)
        except TimeoutError:
            log.warning("a reader took nothing of an export for %s s", READER_SECONDS)
        finally:
            if isinstance(self.body_iterator, AsyncGenerator):
                await self.body_iterator.aclose()


async def _bytes(
    writer: Writer, first: Sequence[DictRow], rest: AsyncGenerator[list[DictRow], None]
) -> AsyncGenerator[bytes, None]:
    # A reader that leaves gives its place to the next at once, not when memory is cleared up.
    async with contextlib.aclosing(rest):
        if first:
            yield await run_in_threadpool(writer.batch, first)
            async for batch in rest:
                yield await run_in_threadpool(writer.batch, batch)
        yield await run_in_threadpool(writer.end)


@dataclass(frozen=True)
class _Begun:
    """The rows of an export, with the first batch, and the revision that all of them are of; none
    before the first publish."""

    revision: str | None
    first: list[DictRow]
    rest: AsyncGenerator[list[DictRow], None]


async def _begun(
    form: Format, query: ExportQuery, limit: int | None, request: Request, database: Database
) -> _Begun:
    """A failure of the query is still an answer of its own; one of a later batch cuts the
    stream. Rows and index are of one publish, or the export does not begin."""
    search: SearchService = request.app.state.search
    revisions: Revisions = request.app.state.revisions
    settings: Settings = request.app.state.settings
    query = as_installed(query, settings)
    deadline = time.monotonic() + BEGIN_SECONDS
    while time.monotonic() < deadline:
        searcher = await search.searcher()
        if searcher is None:
            return _Begun(None, [], _nothing())
        parts = await _found(form, query, limit, in_use(settings.data_dir), search, searcher)
        first_part = next(parts, None)
        if first_part is None:
            return _Begun(searcher.commit.revision, [], _nothing())
        given = ({"ids": ids} for ids in chain([first_part], parts))
        rows = database.stream(form.statement, given)
        first: list[DictRow] = await anext(rows, [])
        if first and first[0]["revision"] == searcher.commit.revision:
            return _Begun(searcher.commit.revision, first, rows)
        await rows.aclose()
        await revisions.look()
        if search.is_indexing_much:
            break
        await asyncio.sleep(PAUSE_SECONDS)
    raise unavailable("What was just published is being indexed. Ask again in a moment.")


async def _found(
    form: Format,
    query: ExportQuery,
    limit: int | None,
    table: Rates,
    search: SearchService,
    searcher: Searcher,
) -> Iterator[list[str]]:
    """The ids of the jobs, so many at a time; those of a feed together."""
    wanted = asked(query, table)
    tree = parse(wanted.search, ANALYZER) if wanted.search is not None else None

    def find() -> Iterator[list[str]]:
        found = searcher.filter(wanted.conditions)
        if wanted.search is not None:
            found = searcher.search(tree, found)
        if form.is_feed:
            latest = searcher.latest(found, min(limit or FEED_ENTRIES, MAX_FEED_ENTRIES))
            return iter([list(map(searcher.job_id, latest))] if latest else [])
        return _in_parts(map(searcher.job_id, islice(searcher.hits(found), limit)))

    return await search.run(find, is_quick=searcher.is_quick(tree) and not form.is_feed)


def _in_parts(ids: Iterator[str]) -> Iterator[list[str]]:
    while part := list(islice(ids, ROWS_AT_ONCE)):
        yield part


async def _nothing() -> AsyncGenerator[list[DictRow], None]:
    for batch in list[list[DictRow]]():
        yield batch


async def _export(form: Format, query: ExportQuery, request: Request, database: Database) -> Any:
    revisions: Revisions = request.app.state.revisions
    revision = revisions.latest
    if revision is not None:
        known = validators.of_revision(revision, form.extension)
        if validators.is_known(request.headers, Headers(known)):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=known)
    begun = await _begun(form, query, query.limit or form.rows, request, database)
    headers = {"Cache-Control": "no-cache"}
    if begun.revision is not None:
        headers = validators.of_revision(begun.revision, form.extension)
    headers["Content-Disposition"] = f'inline; filename="jobs.{form.extension}"'
    if request.scope.get(IS_HEAD):
        await begun.rest.aclose()
        begun = _Begun(begun.revision, [], _nothing())
    here = f"{request.scope['path']}?{request.url.query}".rstrip("?")
    writer = form.writer(URL(f"{request.app.state.settings.api_url or ''}{here}"), query)
    return _Stream(
        _bytes(writer, begun.first, begun.rest), headers=headers, media_type=form.media_type
    )


def _route(form: Format) -> Any:
    async def export(query: ExportQuery, request: Request, database: DatabaseOfApp) -> Any:
        return await _export(form, query, request, database)

    export.__name__ = f"export_{form.extension}"
    export.__annotations__["query"] = Annotated[form.query, Query()]
    first = "found last" if form.is_feed else "newest"
    export.__doc__ = (
        f"All jobs that match, the {first} first, of one publish. `limit` bounds them"
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
                "content": {_form.media_type: _form.described()},
            },
            **documented({422: "country.0: String should match pattern", 503: UNAVAILABLE}),
        },
    )(_route(_form))
