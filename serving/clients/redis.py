"""What the replicas of the API share through Redis. Losing it costs speed only, and what others
write into it is not read."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable
from typing import TypeVar

import redis.asyncio as redis
from redis.exceptions import RedisError

from pipeline.installation.settings import Settings

TIMEOUT_SECONDS = 0.1
"""Longer than this, computing an answer is the better choice."""
PAUSE_SECONDS = 5.0
"""How long Redis is left alone after it failed."""
KEPT_SECONDS = 3600
MAX_BYTES = 2_000_000
"""Of a value that is kept: answers are no longer, and longer ones are not read."""
_SEAL_BYTES = 32

T = TypeVar("T")
log = logging.getLogger(__name__)


class RedisClient:
    """A Redis that may be down, slow or full, and that others may write to: a value counts only
    with a seal (HMAC) that needs ``DATABASE_URL``, which the replicas have in common."""

    def __init__(self, url: str, settings: Settings) -> None:
        database = settings.database_url.get_secret_value() if settings.database_url else ""
        self._secret = hashlib.sha256(f"seal {database}".encode()).digest()
        self._redis = redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._paused_until = 0.0

    async def attempt(self, command: Awaitable[T]) -> T | None:
        """The answer of Redis; none when it fails, after which it is left alone for a while."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await command
        # What is no Redis answers with anything, for which its client has no one error.
        except (RedisError, OSError, TimeoutError, ValueError, TypeError, LookupError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("Redis fails (%s): going on without it", type(error).__name__)
            return None

    @property
    def usable(self) -> bool:
        return time.monotonic() >= self._paused_until

    async def get(self, key: str) -> bytes | None:
        """What :meth:`set` has kept; none when Redis fails, or somebody else has written it."""
        if not self.usable:
            return None
        kept = await self.attempt(self._redis.getrange(key, 0, MAX_BYTES + _SEAL_BYTES - 1))
        if not isinstance(kept, bytes):
            return None
        seal, value = kept[:_SEAL_BYTES], kept[_SEAL_BYTES:]
        return value if hmac.compare_digest(seal, self._seal(key, value)) else None

    async def set(self, key: str, value: bytes) -> None:
        if self.usable and len(value) <= MAX_BYTES:
            sealed = self._seal(key, value) + value
            await self.attempt(self._redis.set(key, sealed, ex=KEPT_SECONDS))

    def _seal(self, key: str, value: bytes) -> bytes:
        return hmac.digest(self._secret, key.encode() + b"\0" + value, "sha256")

    async def count(self, key: str, seconds: int) -> int | None:
        """Count one more of ``key`` in its window of ``seconds``; none when Redis fails."""
        if not self.usable:
            return None
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds)
        counts = await self.attempt(pipeline.execute())
        return counts[0] if counts and isinstance(counts[0], int) else None

    async def close(self) -> None:
        await self._redis.aclose()
