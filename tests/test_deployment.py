"""The container files, checked without an engine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.commands.cli import app

PROJECT = Path(__file__).parents[1]
COMMANDS = {command.name or command.callback.__name__ for command in app.registered_commands
            if command.callback}  # fmt: skip


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    document = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    found: dict[str, Any] = document["services"]
    return found


def test_every_service_runs_a_command_that_exists(services: dict[str, Any]) -> None:
    own = {name: service["command"] for name, service in services.items() if "command" in service}
    assert own == {
        "code-server": ["code-server"],
        "dagster-webserver": ["webserver"],
        "dagster-daemon": ["daemon"],
        "api": ["serve"],
    }
    assert {command[0] for command in own.values()} <= COMMANDS


def test_everything_has_a_healthcheck_and_restarts(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert "healthcheck" in service, name
        assert service["restart"] == "unless-stopped", name


def test_only_the_api_is_reachable_from_elsewhere(services: dict[str, Any]) -> None:
    published = {name: s["ports"] for name, s in services.items() if "ports" in s}
    assert published == {
        "dagster-webserver": ["127.0.0.1:3000:3000"],
        "api": ["8000:8000"],
    }


def test_what_listens_beyond_its_container_has_a_key(services: dict[str, Any]) -> None:
    environment = services["dagster-webserver"]["environment"]
    assert environment["DAGSTER_HOST"] == "0.0.0.0"
    assert environment["DAGSTER_KEY"].startswith("${DAGSTER_KEY:?")
    assert services["api"]["environment"]["DAGSTER_KEY"] == environment["DAGSTER_KEY"]


def test_volumes_are_declared_and_the_database_is_the_promised_one(
    services: dict[str, Any],
) -> None:
    document = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    used = {v.split(":")[0] for s in services.values() for v in s.get("volumes", [])}
    assert used == set(document["volumes"])
    assert services["postgres"]["image"] == "postgres:16"


def test_the_environment_names_settings_that_exist(services: dict[str, Any]) -> None:
    documented = re.findall(r"^#?\s*([A-Z][A-Z0-9_]+)=", (PROJECT / ".env.example").read_text(),
                            re.MULTILINE)  # fmt: skip
    assert set(services["api"]["environment"]) <= set(documented)


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    for password in re.findall(r"PASSWORD: (\S+)", text) + re.findall(r"//jobs:([^@]+)@", text):
        assert password.startswith("${POSTGRES_PASSWORD:?"), password
    dockerfile = (PROJECT / "Dockerfile").read_text()
    assert not re.search(r"(?i)(key|password|secret|token)\s*=", dockerfile)
    assert ".env" not in re.findall(r"^COPY (.*)$", dockerfile, re.MULTILINE)


def test_the_image_runs_as_nobody_in_particular() -> None:
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    assert lines.index("USER jobs") < lines.index('ENTRYPOINT ["job-market"]')


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines()
               if line.startswith("!")}  # fmt: skip
    for line in re.findall(r"^COPY (?!--from)(.*)$", (PROJECT / "Dockerfile").read_text(), re.M):
        for path in line.split()[:-1]:
            assert (PROJECT / path).exists(), path
            assert path.split("/")[0] in allowed, path
