"""Answers kept for as long as nothing is published.

An answer that carries an ``ETag`` holds all of one revision of the published state, so it stays
right until the next. It is kept in this process, and in Redis where replicas share one. Redis
only ever saves work: without it, or when it is slow or full, the answer is computed.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable
from http import HTTPStatus

from cachetools import LRUCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import validators
from serving.clients.redis import RedisClient
from serving.clients.revisions import Revisions

MAX_ANSWER_BYTES = 1_000_000
ENTRY_BYTES = 1_000
"""What an entry is counted for beside its body."""

log = logging.getLogger(__name__)

Answer = tuple[list[tuple[bytes, bytes]], bytes]
"""The headers and the body of a 200."""


class ResponseCacheMiddleware:
    """ASGI middleware that answers from memory what was answered before for the same revision.
    Of several like requests at once, one is computed and the others wait for it."""

    def __init__(
        self, app: ASGIApp, *, revisions: Revisions, shared: RedisClient | None, megabytes: int
    ) -> None:
        self.app = app
        self._revisions = revisions
        self._shared = shared
        self._revision: str | None = None
        self._answers: LRUCache[bytes, Answer] = LRUCache(
            megabytes * 1_000_000, getsizeof=lambda answer: len(answer[1]) + ENTRY_BYTES
        )
        self._computing: dict[bytes, asyncio.Event] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        revision = self._revisions.latest
        if revision != self._revision:
            self._answers.clear()
            self._revision = revision
        request = Headers(scope=scope)
        key = scope["raw_path"] + b"?" + scope["query_string"]
        answer = None
        if revision is not None:
            answer = self._answers.get(key)
            if answer is None and key in self._computing:
                await self._computing[key].wait()
                answer = self._answers.get(key)
        if answer is None:
            await self._compute(scope, receive, send, key, revision, request)
        else:
            await _send(answer, request, send)

    async def _compute(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        key: bytes,
        revision: str | None,
        request: Headers,
    ) -> None:
        done = asyncio.Event()
        if revision is not None:
            self._computing.setdefault(key, done)

        def end_waiting() -> None:
            if self._computing.get(key) is done:
                del self._computing[key]
            done.set()

        try:
            answer = await self._of_shared(key, revision)
            if answer is None:
                answer = await self._of_app(scope, receive, send, end_waiting)
                if answer is None:
                    return
                self._write_shared(key, answer)
            self._keep(key, answer)
        finally:
            end_waiting()
        await _send(answer, request, send)

    async def _of_app(
        self, scope: Scope, receive: Receive, send: Send, end_waiting: Callable[[], None]
    ) -> Answer | None:
        """The answer if it may be kept; otherwise it has been sent. As soon as that is known,
        nobody waits for it: its reader may take as long as it likes."""
        start: Message | None = None
        body = b""

        async def collect(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                length = int(headers.get("content-length", MAX_ANSWER_BYTES + 1))
                cacheable = message["status"] == HTTPStatus.OK and "etag" in headers
                if cacheable and length <= MAX_ANSWER_BYTES:
                    start = message
                    return
                end_waiting()
            elif start is not None:
                body += message.get("body", b"")
                return
            await send(message)

        await self.app(scope, receive, collect)
        return None if start is None else (start["headers"], body)

    def _keep(self, key: bytes, answer: Answer) -> None:
        if self._is_of(self._revisions.latest, answer) and self._revision == self._revisions.latest:
            size = len(answer[1]) + ENTRY_BYTES
            if size <= self._answers.maxsize:
                self._answers[key] = answer

    @staticmethod
    def _is_of(revision: str | None, answer: Answer) -> bool:
        etag = dict(answer[0]).get(b"etag", b"").decode()
        return revision is not None and etag.startswith(f'"{revision}-')

    async def _of_shared(self, key: bytes, revision: str | None) -> Answer | None:
        if self._shared is None or revision is None:
            return None
        kept = await self._shared.get(_shared_key(revision.encode(), key))
        if kept is None:
            return None
        head, _, body = kept.partition(b"\n\n")
        headers = [line.partition(b": ") for line in head.split(b"\n")]
        return [(name, value) for name, _, value in headers], body

    def _write_shared(self, key: bytes, answer: Answer) -> None:
        if self._shared is None or not self._is_of(self._revisions.latest, answer):
            return
        assert self._revisions.latest is not None  # noqa: S101
        head = b"\n".join(name + b": " + value for name, value in answer[0])
        name = _shared_key(self._revisions.latest.encode(), key)
        task = asyncio.create_task(self._shared.set(name, head + b"\n\n" + answer[1]))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)


def _shared_key(revision: bytes, key: bytes) -> str:
    return f"job-market:{revision.decode()}:{hashlib.sha256(key).hexdigest()}"


async def _send(answer: Answer, request: Headers, send: Send) -> None:
    headers, body = answer
    status = HTTPStatus.OK
    if validators.is_known(request, Headers(raw=headers)):
        status, body = HTTPStatus.NOT_MODIFIED, b""
        headers = [h for h in headers if h[0] not in (b"content-length", b"content-type")]
    await send({"type": "http.response.start", "status": int(status), "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
