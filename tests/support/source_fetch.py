"""Fetch a source from the test server, and read it as the transform does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.extract.client import Client
from pipeline.extract.errors import FetchError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import SourceSettings
from pipeline.sources import SOURCES
from pipeline.staging.coerce import Coercer
from pipeline.staging.load import fetch_error
from pipeline.staging.read import mapped

PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"
MONTH_MINUTES = 31 * 24 * 60


def recorded(name: str) -> Any:
    """A recorded answer, as the API sent it."""
    path = PAYLOADS / name
    if not path.exists():
        pytest.skip(f"the recorded answers are not here: {path}")
    return json.loads(path.read_text())


def quick(source: str, base_url: str, **overrides: Any) -> SourceSettings:
    """Settings with a key and with short pauses."""
    keys = {"RAPIDAPI_KEY": "s3cr3t", "ADZUNA_APP_ID": "s3cr3t", "ADZUNA_API_KEY": "s3cr3t"}
    values = {"base_url": base_url, "max_retry_delay_seconds": 0.02, "max_attempts": 2}
    return SOURCES[source].settings(_env_file=None, **(keys | values | overrides))


def fetch(
    source: str, settings: SourceSettings, data_dir: Path
) -> tuple[list[Any], FetchError | None]:
    """All that the source yields, and the error that ended it."""
    client = Client(source, settings, Quota(source, settings, data_dir))
    postings: list[Any] = []
    for item in SOURCES[source].resource(settings, client):
        if not isinstance(item, Exception):
            postings.append(item)
        elif (error := fetch_error(item)) is not None:
            return postings, error
        else:
            raise item
    return postings, None


def as_mapped(source: str, postings: list[Any]) -> pl.DataFrame:
    """``MappedPosting`` of raw postings, by the way of staging's own columns."""
    now = pl.lit(datetime.now(UTC))
    frame = (
        Coercer(SOURCES[source])
        .coerce(postings)
        .with_columns(
            first_seen_at=now, last_seen_at=now, run_id=pl.lit("run"), _dlt_load_id=pl.lit("1")
        )
    )
    return mapped(SOURCES[source], frame)


def row(source: str, posting: dict[str, Any]) -> dict[str, Any]:
    """The one row of one posting."""
    return as_mapped(source, [posting]).row(0, named=True)
