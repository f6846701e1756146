"""A client that is generated from the OpenAPI document, against the API that serves it."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from tests.serving.dagster_server import RUN, DagsterServer
from tests.serving.published_rows import (
    DAY,
    Connection,
    Start,
    add_job,
    add_posting,
    add_publish,
    add_source,
    insert,
)

pytest.importorskip("openapi_python_client", reason="openapi-python-client is not installed")

# The generator knows no media types but the commonest: these say what the others are like.
CONFIGURATION = {
    "post_hooks": [],
    "content_type_overrides": {
        "application/x-ndjson": "text/plain",
        "application/atom+xml": "text/plain",
        "application/vnd.apache.parquet": "application/octet-stream",
    },
}
FACETS = ["category", "source", "country", "employment_type", "remote", "status", "city", "company",
          "skills"]  # fmt: skip


class Generated:
    """The package that was generated, and its client."""

    def __init__(self, package: str, api: httpx.Client) -> None:
        self._package = package
        self.use(api)

    def use(self, api: httpx.Client) -> None:
        """Ask this API from now on, for which a status that is not described is an error."""
        client = self.module("client").AuthenticatedClient
        self.client = client(str(api.base_url), token="secret", raise_on_unexpected_status=True)

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self._package}.{name}")

    def model(self, name: str) -> Any:
        return getattr(self.module("models"), name)

    def call(self, operation: str, **arguments: Any) -> Any:
        """The parsed answer of the operation, which is ``<tag>.<name>``."""
        return self.module(f"api.{operation}").sync(client=self.client, **arguments)


@pytest.fixture
def api(start: Start, dagster: DagsterServer) -> httpx.Client:
    return start(api_key="secret", dagster_url=dagster.url)


@pytest.fixture
def generated(
    api: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Generated]:
    configuration = tmp_path / "configuration.json"
    configuration.write_text(json.dumps(CONFIGURATION))
    package = tmp_path / "generated_client"
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--url", f"{api.base_url}/openapi.json", "--output-path", str(package)]
    command += ["--config", str(configuration), "--fail-on-warning"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield Generated(package.name, api)
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def published(connection: Connection) -> None:
    add_source(connection, "a", last_fetch_at=DAY, last_success_at=DAY, last_fetch_status="ok")
    add_job(connection, "a_1/x", title="Go Engineer", company="Initech, Inc", skills=["Go", "C++"],
            city="Zürich", country="CH", employment_type="FULLTIME", remote=True,
            salary_min=Decimal("42766.78"), salary_max=Decimal(50_000), salary_currency="USD",
            salary_period="YEAR", apply_url="https://example.com/apply/1",
            source_url="https://example.com/1", description="Words.", tags=["go"])  # fmt: skip
    add_posting(connection, "b_1", "a_1/x", publisher="LinkedIn", merge_evidence="the words",
                merge_score=0.97, merged_with="a_1/x")  # fmt: skip
    add_job(connection, "a_2", title="Undated Engineer", posted_at=None)
    add_job(connection, "a_3", status="closed", closed_at=DAY, category="sre")
    gone = {"job_id": "a_0", "removed_version": 1, "removed_at": DAY, "merged_into": "a_2"}
    insert(connection, "removed_jobs", gone)
    add_publish(connection, RUN, total=3)


def plain(value: Any) -> Any:
    """JSON with the times as such, however they are written, and without what grows by itself."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items() if name != "age_seconds"}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, str) and "T" in value:
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


READS: dict[str, tuple[str, dict[str, Any], str]] = {
    "jobs.list_jobs": ("Jobs", {}, "/api/jobs"),
    "jobs.read_job": ("Job", {"job_id": "a_1/x"}, "/api/jobs/a_1%2Fx"),
    "jobs.read_postings": ("JobPostings", {"job_id": "b_1"}, "/api/jobs/b_1/postings"),
    "jobs.read_changes": ("Changes", {"limit": 3}, "/api/jobs/changes?limit=3"),
    "statistics.read_statistics": ("Statistics", {}, "/api/stats"),
    "statistics.read_sources": ("Sources", {}, "/api/sources"),
    "statistics.read_rejected": (
        "RejectedPostings",
        {"posting_id": "a_9"},
        "/api/rejected?posting_id=a_9",
    ),
    "statistics.list_runs": ("Publishes", {"before": 9}, "/api/runs?before=9"),
    "operation.read_run": ("RunState", {"run_id": RUN}, f"/api/runs/{RUN}"),
    "operation.health": ("Health", {}, "/api/health"),
    "operation.ready": ("Ready", {}, "/api/ready"),
}
"""By operation: the model of its answer, its arguments, and the address that they make."""


