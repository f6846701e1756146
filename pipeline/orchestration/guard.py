"""What stands before the Dagster UI.

The UI itself obeys whoever reaches it, by GET and by any POST. That includes each web page that a
browser on the same machine or network shows, under any name that its owner gives this machine's
address. The guard lets through what the UI's own pages, and programs without a browser, ask for.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
import time
from collections.abc import Collection, Sequence
from http import HTTPStatus
from urllib.parse import parse_qs

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

GRAPHQL_PATH = "/graphql"
HEALTH_PATH = "/server_info"
LOGIN_PATH = "/login"
COOKIE = "job_market_ui"
SESSION_SECONDS = 12 * 3600
MAX_FORM_BYTES = 4_096
WEBSOCKET_REFUSED = 1008
"""The close code of a policy violation: https://www.rfc-editor.org/rfc/rfc6455#section-7.4.1"""

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?")

# Joined by browsers with the policy that the UI sends itself, which has nonces for its scripts.
# Images, above all, come from nowhere else: those in a text would tell its author of each look.
_CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_LOGIN_PAGE = """\
<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Job market: Dagster</title>
<form method="post" action="/login">
<p><label>DAGSTER_KEY <input name="key" type="password" autocomplete="current-password" autofocus>
</label> <button>Open the Dagster UI</button></p>
</form></html>
"""


def is_loopback(host: str) -> bool:
    """Whether a host, as in ``DAGSTER_HOST`` or a URL, is this machine and nobody else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Guard:
    """ASGI middleware before the Dagster UI.

    It refuses, with words that say why:

    - a ``Host`` that is neither a loopback name nor among ``hosts``: DNS rebinding
    - what another site's page asks for, by ``Origin``, ``Referer`` or ``Sec-Fetch-Site``
      (https://www.w3.org/TR/fetch-metadata/), except to follow a link to a page of the UI
    - GraphQL by GET, and a POST that is not declared as JSON: what a page can send anywhere
    - methods other than GET, HEAD and POST, so that no preflight request succeeds
    - with a ``key``: whoever has neither sent it as ``Authorization: Bearer`` nor logged in

    WebSockets are held to the same rules. Each answer gets headers that keep the page out of
    frames, and its images and requests within this server.
    """

    def __init__(self, ui: ASGIApp, *, hosts: Collection[str], key: SecretStr | None) -> None:
        self._ui = ui
        self._hosts = frozenset(host.lower() for host in hosts)
        self._key = key.get_secret_value().encode() if key is not None else None
        self._sessions: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._ui(scope, receive, send)
            return
        answer = self._refusal(scope)
        if answer is None and not self._has_shown_the_key(scope):
            answer = await self._asking_for_the_key(scope, receive)
        if answer is not None and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": WEBSOCKET_REFUSED})
            return
        await (answer or self._ui)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = _only(headers.getlist("host")).lower()
        if not self._is_own(host):
            return _refused(
                HTTPStatus.MISDIRECTED_REQUEST,
                "This is not a name of the Dagster UI. Open it as localhost, or add the name to "
                "DAGSTER_ALLOWED_HOSTS.",
            )
        method = "GET" if scope["type"] == "websocket" else scope["method"]
        if method not in ("GET", "HEAD", "POST"):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET, HEAD and POST are answered.")
        if not _is_from_here(headers, host) and not _is_link_to_a_page(scope, headers):
            return _refused(HTTPStatus.FORBIDDEN, "A page of another site may not ask for this.")
        if method == "POST":
            is_form = self._key is not None and scope["path"] == LOGIN_PATH
            expected = "application/x-www-form-urlencoded" if is_form else "application/json"
            declared = _only(headers.getlist("content-type"))
            if declared.partition(";")[0].strip().lower() != expected:
                return _refused(
                    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A POST must be declared as {expected}."
                )
        elif scope["path"] == GRAPHQL_PATH and "query" in QueryParams(scope["query_string"]):
            return _refused(HTTPStatus.METHOD_NOT_ALLOWED, "GraphQL is answered by POST alone.")
        return None

    def _is_own(self, host: str) -> bool:
        match = _HOST.fullmatch(host)
        name = (match[1] or match[2]) if match else ""
        return is_loopback(name) or name in self._hosts

    def _has_shown_the_key(self, scope: Scope) -> bool:
        if self._key is None:
            return True
        connection = HTTPConnection(scope)
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_key(given.strip().encode("latin-1")):
            return True
        return self._sessions.get(connection.cookies.get(COOKIE, ""), 0) > time.monotonic()

    def _is_key(self, given: bytes) -> bool:
        return self._key is not None and hmac.compare_digest(given, self._key)

    async def _asking_for_the_key(self, scope: Scope, receive: Receive) -> Response:
        is_http = scope["type"] == "http"
        if is_http and scope["path"] == LOGIN_PATH and scope["method"] == "POST":
            return await self._login(Request(scope, receive))
        if is_http and scope["path"] == HEALTH_PATH:
            # It is alive; which versions run here is for those with the key.
            return JSONResponse({})
        if "text/html" in Headers(scope=scope).get("accept", ""):
            return HTMLResponse(_LOGIN_PAGE, HTTPStatus.UNAUTHORIZED)
        return _refused(
            HTTPStatus.UNAUTHORIZED,
            "The Dagster UI needs a key. Send DAGSTER_KEY as Authorization: Bearer.",
        )

    async def _login(self, request: Request) -> Response:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_FORM_BYTES:
                return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is no key.")
        given = parse_qs(body.decode("latin-1")).get("key", [""])[0]
        if not self._is_key(given.encode()):
            return HTMLResponse(_LOGIN_PAGE, HTTPStatus.UNAUTHORIZED)
        now = time.monotonic()
        self._sessions = {token: end for token, end in self._sessions.items() if end > now}
        token = secrets.token_urlsafe(32)
        self._sessions[token] = now + SESSION_SECONDS
        answer = Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": "/"})
        answer.set_cookie(
            COOKIE, token, max_age=SESSION_SECONDS, httponly=True, samesite="strict",
            secure=request.headers.get("origin", "").startswith("https:"),
        )  # fmt: skip
        return answer


def _only(values: Sequence[str]) -> str:
    """The value of a header that was sent once; empty where it was not, or again."""
    return values[0] if len(values) == 1 else ""


def _is_from_here(headers: Headers, host: str) -> bool:
    """Whether the UI's own page asks, or no page of a browser at all."""
    own = (f"http://{host}", f"https://{host}")
    sites = headers.getlist("sec-fetch-site")
    referers = [] if "origin" in headers else headers.getlist("referer")
    return (
        all(origin.lower() in own for origin in headers.getlist("origin"))
        and all(site in ("same-origin", "none") for site in sites)
        and all(referer.lower().startswith(tuple(f"{o}/" for o in own)) for referer in referers)
    )


def _is_link_to_a_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser goes to a page of the UI as a whole, as after a click on a link."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and scope["path"] != GRAPHQL_PATH
        and "origin" not in headers
        and headers.getlist("sec-fetch-mode") == ["navigate"]
        and headers.getlist("sec-fetch-dest") == ["document"]
    )


def _refused(status: HTTPStatus, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def _with_headers(send: Send) -> Send:
    async def add(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Content-Security-Policy", _CONTENT_POLICY)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return add
