"""How many requests one address, or one key, may make."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from http import HTTPStatus

import limits
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from serving.clients.redis import RedisClient
from serving.middleware.security import Keys, key_in
from serving.problems import ProblemError, problem_response

UNLIMITED_PATHS = ("/api/health", "/api/ready")


class RateLimitMiddleware:
    """ASGI middleware that answers 429 beyond ``rate``. The replicas count together where they
    share a Redis, and each by itself while it fails."""

    def __init__(self, app: ASGIApp, *, rate: str, keys: Keys, shared: RedisClient | None) -> None:
        self.app = app
        self._rate = None if rate.lower() == "none" else limits.parse(rate)
        self._keys = keys
        self._shared = shared
        self._local = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        free = scope["type"] != "http" or scope["path"] in UNLIMITED_PATHS
        if free or self._rate is None or await self._allowed(self._caller(scope), self._rate):
            await self.app(scope, receive, send)
            return
        seconds = self._rate.get_expiry()
        problem = ProblemError(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"At most {self._rate} are answered. Ask more slowly.",
            headers={"Retry-After": str(seconds - int(time.time()) % seconds)},
        )
        await problem_response(scope["path"], problem)(scope, receive, send)

    async def _allowed(self, caller: str, rate: limits.RateLimitItem) -> bool:
        if self._shared is not None:
            seconds = rate.get_expiry()
            window = int(time.time()) // seconds
            count = await self._shared.count(f"job-market:rate:{caller}:{window}", seconds)
            if count is not None:
                return count <= rate.amount
        return self._local.hit(rate, caller)

    def _caller(self, scope: Scope) -> str:
        # A key names its bearer wherever the request comes from. One that is not known names
        # nobody: anyone could make up a new one for each request.
        key = key_in(Headers(scope=scope))
        if key is not None and self._keys.know(key):
            return "key:" + hashlib.sha256(key.encode()).hexdigest()
        client = scope["client"]
        return f"address:{_counted_as(client[0]) if client else 'unknown'}"


def _counted_as(address: str) -> str:
    """One client's addresses as one: an IPv6 client has the 2^64 of its network."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((int(ip), 64), strict=False))
