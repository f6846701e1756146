"""A whole installation under random faults: ``python -m benchmarks.chaos --minutes 60``.

``job-market up`` runs against simulated sources whose market moves, a run begins as soon as the
last has ended, and readers page, search, export and follow changes all the time
(:mod:`benchmarks.chaos_readers`). Meanwhile processes are killed and hung, sources fail, files are
damaged (:mod:`benchmarks.chaos_faults`). A seed makes the order and the choices of the faults the
same again, not the moments at which they meet a run.

Then, after quiet runs, it tells whether anything was lost, half published or mixed, how long each
process was away, and which requests failed without a reason. Exit code 1 if one of these does not
hold. Needs the dependency group ``dev``, for its Redis server. The clock is left alone: to move it
for one installation only needs a library loaded before its processes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import httpx

from benchmarks.chaos_faults import DOWN, Chaos, Fault, Redis, World
from benchmarks.chaos_installation import API_KEY, Installation
from benchmarks.chaos_readers import KINDS, Failure, Known, Reader, Reads
from benchmarks.chaos_sources import sources

MARKET_SIZE, MARKET_SPEED = 2_000, 60.0
PAUSE_SECONDS = 0.2
BACK_WITHIN_SECONDS = 30.0
QUIET_RUNS = 2
QUIET_SECONDS = 600.0
SHORT_PATIENCE = {
    f"{source}_{name}": value
    for source in ("ADZUNA", "JSEARCH", "REMOTEOK")
    for name, value in (
        ("MAX_ATTEMPTS", "2"), ("MAX_RETRY_DELAY_SECONDS", "2"), ("TIMEOUT_SECONDS", "5"),
        ("MAX_SECONDS", "20"),
    )
}  # fmt: skip
"""A source that fails holds up a run for seconds, so that many runs are hit."""


@dataclass
class Runs:
    """The runs that were started, by how they ended, and the requests that started none."""

    ended: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def keep_starting(self, installation: Installation, stop: threading.Event) -> None:
        """Start a run whenever none is in progress."""
        headers = {"X-API-Key": API_KEY}
        url = installation.api
        with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60) as client:
            while not stop.wait(1):
                try:
                    answer = client.post("/api/jobs/ingest?wait=false")
                    if answer.status_code != httpx.codes.ACCEPTED:
                        self.refused[str(answer.status_code)] += 1
                        continue
                    run_id = answer.json()["run_id"]
                except (httpx.HTTPError, ValueError) as error:
                    self.refused[type(error).__name__] += 1
                    continue
                self.ended[self._end_of(client, run_id, stop)] += 1

    def _end_of(self, client: httpx.Client, run_id: str, stop: threading.Event) -> str:
        while not stop.wait(0.5):
            try:
                status = str(client.get(f"/api/runs/{run_id}").json().get("status"))
            except (httpx.HTTPError, ValueError):
                continue
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
        return "unfinished"


@dataclass
class Account:
    """What became of the postings of all sources.

    Attributes:
        shown: how many the sources showed in whole answers.
        became: of these, how many are published, closed, retired, irrelevant or rejected.
        cut_off: shown only to fetches that ended before they could store anything.
        lost: ids of those that should be in staging, or whose fate nobody knows.
    """

    shown: int = 0
    staged: int = 0
    became: Counter[str] = field(default_factory=Counter)
    cut_off: int = 0
    lost: list[str] = field(default_factory=list)


def account_for(
    shown: Mapping[str, Mapping[str, Sequence[datetime]]],
    staged: Mapping[str, set[str]],
    fetches: Mapping[str, Iterable[tuple[datetime, datetime]]],
    fates: Mapping[str, str],
) -> Account:
    """
    Args:
        shown: by source and id, when a whole answer showed the posting.
        staged: by source, the ids in staging.
        fetches: by source, beginning and end of the fetches whose postings were stored.
        fates: by posting id, what became of those that were read.
    """
    account = Account(sum(map(len, shown.values())), sum(map(len, staged.values())))
    for source, times in shown.items():
        stored = list(fetches.get(source, ()))
        for source_id in times:
            if source_id in staged.get(source, set()):
                continue
            if any(begin <= at <= end for at in times[source_id] for begin, end in stored):
                account.lost.append(f"{source}_{source_id} is not in staging")
            else:
                account.cut_off += 1
    for source, ids in staged.items():
        for source_id in ids:
            fate = fates.get(f"{source}_{source_id}")
            if fate is None:
                account.lost.append(f"{source}_{source_id} is in staging alone")
            elif source_id in shown.get(source, {}):
                account.became[fate] += 1
    return account


FATES = """
select posting_id, coalesce(jobs.status, 'retired')
from job_postings left join jobs using (job_id)
union all select posting_id, 'irrelevant' from irrelevant_postings
union all select source || '_' || source_id, 'rejected' from rejected_postings where reason <> ''
"""
STAGED = "select source_id from staging.postings"
FETCHES = "select started_at, finished_at from staging.fetches where status in ('ok', 'partial')"


def accounted(world: World) -> Account:
    """The account of an installation that is quiet."""
    staged, fetches = {}, {}
    for source in world.sources.shown:
        file = world.installation.data / "snapshots" / f"{source}.duckdb"
        with duckdb.connect(str(file), read_only=True) as snapshot:
            staged[source] = {str(row[0]) for row in snapshot.execute(STAGED).fetchall()}
            fetches[source] = snapshot.execute(FETCHES).fetchall()
    with world.installation.connect() as connection:
        fates = dict(connection.execute(FATES).fetchall())
    return account_for(world.sources.shown, staged, fetches, fates)


def unexplained(failures: Iterable[Failure], faults: Sequence[Fault]) -> list[str]:
    """The failed requests that no fault allows: a 503 must say when to ask again, and a connection
    may break only while what serves it is struck."""
    found = []
    for failure in failures:
        allowed = [fault for fault in faults if fault.covers(failure.at)]
        allowed += [fault for fault in faults if fault.covers(failure.until)]
        if failure.status == "503" and failure.retry_after:
            is_explained = bool(allowed)
        elif failure.status.isdigit():
            is_explained = False
        else:
            is_explained = any(word in fault.kind for fault in allowed for word in DOWN)
        if not is_explained:
            found.append(f"{failure.status} for {failure.path} at {failure.at:.1f}")
    return found


def late(faults: Iterable[Fault]) -> list[str]:
    """The processes that were back too late, and the faults that were never over. One that struck
    no process ends with those beside it."""
    found = []
    for fault in faults:
        if fault.recovery is None:
            found.append(f"{fault.kind} ({fault.what}): never")
        elif fault.recovery > BACK_WITHIN_SECONDS and fault.kind.startswith(("kill", "hang")):
            found.append(f"{fault.kind} ({fault.what}): {fault.recovery:.1f} s")
    return found


def recoveries(faults: Iterable[Fault]) -> dict[str, dict[str, Any]]:
    """By kind of fault: how many, and the median, 95th percentile (nearest rank) and longest
    recovery in seconds; None where one never came."""
    taken: dict[str, list[float]] = {}
    for fault in faults:
        seconds = math.inf if fault.recovery is None else fault.recovery
        taken.setdefault(fault.kind, []).append(seconds)
    rows: dict[str, dict[str, Any]] = {}
    everything = [seconds for of_kind in taken.values() for seconds in of_kind]
    for kind, all_taken in [*sorted(taken.items()), ("all", everything)]:
        rows[kind] = {"count": len(all_taken)}
        for name, share in (("median", 0.5), ("p95", 0.95), ("longest", 1.0)):
            seconds = sorted(all_taken)[math.ceil(share * len(all_taken)) - 1]
            rows[kind][name] = None if seconds == math.inf else round(seconds, 1)
    return rows


def quiet_runs(runs: Runs, installation: Installation) -> bool:
    """Let runs catch up; whether they did."""
    before, stop = runs.ended["SUCCESS"], threading.Event()
    starter = threading.Thread(target=runs.keep_starting, args=(installation, stop), daemon=True)
    starter.start()
    deadline = time.monotonic() + QUIET_SECONDS
    while runs.ended["SUCCESS"] < before + QUIET_RUNS and time.monotonic() < deadline:
        time.sleep(0.5)
    stop.set()
    starter.join()
    return runs.ended["SUCCESS"] >= before + QUIET_RUNS


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The whole run. Returns what it found; ``broken`` says what does not hold."""
    began = time.time()

    def say(line: str) -> None:
        print(f"{time.time() - began:8.1f} s  {line}", flush=True)

    redis = Redis()
    known, reads, runs = Known(), Reads(), Runs()
    with sources(options.seed, MARKET_SIZE, MARKET_SPEED) as market:
        environment = {
            **market.environment, **SHORT_PATIENCE, "JSEARCH_PAGES_PER_QUERY": "2",
            "MAX_RUN_MINUTES": "3", "REDIS_URL": f"redis://127.0.0.1:{redis.port}/0",
        }  # fmt: skip
        installation = Installation(folder, environment)
        world = World(installation, market, redis)
        chaos = Chaos(world, options.seed, say)
        try:
            redis.start()
            installation.start()
            await_first_publish(installation)
            say("the first jobs are published")
            stop = threading.Event()
            threads = [
                threading.Thread(target=reader.run, args=(stop, PAUSE_SECONDS), daemon=True)
                for reader in (
                    Reader(kind, installation, known, reads, seed)
                    for seed, kind in enumerate(KINDS)
                )
            ]
            threads.append(
                threading.Thread(target=runs.keep_starting, args=(installation, stop), daemon=True)
            )
            for thread in threads:
                thread.start()
            chaos.run(options.minutes * 60, options.every)
            stop.set()
            for thread in threads:
                thread.join()
            say("the faults are over; quiet runs catch up")
            caught_up = quiet_runs(runs, installation)
            account = accounted(world)
            with installation.connect() as connection:
                publishes = connection.execute(
                    "select extract(epoch from finished_at)::float8 from publishes order by 1"
                ).fetchall()
        finally:
            installation.stop()
            redis.kill()
    times = [moment for (moment,) in publishes]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    errors = unexplained(reads.failures, chaos.faults)
    broken = {
        "lost postings": account.lost,
        "wrong answers": known.wrong,
        "late recoveries": late(chaos.faults),
        "unexplained errors": errors,
        "runs": [] if caught_up else [f"no {QUIET_RUNS} quiet runs: {dict(runs.ended)}"],
        "ends of the supervisor": installation.gave_up,
    }
    return {
        "minutes": options.minutes, "every": options.every, "seed": options.seed,
        "cores": os.cpu_count(), "loads": sorted(round(fault.load, 1) for fault in chaos.faults),
        "faults": len(chaos.faults), "postponed": chaos.postponed,
        "publishes": len(times),
        "longest_between_publishes": round(max(pauses, default=0.0), 1),
        "runs": dict(runs.ended), "runs_refused": dict(runs.refused),
        "source_answers": market.answers, "source_failures": market.failures,
        "postings": {
            "shown": account.shown, "staged": account.staged, **account.became,
            "shown_to_cut_off_fetches": account.cut_off, "lost": len(account.lost),
        },
        "versions_compared": known.versions, "statements_compared": known.compared,
        "wrong_answers": len(known.wrong),
        "reads": reads.answered, "failed_reads": Counter(one.status for one in reads.failures),
        "unexplained_errors": len(errors),
        "recoveries": recoveries(chaos.faults),
        "broken": {what: found for what, found in broken.items() if found},
    }  # fmt: skip


def await_first_publish(installation: Installation, seconds: float = 300) -> None:
    """
    Raises:
        RuntimeError: there is none by then; with the last of the console.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            jobs = httpx.get(f"{installation.api}/api/jobs", trust_env=False, timeout=10)
            if jobs.is_success and jobs.json()["total"]:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise RuntimeError(f"nothing was published in {seconds:.0f} s:\n{installation.console()}")


def table(found: Mapping[str, Any]) -> str:
    """The recoveries in Markdown."""
    lines = ["| Fault | Times | Median | p95 | Longest |", "|---|---|---|---|---|"]
    for kind, row in found["recoveries"].items():
        told = [f"{row[name]} s" if row[name] is not None else "never"
                for name in ("median", "p95", "longest")]  # fmt: skip
        lines.append(f"| {kind} | {row['count']} | {' | '.join(told)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=20, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder that stays, to look into")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = run(options, folder)
    broken = found["broken"]
    print(json.dumps(found | {"broken": {what: len(all_) for what, all_ in broken.items()}}))
    print(table(found))
    for what, all_of_it in broken.items():
        print(f"{what}: {len(all_of_it)}", *all_of_it[:20], sep="\n  ")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
