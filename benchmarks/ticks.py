"""What a tick costs as the published table grows, and what a full refresh costs.

    python -m benchmarks.ticks [POSTED OPENINGS …] [--ticks N] [--keep FOLDER]

For each size (by default 10,000, 100,000 and 1,000,000 openings; a tenth is posted twice) it loads
generated answers into staging, publishes them with a full refresh, and then times ticks that bring
1,000 new or changed postings: the same load, staging snapshots, embedded PostgreSQL and steps as a
run in use, without Dagster. Beside them, on the same staging, the same work with pandas and with
SQL on DuckDB (:mod:`benchmarks.whole_table`). The last lines give the ratios.

Each measurement runs in a process of its own, and its peak memory is that process's. PostgreSQL's
memory is its own (``shared_buffers``). Needs the dependency group ``benchmarks``, and for
1,000,000 openings about 30 GB of disk.
"""

from __future__ import annotations

import argparse
import logging
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr

from benchmarks import whole_table
from benchmarks.generated_postings import Postings, answering
from pipeline.installation import database
from pipeline.installation.settings import Settings, SourceSettings
from pipeline.publish import leases
from pipeline.publish.migrate import migrate
from pipeline.run import steps
from pipeline.run.frames import Frames
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.directory import Directory
from pipeline.search_index.update import update
from pipeline.sources.adzuna import AdzunaSettings
from pipeline.sources.jsearch import JSearchSettings
from pipeline.staging.load import load

SIZES = (10_000, 100_000, 1_000_000)
LOADED_AT_ONCE = 50_000
KEY = SecretStr("generated")
SOURCE_SETTINGS: dict[str, SourceSettings] = {
    "adzuna": AdzunaSettings(_env_file=None, app_id=KEY, api_key=KEY),
    "jsearch": JSearchSettings(_env_file=None, rapidapi_key=KEY),
}

T = TypeVar("T")


@dataclass
class Measured:
    """Seconds by step, postings and published jobs, and the peak memory of the process in MiB."""

    seconds: dict[str, float] = field(default_factory=dict)
    postings: int = 0
    jobs: int = 0
    peak: float = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def line(self, name: str) -> str:
        parts = "  ".join(f"{step} {seconds:.2f}" for step, seconds in self.seconds.items())
        return f"  {name:<14} {self.total:9.2f} s  {self.peak:7,.0f} MiB  ({parts})"


def peak_memory() -> float:
    """The most memory that this process had resident so far, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(function: Callable[..., T], *arguments: Any) -> T:
    """The result of a function that runs in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def fill(settings: Settings, postings: Postings) -> Measured:
    """Load all postings into staging."""
    logging.disable(logging.WARNING)
    measured = Measured()
    with measured.step("load"):
        for source, all_of_it in postings.all().items():
            while part := list(islice(all_of_it, LOADED_AT_ONCE)):
                measured.postings += _load(settings, source, part, f"fill{measured.postings}")
    measured.peak = peak_memory()
    return measured


def _load(settings: Settings, source: str, part: Any, run_id: str) -> int:
    fetch = load(
        answering(source, part), SOURCE_SETTINGS[source], settings, run_id, respect_cadence=False
    )
    assert fetch.status == "ok", fetch
    return fetch.rows


def refresh(settings: Settings) -> Measured:
    """Compute everything from staging and publish it."""
    logging.disable(logging.WARNING)
    measured = Measured()
    _run(settings, "refresh", measured, full_refresh=True)
    measured.peak = peak_memory()
    return measured


def ticks(settings: Settings, postings: Postings, count: int) -> list[Measured]:
    """So many ticks after one that is not counted, which imports and connects."""
    logging.disable(logging.WARNING)
    found = []
    for number in range(count + 1):
        measured = Measured()
        answers = postings.tick(number)
        with measured.step("load"):
            for source, answer in answers.items():
                measured.postings += _load(settings, source, answer, f"tick{number}")
        _run(settings, f"tick{number}", measured)
        measured.peak = peak_memory()
        found.append(measured)
    return found[1:]


def _run(
    settings: Settings, run_id: str, measured: Measured, *, full_refresh: bool = False
) -> None:
    frames = Frames(settings.data_dir / "frames")
    started_at = datetime.now(UTC)
    with database.connect(settings) as connection:
        migrate(connection)
        leases.take(connection, run_id)
        with measured.step("read_staged"):
            plan = steps.read_staged(
                settings, connection, frames, run_id, full_refresh=full_refresh
            )
            assert plan.full_refresh == full_refresh
        with measured.step("select_relevant"):
            steps.select_relevant(connection, frames)
        with measured.step("cluster"):
            steps.cluster(settings, connection, frames)
        with measured.step("publish"):
            published = steps.publish(connection, frames, run_id, started_at)
        with measured.step("search_index"):
            update(Directory(settings.search_dir), connection, Analyzer())
    measured.jobs = published.total


def whole(method: Callable[[Path, Path], int], settings: Settings) -> Measured:
    """The plain way, once to have a published table and once as a tick."""
    published = settings.data_dir / method.__name__
    method(settings.snapshot_dir, published)
    measured = Measured()
    with measured.step("tick"):
        measured.jobs = method(settings.snapshot_dir, published)
    measured.peak = peak_memory()
    return measured


def measure(size: int, count: int, folder: Path) -> dict[str, float]:
    """Print the measurements of one size; the seconds of a tick, by method."""
    settings = Settings(_env_file=None, data_dir=folder)
    postings = Postings(size, datetime.now(UTC).replace(microsecond=0))
    filled = apart(fill, settings, postings)
    print(f"\n{filled.postings:,} postings in staging", flush=True)
    print(filled.line("fill staging"), flush=True)
    with database.database(settings) as url:
        settings = settings.model_copy(update={"database_url": SecretStr(url)})
        refreshed = apart(refresh, settings)
        rate = filled.postings / refreshed.total
        print(refreshed.line("full refresh"))
        print(f"  {refreshed.jobs:,} jobs published, {rate:,.0f} postings a second", flush=True)
        each = apart(ticks, settings, postings, count)
    typical = sorted(each, key=lambda tick: tick.total)[len(each) // 2]
    print(typical.line("tick, median"))
    print(f"  all ticks: {' '.join(f'{tick.total:.2f}' for tick in each)} s", flush=True)
    plain = {}
    for method in (whole_table.duckdb_sql, whole_table.pandas_frames):
        try:
            plain[method.__name__] = apart(whole, method, settings)
        except Exception as error:
            print(f"  {method.__name__} could not be measured: {type(error).__name__}: {error}")
            continue
        print(plain[method.__name__].line(method.__name__), flush=True)
    after_load = statistics.median(tick.total - tick.seconds["load"] for tick in each)
    return {
        "tick": typical.total,
        "tick without the load": after_load,
        **{name: measured.total for name, measured in plain.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--ticks", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="a folder that stays, to look into")
    arguments = parser.parse_args()
    taken: dict[str, dict[int, float]] = {}
    for size in arguments.sizes:
        with tempfile.TemporaryDirectory() as folder:
            place = arguments.keep / str(size) if arguments.keep else Path(folder)
            for name, seconds in measure(size, arguments.ticks, place).items():
                taken.setdefault(name, {})[size] = seconds
    print()
    for name, by_size in taken.items():
        smallest, largest = by_size[min(by_size)], by_size[max(by_size)]
        print(f"{name:<22} {'  '.join(f'{size:,}: {s:.2f} s' for size, s in by_size.items())}"
              f"  largest by smallest {largest / smallest:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
