"""What the replicas of the API share through Redis. Losing it costs speed only."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from typing import TypeVar

import redis.asyncio as redis
from redis.exceptions import RedisError

TIMEOUT_SECONDS = 0.1
"""Longer than this, computing an answer is the better choice."""
PAUSE_SECONDS = 5.0
"""How long Redis is left alone after it failed."""
KEPT_SECONDS = 3600

T = TypeVar("T")
log = logging.getLogger(__name__)


class Shared:
    """A Redis that may be down, slow or full."""

    def __init__(self, url: str) -> None:
        self._redis = redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
        )
        self._paused_until = 0.0

    async def attempt(self, command: Awaitable[T]) -> T | None:
        """The answer of Redis; none when it fails, after which it is left alone for a while."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await command
        except (RedisError, OSError, TimeoutError) as error:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
            log.warning("Redis fails (%s): going on without it", type(error).__name__)
            return None

    @property
    def usable(self) -> bool:
        return time.monotonic() >= self._paused_until

    async def get(self, key: str) -> bytes | None:
        kept = await self.attempt(self._redis.get(key)) if self.usable else None
        return kept.encode() if isinstance(kept, str) else kept

    async def set(self, key: str, value: bytes) -> None:
        if self.usable:
            await self.attempt(self._redis.set(key, value, ex=KEPT_SECONDS))

    async def count(self, key: str, seconds: int) -> int | None:
        """Count one more of ``key`` in its window of ``seconds``; none when Redis fails."""
        if not self.usable:
            return None
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.incr(key)
        pipeline.expire(key, seconds)
        counts = await self.attempt(pipeline.execute())
        return int(counts[0]) if counts else None

    async def close(self) -> None:
        await self._redis.aclose()
