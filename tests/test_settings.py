"""The configuration: what is accepted, in which form, and what is said of the rest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import HttpUrl
from pydantic_settings import BaseSettings
from sqlalchemy.engine import make_url

from pipeline.installation.settings import ConfigurationError, Settings
from pipeline.sources import SOURCES

ROOT = Path(__file__).parents[1]
DOCUMENTED = dict(
    line.split("=", 1)
    for line in (ROOT / ".env.example").read_text().splitlines()
    if re.match(r"[A-Z]", line)
)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in DOCUMENTED:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def defaults(kind: type[BaseSettings]) -> dict[str, str]:
    """The variables of a settings class with their defaults as text."""
    prefix = str(kind.model_config.get("env_prefix", ""))
    found: dict[str, str] = {}
    for name, field in kind.model_fields.items():
        value: Any = field.get_default(call_default_factory=True, validated_data={})
        text = "" if value is None else str(getattr(value, "value", value))
        if isinstance(value, bool):
            text = text.lower()
        if isinstance(value, (list, tuple)):
            text = ",".join(map(str, value))
        if isinstance(value, HttpUrl):
            text = text.rstrip("/")
        found[str(field.validation_alias or f"{prefix}{name}").upper()] = text
    return found


def test_env_example_documents_every_variable_with_its_default() -> None:
    expected = defaults(Settings)
    for source in SOURCES.values():
        expected |= defaults(source.settings)
    assert expected == DOCUMENTED


def test_the_values_of_env_example_are_the_defaults(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert Settings.load() == Settings.load(_env_file=None)


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        (
            "postgres://user:pa%40s%2Fs@host:5432/db?sslmode=require&ssl_no_verify=true",
            "postgresql://user:pa%40s%2Fs@host:5432/db?sslmode=require&sslrootcert=/dev/null/none",
        ),
        (
            "postgres://h/db?sslmode=verify-full&ssl_no_verify=1",
            "postgresql://h/db?sslmode=require&sslrootcert=/dev/null/none",
        ),
        ("postgres://h/db?ssl_no_verify=false", "postgresql://h/db"),
        (
            "postgresql://postgres:@/postgres?host=/tmp/x",
            "postgresql://postgres:@/postgres?host=/tmp/x",
        ),
        ("postgres:///db", "postgresql:///db"),
        ("postgres://[::1]:5433/db", "postgresql://[::1]:5433/db"),
    ],
)
def test_a_database_url_is_normalized(given: str, normal: str) -> None:
    loaded = Settings.load(database_url=given)
    assert loaded.database_url is not None
    assert loaded.database_url.get_secret_value() == normal
    assert Settings.load(database_url=normal).database_url == loaded.database_url


def test_dagster_has_a_schema_of_its_own_beside_other_options() -> None:
    loaded = Settings.load(database_url="postgres://u:p%40s@h/db?options=-c%20geqo%3Doff")
    assert loaded.dagster_database_url is not None
    url = make_url(loaded.dagster_database_url.get_secret_value())
    assert url.query["options"] == "-c geqo=off -csearch_path=dagster"
    assert (url.password, url.database) == ("p@s", "db")
    assert Settings.load().dagster_database_url is None


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("DATABASE_URL", "postgres://u:secret@h:99999/db", "port is not a number"),
        ("DATABASE_URL", "postgres://u:sec/ret@h/db", "write it as %3A or %2F"),
        ("DATABASE_URL", "postgres://u:secret@h:5432", "names no database"),
        ("DATABASE_URL", "postgres://u:secret@h/db/other", "holds a /"),
        ("DATABASE_URL", "mysql://u:secret@h/db", "must begin with postgresql://"),
        ("DATABASE_URL", "host=h password=secret", "must begin with postgresql://"),
        ("DATABASE_URL", "postgres://u:sec#ret@h/db", "write it as %23"),
        ("DATABASE_URL", "postgres://u:secret%@h/db", "percent-encoded"),
        ("DATABASE_URL", "postgres://u:secret@a:1,b:2/db", "several hosts"),
        ("DATABASE_URL", "postgres://u:secret@h/db?ssl=true", "the parameter ssl after"),
        ("DATABASE_URL", "postgres://u:secret@h/db?ssl_no_verify=maybe", "true or false"),
        ("API_PORT", "http", "valid integer"),
        ("API_PORT", "70000", "less than or equal to 65535"),
        ("INGESTION_INTERVAL_MINUTES", "-5", "greater than or equal to 1"),
        ("INGESTION_INTERVAL_MINUTES", "7", "divide an hour evenly"),
        ("INGESTION_INTERVAL_MINUTES", "90", "divide an hour evenly"),
        ("ENVIRONMENT", "staging", "'development', 'production' or 'test'"),
        ("LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
        ("DAGSTER_URL", "localhost:3000", "URL"),
    ],
)
def test_a_malformed_value_is_named_in_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=re.escape(reason)) as caught:
        Settings.load()
    message = str(caught.value)
    assert message.startswith(f"{variable} is not usable: ")
    assert "\n" not in message
    assert not re.search(r"sec.?ret", message)


def test_an_unreadable_env_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"API_KEY=\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"\.env is not UTF-8"):
        Settings.load()
