"""Runs over small real staging files and a real PostgreSQL, step by step."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.publish import leases
from pipeline.publish.publish import Statistics
from pipeline.run import steps
from pipeline.run.frames import Frames, FramesOfRuns
from pipeline.staging import snapshot_path


@dataclass
class World:
    """A database, and snapshots of staging of which each holds one more fetch than the last.

    Each fetch shows three postings that no other one shows: one to publish, one of another role,
    and one to reject.
    """

    settings: Settings
    snapshots: list[Path]
    fetched: int = 0
    runs: dict[str, str] = field(default_factory=dict)

    def fetch(self) -> None:
        """Swap in the next snapshot."""
        path = snapshot_path(self.settings, "remoteok")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copy(self.snapshots[self.fetched], path)
        self.fetched += 1

    @property
    def frames(self) -> FramesOfRuns:
        return FramesOfRuns(self.settings.data_dir / "frames")

    def step(self, run: str, name: str) -> Statistics | None:
        """One step of a run, on a connection of its own. ``again`` is the begin of a run that
        goes on from ``A``."""
        run_id = self.runs.setdefault(run, f"{run}-{uuid4().hex[:8]}")
        with database.connect(self.settings) as connection:
            if name == "read":
                leases.take(connection, run_id)
                steps.read_staged(self.settings, connection, self.frames.begin(run_id), run_id)
            elif name == "again":
                leases.take(connection, run_id)
                self.frames.of(run_id, [self.runs["A"]])
            elif name == "compute":
                steps.select_relevant(connection, self.of(run))
                steps.cluster(self.settings, connection, self.of(run))
            else:
                return steps.publish(connection, self.of(run), run_id, datetime.now(UTC))
        return None

    def of(self, run: str) -> Frames:
        return self.frames.of(self.runs[run])

    def run(self, run: str) -> Statistics:
        """A whole run."""
        self.step(run, "read")
        self.step(run, "compute")
        published = self.step(run, "publish")
        assert published is not None
        return published

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with database.connect(self.settings) as connection:
            return connection.execute(statement.encode()).fetchall()
