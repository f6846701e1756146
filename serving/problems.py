"""Errors as ``application/problem+json``: https://www.rfc-editor.org/rfc/rfc9457.

Every answer with a status of 400 or more has this form, whatever raised it. None repeats a
value that the caller did not send, a statement or a traceback.
"""

from __future__ import annotations

import difflib
import inspect
import logging
import typing
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""How long a caller should wait before asking an unavailable database or Dagster again."""

log = logging.getLogger(__name__)


class InvalidParameter(BaseModel):
    parameter: str
    message: str


class Problem(BaseModel):
    """What went wrong, and what to do."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="The status says it all, as RFC 9457 defines.")
    title: str
    status: int
    detail: str
    instance: str | None = Field(None, description="The path that was asked for.")
    errors: list[InvalidParameter] | None = Field(None, description="With 422: each fault.")
    run_id: str | None = Field(None, description="The Dagster run that this is about.")


class ProblemError(Exception):
    """Ends a request with this problem. ``members`` are further fields of the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = members


def unavailable(detail: str) -> ProblemError:
    """503, with the time after which to ask again."""
    return ProblemError(
        HTTPStatus.SERVICE_UNAVAILABLE, detail, headers={"Retry-After": str(RETRY_SECONDS)}
    )


def problem_response(path: str, error: ProblemError) -> Response:
    """The answer for ``error``. ``path`` is the decoded path of the request."""
    problem = Problem(
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.detail,
        instance=quote(path),
        **error.members,
    )
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, error.status, error.headers, MEDIA_TYPE)


def documented(statuses: Mapping[int, str], **members: Any) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the problems a route answers with, each with an example.

    Args:
        statuses: the ``detail`` of the example by status.
        members: further fields of the examples, by the name of the field.
    """
    answers: dict[int | str, dict[str, Any]] = {}
    for status, detail in statuses.items():
        phrase = HTTPStatus(status).phrase
        example = {"type": "about:blank", "title": phrase, "status": status, "detail": detail}
        if status == HTTPStatus.UNPROCESSABLE_ENTITY:
            example["errors"] = [
                {"parameter": "limit", "message": "Input should be less than or equal to 200"}
            ]
        example |= members.get(f"status_{status}", {})
        answers[status] = {
            "model": Problem,
            "description": phrase,
            "content": {MEDIA_TYPE: {"example": example}},
        }
    return answers


def _query_parameters(request: Request) -> list[str]:
    """The names of the query parameters of the route that was asked for."""
    endpoint = getattr(request.scope.get("route"), "endpoint", None)
    if endpoint is None:
        return []
    hints = typing.get_type_hints(inspect.unwrap(endpoint)).values()
    models = (h for h in hints if inspect.isclass(h) and issubclass(h, BaseModel))
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _invalid(request: Request, error: RequestValidationError) -> ProblemError:
    faults = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0])
        message = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            known = _query_parameters(request)
            nearest = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"known: {', '.join(known)}."
            message = f"There is no such parameter; {hint}"
        faults.append(InvalidParameter(parameter=name, message=message))
    detail = "; ".join(f"{fault.parameter}: {fault.message}" for fault in faults[:3])
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, errors=faults)


def _of_database(error: Exception) -> ProblemError:
    match error:
        case psycopg.errors.QueryCanceled():
            return unavailable("The query took too long. Narrow the search, or ask again later.")
        case PoolTimeout() | PoolClosed() | TooManyRequests():
            return unavailable("No database connection is available. Ask again in a moment.")
        case (
            psycopg.errors.UndefinedTable()
            | psycopg.errors.UndefinedColumn()
            | psycopg.errors.UndefinedFunction()
        ):
            return unavailable("The database is not migrated. Run an ingestion, then ask again.")
        case _:
            return unavailable("The database is not reachable. Ask again in a moment.")


def install(app: FastAPI) -> None:
    """Register the handlers that turn every exception of ``app`` into a problem."""

    async def raised(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)  # noqa: S101 - registered for this type only
        return problem_response(request.scope["path"], error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        phrase = HTTPStatus(error.status_code).phrase
        details = {
            HTTPStatus.NOT_FOUND: "There is nothing at this address; see /docs.",
            HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not possible here; see /docs.",
        }
        detail = details.get(HTTPStatus(error.status_code), error.detail or phrase)
        headers = {
            # HeadMiddleware answers HEAD wherever GET is answered.
            name: value.replace("GET", "GET, HEAD") if name == "Allow" else value
            for name, value in (error.headers or {}).items()
        }
        problem = ProblemError(error.status_code, detail, headers=headers)
        return problem_response(request.scope["path"], problem)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problem_response(request.scope["path"], _invalid(request, error))

    async def database(request: Request, error: Exception) -> Response:
        problem = _of_database(error)
        log.warning("%s (%s)", problem.detail, type(error).__name__)
        return problem_response(request.scope["path"], problem)

    app.add_exception_handler(ProblemError, raised)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    for kind in (
        psycopg.OperationalError,
        psycopg.errors.UndefinedTable,
        psycopg.errors.UndefinedColumn,
        psycopg.errors.UndefinedFunction,
    ):
        app.add_exception_handler(kind, database)


class AnswerUnexpectedErrors:
    """ASGI middleware: an exception that no handler knows is logged and answered with a 500
    that tells nothing of the inside. It sits below the middleware that adds headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            log.exception("%s %s failed unexpectedly", scope["method"], scope["path"])
            if started:
                raise
            error = ProblemError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "The request failed unexpectedly. The cause is in the log of the API.",
            )
            await problem_response(scope["path"], error)(scope, receive, send)
