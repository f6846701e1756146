"""Who may start runs, and the headers that every answer carries."""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.installation.settings import Settings
from serving.problems import ProblemError

_HEADER = APIKeyHeader(
    name="X-API-Key",
    auto_error=False,
    description=(
        "The value of `API_KEY` in the configuration of the API, or the key that `job-market up` "
        "shows."
    ),
)
_BEARER = HTTPBearer(auto_error=False, description="The same key, as `Authorization: Bearer`.")

NO_KEY = "Nobody may do this, because the API has no key. Set API_KEY, and send it as X-API-Key."

_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
# Swagger UI starts with an inline script and styles itself inline. The pages show no data of
# others until the reader asks for it.
_DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src blob:; frame-ancestors 'none'; base-uri 'none'"
)
_DOCS_PATHS = ("/docs", "/redoc", "/static-offline-docs")


class Keys:
    """The keys that are known, by their hashes alone."""

    def __init__(self, settings: Settings) -> None:
        self._hashes = [bytes.fromhex(key) for key in settings.api_key_hashes]
        if settings.api_key is not None:
            self._hashes.append(_hash(settings.api_key.get_secret_value()))

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def know(self, key: str) -> bool:
        """Whether this is one of them, in a time that does not tell how much of it is right."""
        given = _hash(key)
        return sum(hmac.compare_digest(given, known) for known in self._hashes) > 0


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def key_in(headers: Headers) -> str | None:
    """The key that a request carries."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    bearer = credentials.strip() if scheme.lower() == "bearer" else None
    return headers.get("x-api-key") or bearer or None


async def _authorize(
    request: Request,
    header: Annotated[str | None, Security(_HEADER)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> None:
    keys: Keys = request.app.state.keys
    if not keys:
        raise ProblemError(HTTPStatus.FORBIDDEN, NO_KEY)
    given = key_in(request.headers)
    if given is None or not keys.know(given):
        what = "needs a key" if given is None else "does not know this key"
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            f"The API {what}. Send the value of API_KEY, or the key that `job-market up` shows, as "
            "X-API-Key.",
            headers={"WWW-Authenticate": 'Bearer realm="job-market"'},
        )


Authorized = Depends(_authorize)
"""A dependency that ends the request with 401 or 403 unless the caller may start runs."""


class SecurityHeadersMiddleware:
    """ASGI middleware that adds the security headers. Strict-Transport-Security is for
    production alone: elsewhere it would lock developers out of plain ``localhost``."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        headers = {
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        if settings.environment == "production":
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._headers = Headers(headers | {"Content-Security-Policy": _CONTENT_POLICY}).raw
        self._of_docs = Headers(headers | {"Content-Security-Policy": _DOCS_POLICY}).raw

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_docs = scope["path"].startswith(_DOCS_PATHS)
        headers = self._of_docs if is_docs else self._headers

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self.app(scope, receive, add)
