"""The OpenAPI document against itself, and against the running API with Schemathesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.serving.dagster_server import RUN, DagsterServer
from tests.serving.published_rows import (
    Connection,
    Start,
    add_job,
    add_posting,
    add_publish,
    add_source,
)

pytest.importorskip("schemathesis", reason="Schemathesis is not installed")
jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="Schemathesis brings it")

TOML = """
[[operations]]
include-path = "/api/jobs"
parameters = {{ "query.cursor" = "" }}

[[operations]]
include-path = "/api/rejected"
parameters = {{ "query.cursor" = "" }}

[[operations]]
include-path = "/api/jobs/changes"
parameters = {{ "query.cursor" = "{change}" }}

[[operations]]
include-path-regex = "^/api/jobs/.job_id"
parameters = {{ "path.job_id" = "a_1" }}
"""


def test_schemathesis_finds_nothing(
    start: Start, connection: Connection, dagster: DagsterServer, tmp_path: Path
) -> None:
    """All checks, the stateful ones included. A cursor is what the API gave to the same query: any
    other text is refused, which no schema can say."""
    add_source(connection, "a")
    for number in range(30):
        add_job(connection, f"a_{number}", title="Kafka Engineer", skills=["Go"], country="US")
    add_posting(connection, "b_1", "a_1")
    add_publish(connection, RUN)
    dagster.status = "SUCCESS"
    api = start(api_key="secret", dagster_url=dagster.url)
    change = api.get("/api/jobs/changes?limit=3").json()["next"]
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(TOML.format(change=change))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)]
    command += ["run", f"{api.base_url}/openapi.json", "--header", "X-API-Key: secret"]
    command += ["--max-examples", "10", "--seed", "1", "--checks", "all", "--no-color"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert result.returncode == 0, result.stdout[-8000:] + result.stderr[-2000:]


def test_every_answer_has_an_example_of_its_schema(api: httpx.Client) -> None:
    document = api.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                assert response["content"], (path, status)
                for content in response["content"].values():
                    schema = {**content["schema"], "components": document["components"]}
                    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
                    errors = [str(error) for error in validator.iter_errors(content["example"])]
                    assert not errors, (path, status, errors)
                    _, _, model = content["schema"].get("$ref", "").rpartition("/")
                    if model and int(status) < 400:
                        properties = document["components"]["schemas"][model]["properties"]
                        assert set(content["example"]) == set(properties), (path, status)
