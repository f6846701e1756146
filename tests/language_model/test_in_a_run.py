"""The step of a run that reads postings asks the language model, and goes on without it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from pipeline.installation.settings import Settings
from pipeline.run import steps
from pipeline.run.frames import Frames
from pipeline.transform.schema import CompleteFetch, MappedPosting, SourceState
from tests.language_model.server import Answering, serving

QUOTE = "Closing date: two weeks from the 1st"


@pytest.fixture
def server() -> Iterator[Answering]:
    with serving() as answering:
        answering.content = lambda _: {"value": "2026-03-15", "quote": QUOTE}
        yield answering


@pytest.fixture(autouse=True)
def _one_staged_posting(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 2, 20, tzinfo=UTC)
    row = {
        "source": "remoteok", "source_id": "1", "title": "Platform Engineer",
        "description": f"We build things. {QUOTE}.", "tags": [], "posted_at": now,
        "first_seen_at": now, "last_seen_at": now, "run_id": "", "load_id": "", "raw": "{}",
    }  # fmt: skip
    mapped = pl.DataFrame([row], MappedPosting.create_empty().schema)
    state = dict.fromkeys(SourceState.column_names()) | {
        "source": "remoteok", "staged": 1, "fetched": 1,
    }  # fmt: skip
    staged = SimpleNamespace(
        postings=[mapped],
        complete_fetches=CompleteFetch.create_empty(),
        state=pl.DataFrame([state], SourceState.create_empty().schema),
    )
    monkeypatch.setattr(steps, "SOURCES", {"remoteok": SimpleNamespace(name="remoteok")})
    monkeypatch.setattr(steps, "batches", lambda *_: staged)
    published = SimpleNamespace(
        needs_full_refresh=lambda *_: True, base_version=lambda _: 0, watermarks=lambda _: {}
    )
    monkeypatch.setattr(steps, "state", published)


def read(folder: Path, **values: Any) -> tuple[steps.Plan, list[date | None]]:
    settings = Settings.load(_env_file=None, data_dir=folder / "data", **values)
    frames = Frames(folder / "frames")
    plan = steps.read_staged(settings, cast("Any", None), frames, "run")
    return plan, frames.scan("postings").collect()["deadline"].to_list()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_run_fills_what_the_rules_leave_open(
    server: Answering, tmp_path: Path, provider: str
) -> None:
    model = {
        "llm_provider": provider, "llm_base_url": server.url, "llm_model": "m", "llm_api_key": "k",
    }  # fmt: skip
    plan, deadlines = read(tmp_path, **model)
    assert deadlines == [date(2026, 3, 15)]
    server.status = 500
    again, deadlines = read(tmp_path, **model)
    assert deadlines == [date(2026, 3, 15)]
    assert again.transform_version == plan.transform_version
    other, deadlines = read(tmp_path, **model | {"llm_model": "another"})
    assert deadlines == [None]
    without, deadlines = read(tmp_path)
    assert deadlines == [None]
    versions = {each.transform_version for each in (plan, other, without)}
    assert len(versions) == 3