def test_every_answer_is_read_as_its_model(
    generated: Generated, api: httpx.Client, dagster: DagsterServer
) -> None:
    dagster.runs.append(RUN)
    dagster.status = "SUCCESS"
    for operation, (model, arguments, path) in READS.items():
        answer = generated.call(operation, **arguments)
        assert isinstance(answer, generated.model(model)), operation
        raw = api.get(path, headers={"X-API-Key": "secret"}).json()
        assert plain(answer.to_dict()) == plain(raw), operation
        assert not answer.additional_properties, operation
    reads = {
        f"{operation['tags'][0]}.{operation['operationId']}"
        for operations in api.get("/openapi.json").json()["paths"].values()
        for method, operation in operations.items()
        if method == "get" and not operation["operationId"].startswith("export_")
    }
    assert reads == set(READS)


def test_filters_facets_and_cursors_are_typed(generated: Generated, api: httpx.Client) -> None:
    def enum(name: str, value: str) -> Any:
        return generated.model(f"ListJobs{name}")(value)

    answer = generated.call(
        "jobs.list_jobs",
        search='"go engineer" -java',
        source=["a", "other"],
        category=[enum("CategoryItem", "backend"), enum("CategoryItem", "sre")],
        employment_type=[enum("EmploymentTypeItem", "FULLTIME")],
        country=["ch", "us"],
        city=["zürich"],
        company=["Initech, Inc", "Hooli"],
        skills=["C++"],
        remote_only=True,
        posted_since=datetime(2026, 2, 6, tzinfo=UTC),
        first_seen_since=DAY,
        salary_min=50_000.0,
        salary_currency="usd",
        status=[enum("StatusItem", "open")],
        sort=enum("Sort", "relevance"),
        facets=[enum("FacetsItem", name) for name in FACETS],
        limit=7,
        offset=0,
    )
    (job,) = answer.jobs
    assert job.id == "a_1/x"
    assert job.posted_at == DAY
    assert job.employment_type.value == "FULLTIME"
    assert job.location.city == "Zürich"
    assert answer.total == 1
    assert answer.match.value == "exact"
    counts = answer.facets.additional_properties
    assert set(counts) == set(FACETS)
    assert [(count.value, count.jobs) for count in counts["skills"]] == [("C++", 1), ("Go", 1)]

    first = generated.call("jobs.list_jobs", limit=1, cursor=None, salary_min=None)
    second = generated.call("jobs.list_jobs", limit=1, cursor=first.next_)
    assert [first.jobs[0].id, second.jobs[0].id, second.next_] == ["a_1/x", "a_2", None]
    assert second.jobs[0].posted_at is None


def test_exports_are_texts_and_files(generated: Generated, api: httpx.Client) -> None:
    for extension in ("csv", "ndjson", "atom"):
        answer = generated.call(f"jobs.export_{extension}", limit=1)
        assert answer == api.get(f"/api/jobs.{extension}?remote_only=false&limit=1").text
    file = generated.call("jobs.export_parquet", country=["CH"])
    assert pq.read_table(file.payload).column("id").to_pylist() == ["a_1/x"]


def test_problems_are_typed(generated: Generated, start: Start) -> None:
    def problem(operation: str, status: int, **arguments: Any) -> Any:
        answer = generated.call(operation, **arguments)
        assert isinstance(answer, generated.model("Problem"))
        assert answer.status == status
        return answer

    assert "no job" in problem("jobs.read_job", 404, job_id="none").detail
    assert problem("jobs.read_postings", 404, job_id="none").instance == "/api/jobs/none/postings"
    (fault,) = problem("jobs.list_jobs", 422, limit=201).errors
    assert fault.parameter == "limit"
    assert "200" in fault.message
    problem("jobs.read_changes", 422, cursor="nonsense")
    problem("jobs.export_csv", 422, country=["Utopia"])
    problem("operation.read_run", 404, run_id=RUN)

    generated.use(start(api_rate_limit="1/hour"))
    assert generated.call("jobs.read_job", job_id="a_2").id == "a_2"
    problem("jobs.read_job", 429, job_id="a_2")
    generated.use(start(database_url="postgresql://nobody@127.0.0.1:9/none"))
    problem("jobs.list_jobs", 503)


def test_runs_are_started(generated: Generated) -> None:
    started = generated.call("operation.ingest", wait=False)
    assert isinstance(started, generated.model("StartedRun"))
    assert started.run_id == RUN
    problem = generated.call("operation.ingest", wait=False)
    assert (problem.status, problem.run_id) == (409, RUN)
