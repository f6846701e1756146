"""A source of lists for the tests of staging: what it yields is what the test put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.installation.settings import Settings, SourceSettings
from pipeline.sources import (
    BOOLEAN,
    IGNORED,
    JSON,
    NUMBER,
    TEXT,
    WHOLE_NUMBER,
    Source,
    posting_resource,
    required,
)


class ListSettings(SourceSettings):
    base_url: str = "http://127.0.0.1:9"
    key: str = "set"

    @property
    def missing_keys(self) -> list[str]:
        return [] if self.key else ["LIST_KEY"]


def list_source(pages: Callable[[], Iterator[Any]] | list[Any]) -> Source:
    """Yields the pages; a callable is called for each fetch and may raise."""

    @posting_resource("lister")
    def lister(settings: Any, client: Any) -> Iterator[Any]:
        yield from pages() if callable(pages) else pages

    return Source(
        name="lister",
        title="Lister",
        attribution="",
        settings=ListSettings,
        resource=lister,
        key="id",
        fields={
            "title": required(TEXT),
            "salaryMin": NUMBER,
            "views": WHOLE_NUMBER,
            "remote": BOOLEAN,
            "date": required(TEXT),
            "tags": JSON,
            "known": IGNORED,
        },
        mapping={
            "title": pl.col("title"),
            "salary_min": pl.col("salaryMin"),
            "remote": pl.col("remote"),
            "tags": pl.col("tags").str.json_decode(pl.List(pl.String)),
            "posted_at": pl.col("date").str.to_datetime(
                time_zone="UTC", time_unit="us", strict=False
            ),
        },
    )


def posting(number: Any, **fields: Any) -> dict[str, Any]:
    usual = {
        "id": number,
        "title": f"Engineer {number}",
        "salaryMin": 100_000.0,
        "views": 3,
        "remote": True,
        "date": "2026-02-06T10:30:00Z",
        "tags": ["python"],
    }
    return usual | fields


def settings_in(folder: Path) -> Settings:
    return Settings(data_dir=folder, _env_file=None)
