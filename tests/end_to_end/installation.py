"""One installation for a test: its own data and database, the played sources, real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from pipeline.simulator.apis import APIS
from pipeline.simulator.server import Simulator
from pipeline.sources import SOURCES
from tests.support.ports import free_port

PROJECT = Path(__file__).parents[2]
PAYLOADS = PROJECT.parent / "shared" / "payloads"


@dataclass
class Installation:
    """``environment`` is complete: nothing of the developer's own configuration reaches it."""

    folder: Path
    database_url: str
    server: Simulator

    @property
    def environment(self) -> dict[str, str]:
        own = self.server.environment | {
            "DATABASE_URL": self.database_url,
            "DATA_DIR": str(self.folder / "data"),
            "LOG_DIR": str(self.folder / "logs"),
            "ENVIRONMENT": "test",
            "API_RATE_LIMIT": "none",
            "RAPIDAPI_KEY": "secret-rapidapi-key",
            "ADZUNA_APP_ID": "secret-adzuna-id",
            "ADZUNA_API_KEY": "secret-adzuna-key",
            "JSEARCH_QUERIES": "backend engineer in united states",
            "JSEARCH_COUNTRIES": "us",
            "ADZUNA_COUNTRIES": "gb",
        }
        for name in APIS:
            variable = SOURCES[name].settings.variable
            own |= {
                variable("max_attempts"): "2",
                variable("max_retry_delay_seconds"): "0.2",
                variable("timeout_seconds"): "1",
                variable("max_seconds"): "4",
            }
        return own

    def _whole_environment(self, **extra: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | self.environment | extra

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        """Start ``job-market`` with these arguments, in the installation's folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=self.folder,
            env=self._whole_environment(PYTHONPATH=str(PROJECT), **extra),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **extra)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def ingest(self, *arguments: str, **extra: str) -> dict[str, Any]:
        """One run in the foreground. Returns what it printed."""
        done = self.run("--ingest-once", *arguments, **extra)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @contextmanager
    def serving(self, **extra: str) -> Iterator[httpx.Client]:
        """The API in a process of its own, and a client of it."""
        port = free_port()
        process = self.start("serve", API_PORT=str(port), **extra)
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=20, trust_env=False
            ) as client:
                wait_for(client, "/api/ready")
                yield client
        finally:
            process.terminate()
            process.communicate(timeout=30)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()


def wait_for(client: httpx.Client, path: str, seconds: float = 90) -> httpx.Response:
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = client.get(path)
            if answer.status_code == 200:
                return answer
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, f"{path} did not answer"
        time.sleep(0.1)


def play_all_recordings(server: Simulator) -> dict[str, str]:
    """Let the sources answer with all that was recorded of them, by country. Returns the
    variables with which every country is asked."""
    feed = [
        posting
        for path in sorted(PAYLOADS.glob("remoteok_*.json"))
        for posting in json.loads(path.read_text())[1:]
    ]
    server.give("remoteok", feed)
    countries: dict[str, set[str]] = {}
    for source, name in (("adzuna", "results"), ("jsearch", "data")):
        by_country: dict[str, list[Any]] = {}
        for path in sorted(PAYLOADS.glob(f"{source}*.json")):
            answer = json.loads(path.read_text())
            postings = answer if isinstance(answer, list) else answer[name]
            if isinstance(postings, dict):
                postings = postings.get("jobs", [postings])
            told = path.stem.split("_")[1]
            by_country.setdefault(told if len(told) == 2 else "us", []).extend(postings)
        for country, postings in by_country.items():
            server.give(source, postings, country=country)
        countries[f"{source.upper()}_COUNTRIES"] = set(by_country)
    return {name: ",".join(sorted(found)) for name, found in countries.items()}


def play_recordings(server: Simulator) -> dict[str, int]:
    """Let the sources answer as recorded. Returns the number of postings of each."""
    remoteok = json.loads((PAYLOADS / "remoteok_2024-12-04.json").read_text())
    adzuna = json.loads((PAYLOADS / "adzuna_gb_2022-06.json").read_text())
    jsearch = json.loads((PAYLOADS / "jsearch_2022.json").read_text())
    server.give("remoteok", remoteok)
    server.give("adzuna", adzuna["results"])
    server.give("jsearch", jsearch["data"])
    return {
        "adzuna": len(adzuna["results"]),
        "jsearch": len(jsearch["data"]),
        "remoteok": len(remoteok) - 1,
    }
