"""What a person at the console is told."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.simulator.server import Simulator
from tests.support.source_postings import adzuna_job, remoteok_job

PROJECT = Path(__file__).parents[1]


def job_market(
    folder: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_command_it_says_what_there_is(tmp_path: Path) -> None:
    done = job_market(tmp_path)
    assert done.returncode == 0
    for command in ("up", "demo", "serve", "doctor", "--ingest-once", "--source"):
        assert command in done.stdout


def test_a_source_needs_a_run(tmp_path: Path) -> None:
    done = job_market(tmp_path, "--source", "remoteok")
    assert done.returncode == 2
    assert "--source goes with --ingest-once" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://root:s3cret@localhost/jobs"),
        ("API_PORT", "eighty"),
        ("INGESTION_INTERVAL_MINUTES", "7"),
        ("LOG_LEVEL", "LOUD"),
        ("DAGSTER_KEY", "s3cret"),
        ("DAGSTER_ALLOWED_HOSTS", "https://s3cret.example"),
        ("TRUSTED_PROXIES", "s3cret.example"),
    ],
)
def test_a_malformed_value_is_one_sentence_that_names_it(
    tmp_path: Path, variable: str, value: str
) -> None:
    done = job_market(tmp_path, "--ingest-once", **{variable: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"job-market: {variable} is not usable: ")
    assert done.stderr.count("\n") == 1
    assert "s3cret" not in done.stderr


def test_doctor_tells_what_is_broken_and_what_is_missing(tmp_path: Path) -> None:
    done = job_market(
        tmp_path,
        "doctor",
        DATABASE_URL="postgresql://nobody:s3cret@127.0.0.1:1/jobs",
        REMOTEOK_BASE_URL="http://127.0.0.1:1",
    )
    assert done.returncode == 1
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    verdicts = {rest.split("  ")[0]: verdict for verdict, rest in lines}
    assert verdicts["DATABASE_URL"] == "broken"
    assert verdicts["JSearch"] == verdicts["Adzuna"] == verdicts["Remote OK"] == "missing"
    assert verdicts["DATA_DIR"] == "ok"
    assert "RAPIDAPI_KEY" in done.stdout
    assert verdicts["API_KEY"] == "missing"
    assert "`serve` alone starts no runs" in done.stdout
    assert "ADZUNA_APP_ID and ADZUNA_API_KEY" in done.stdout
    assert "s3cret" not in done.stdout + done.stderr


def test_serving_without_a_database_says_what_to_do(tmp_path: Path) -> None:
    done = job_market(tmp_path, "serve", DATABASE_URL="postgresql://nobody@127.0.0.1:1/jobs")
    assert done.returncode == 2
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.trial("storage", "The data folder cannot be made")
@pytest.mark.parametrize("command", ["up", "demo", "serve", "--ingest-once"])
def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    done = job_market(tmp_path, command, DATA_DIR="file/data", DAGSTER_HOME=str(PROJECT))
    assert done.returncode == 2
    assert re.match(r"job-market: .*file/data.* cannot be written", done.stderr)
    assert done.stderr.count("\n") == 1


def test_doctor_asks_each_source_one_question_and_says_what_came_back(tmp_path: Path) -> None:
    with Simulator() as server:
        server.give("remoteok", [remoteok_job(), remoteok_job()])
        gone = {"message": "[red]Endpoint[/red] '/search-v2' does not exist"}
        server.give("jsearch", gone, status=404)
        server.give("adzuna", {"count": 1, "results": [adzuna_job()], "mean": "high"})
        variables = {
            "REMOTEOK_BASE_URL": server.base_url("remoteok"),
            "JSEARCH_BASE_URL": server.base_url("jsearch"),
            "ADZUNA_BASE_URL": server.base_url("adzuna"),
            "RAPIDAPI_KEY": "s3cret",
            "ADZUNA_APP_ID": "s3cret",
            "ADZUNA_API_KEY": "s3cret",
            "COLUMNS": "500",
        }
        done = job_market(tmp_path, "doctor", **variables)
        asked = [request.source for request in server.requests]
        quiet = job_market(tmp_path, "doctor", "--no-ask", **variables)
        assert len(server.requests) == len(asked)
    assert sorted(map(str, asked)) == ["adzuna", "jsearch", "remoteok"]
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (remoteok,) = (line for line in lines if "Remote OK" in line)
    (jsearch,) = (line for line in lines if "JSearch" in line)
    (adzuna,) = (line for line in lines if "Adzuna" in line)
    assert remoteok.startswith("ok")
    assert "answers with 2 postings; asked every 60 minutes" in remoteok
    assert jsearch.startswith("broken")
    assert "has nothing at /search-v2 (HTTP 404: [red]Endpoint[/red] '/search-v2'" in jsearch
    assert adzuna.startswith("broken")
    assert "not as declared: (answer).mean: text instead of number" in adzuna
    assert "s3cret" not in done.stdout + done.stderr
    assert "configured and reachable" in quiet.stdout


@pytest.mark.parametrize("ignored", [False, True], ids=["terminal", "nohup"])
@pytest.mark.trial("processes", "The terminal is closed")
def test_the_end_of_the_terminal_is_a_stop_unless_it_is_ignored(ignored: bool) -> None:
    code = f"""
import os, signal
from pipeline.commands.cli import _end_on_signals
signal.signal(signal.SIGHUP, signal.SIG_IGN if {ignored} else signal.SIG_DFL)
_end_on_signals(lambda *_: print("stop", flush=True))
for number in (signal.SIGHUP, signal.SIGPIPE):
    os.kill(os.getpid(), number)
print("goes on")
os.kill(os.getpid(), signal.SIGTERM)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [*([] if ignored else ["stop"]), "goes on", "stop"]
