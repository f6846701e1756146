"""``HEAD`` on every address that answers ``GET``."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

IS_HEAD = "is_head"
"""Set in the scope of such a request: what is costly to make need not be made."""


class HeadMiddleware:
    """ASGI middleware that answers ``HEAD`` with the headers of ``GET`` and no body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET", IS_HEAD: True}, receive, without_body)
