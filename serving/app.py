"""The assembly of the API: ``uvicorn serving.app:create_app --factory``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi_offline import FastAPIOffline
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pipeline.installation.settings import Settings
from serving import openapi, problems
from serving.clients.dagster import Dagster
from serving.clients.database import Database
from serving.clients.redis import RedisClient
from serving.clients.revisions import Revisions
from serving.middleware.head import HeadMiddleware
from serving.middleware.rate_limit import RateLimitMiddleware
from serving.middleware.response_cache import ResponseCacheMiddleware
from serving.middleware.security import Keys, SecurityHeadersMiddleware
from serving.middleware.tracking import TrackingMiddleware
from serving.routes import changes, exports, health, jobs, runs, statistics
from serving.search.service import SearchService

DESCRIPTION = """\
Technology jobs from many sources, without duplicates.

Reading needs no key. Starting a run does: send the value of `API_KEY`, or the key that
`job-market up` shows, as `X-API-Key` or `Authorization: Bearer`. Errors are
`application/problem+json` (RFC 9457).
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API. Neither the database nor Dagster needs to be there when it starts.

    Args:
        settings: read from the environment when not given.

    Raises:
        pipeline.installation.settings.ConfigurationError: the configuration cannot be used.
    """
    settings = settings or Settings.load()
    database = Database(settings)
    revisions = Revisions(database)
    search = SearchService(settings, database, revisions)
    shared = (
        RedisClient(settings.redis_url.get_secret_value(), settings) if settings.redis_url else None
    )
    keys = Keys(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.dagster = Dagster(settings)
        await database.open()
        revisions.start()
        search.start()
        try:
            yield
        finally:
            await search.stop()
            await revisions.stop()
            if shared is not None:
                await shared.close()
            await app.state.dagster.close()
            await database.close()

    app = FastAPIOffline(
        title="Job market",
        version=version("job-market-pipeline"),
        description=DESCRIPTION,
        redoc_url=None,
        lifespan=lifespan,
        max_body_size=0,
        generate_unique_id_function=openapi.operation_id,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.revisions = revisions
    app.state.keys = keys
    app.state.search = search
    app.state.launching = asyncio.Lock()

    # The last one added is the outermost.
    app.add_middleware(problems.AnswerUnexpectedErrors)
    app.add_middleware(
        ResponseCacheMiddleware,
        revisions=revisions,
        shared=shared,
        megabytes=settings.api_cache_megabytes,
    )
    app.add_middleware(exports.ChooseFormat)
    app.add_middleware(RateLimitMiddleware, rate=settings.api_rate_limit, keys=keys, shared=shared)
    app.add_middleware(TrackingMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["X-API-Key", "Authorization", "Prefer"],
        expose_headers=["Location", "Content-Location", "ETag", "Link", "Retry-After"],
    )
    app.add_middleware(SecurityHeadersMiddleware, settings=settings)
    app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=settings.trusted_proxies)
    problems.install(app)

    app.include_router(health.router)
    app.include_router(runs.router)
    app.include_router(statistics.router)
    app.include_router(exports.router)
    app.include_router(changes.router)
    app.include_router(jobs.router)
    openapi.install(app)
    return app
