"""What the terms of the sources ask to be shown beside their postings."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Iterable
from typing import Annotated

from fastapi import Depends, Request

log = logging.getLogger(__name__)


def _read() -> dict[str, str]:
    try:
        sources = importlib.import_module("pipeline.sources").SOURCES
    except Exception:
        log.exception("the sources cannot be loaded: answers lack their attributions")
        return {}
    return {name: source.attribution for name, source in sources.items()}


class Attributions:
    """The attribution of every source. The sources are declared with the pipeline's libraries,
    which take seconds to import: that is done once, in a thread, while the API starts."""

    def __init__(self) -> None:
        self._texts: asyncio.Task[dict[str, str]] | None = None

    def start(self) -> None:
        self._texts = asyncio.create_task(asyncio.to_thread(_read))

    async def of(self, sources: Iterable[str]) -> dict[str, str]:
        """The attributions of those of ``sources`` that are known, by source."""
        if self._texts is None:
            self.start()
        assert self._texts is not None  # noqa: S101
        texts = await asyncio.shield(self._texts)
        return {source: texts[source] for source in sorted(set(sources)) if source in texts}


def _attributions(request: Request) -> Attributions:
    attributions: Attributions = request.app.state.attributions
    return attributions


AttributionsOfApp = Annotated[Attributions, Depends(_attributions)]
