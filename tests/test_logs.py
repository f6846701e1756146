"""What reaches the console and the files, and what never does."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from pipeline.installation import logs
from pipeline.installation.settings import ConfigurationError, Settings

PASSWORD = "p@ss/w%rd!\"'"
API_KEY = "an-api-key-of-ours"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def configured(folder: Path, **values: Any) -> Path:
    url = f"postgres://user:{quote(PASSWORD, safe='')}@host/db"
    settings = Settings(_env_file=None, database_url=url, api_key=API_KEY, log_dir=folder, **values)
    logs.configure(settings, "test")
    return folder / "test.jsonl"


def written(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.trial("key", "A secret is logged, in any form")
def test_no_secret_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment: str
) -> None:
    file = configured(tmp_path, environment=environment)
    library = logging.getLogger("some.library")
    secrets = {
        PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), API_KEY,
        "adzuna-key", "rapid-key", "other-password",
    }  # fmt: skip
    library.warning("GET /v1/api?app_id=%s&app_key=%s&what=sre", "adzuna-key", "adzuna-key")
    library.warning("headers %s", {"X-RapidAPI-Key": "rapid-key", "X-API-Key": API_KEY})
    library.warning("connecting to postgresql://me:other-password@elsewhere/db")
    structlog.get_logger("pipeline").info("fetched", key=API_KEY, nested={"k": [PASSWORD]})
    try:
        raise RuntimeError(f"no answer from {quote(PASSWORD, safe='')} and {PASSWORD}")
    except RuntimeError:
        logging.getLogger("dlt").exception("failed")
        structlog.get_logger("pipeline").exception("failed too")
    shown = capsys.readouterr().err + file.read_text()
    for secret in secrets:
        assert secret not in shown
        assert json.dumps(secret)[1:-1] not in shown
    assert "what=sre" in shown
    assert shown.count("RuntimeError") >= 4
    assert len(written(file)) == 6


def test_a_line_says_when_who_and_what(tmp_path: Path) -> None:
    file = configured(tmp_path)
    structlog.get_logger("pipeline.extract").warning("source skipped", source="adzuna", rows=0)
    (line,) = written(file)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "source skipped", "level": "warning", "logger": "pipeline.extract",
        "process": "test", "source": "adzuna", "rows": 0,
    }  # fmt: skip


def test_levels_and_warnings_and_libraries_with_handlers(tmp_path: Path) -> None:
    logging.getLogger("dagster").addHandler(logging.StreamHandler())
    file = configured(tmp_path, log_level="WARNING")
    logging.getLogger("dagster").info("hidden")
    logging.getLogger("dagster").error("shown once")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("odd", UserWarning, stacklevel=1)
    assert [line["event"].split(": ")[-1].split("\n")[0] for line in written(file)] == [
        "shown once",
        "odd",
    ]


def test_the_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 2_000)
    configured(tmp_path)
    for number in range(300):
        logging.getLogger("x").info("line %s", number)
    files = list(tmp_path.iterdir())
    assert len(files) == 1 + logs.FILES
    assert all(file.stat().st_size <= 2_000 for file in files)


def test_configuring_again_does_not_write_twice(tmp_path: Path) -> None:
    configured(tmp_path)
    file = configured(tmp_path)
    logging.getLogger("x").info("once")
    assert len(written(file)) == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="LOG_DIR is not usable"):
        configured(tmp_path / "file")


# Each is obeyed by some terminal, or shows a text otherwise than it was written.
COMMANDS = [
    "\x1b[2J\x1b[1;1H", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\click", "\x9b2J",
    "\x90q\x9c", "over\rwritten", "back\x08\x08space", "\x00\x7f", "\u202egnp.exe", "\u2066\u2069",
    "\u2028next", "\u200f", "\u061c", "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("environment", ["development", "production"])
@pytest.mark.parametrize("command", COMMANDS, ids=ascii)
@pytest.mark.trial("text", "A text is a command to a terminal")
def test_no_text_is_a_command_to_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], environment: str, command: str
) -> None:
    file = configured(tmp_path, environment=environment)
    structlog.get_logger("pipeline").warning(f"a title: {command}", company=command, tags=[command])
    logging.getLogger("some.library").warning("a title: %s", command)
    try:
        raise RuntimeError(command)
    except RuntimeError:
        logging.getLogger("some.library").exception("it failed: %s", command)
    shown = capsys.readouterr().err
    assert not {c for c in shown + file.read_text() if not (c.isprintable() or c in "\n\t")}
    assert written(file)[0]["event"] == f"a title: {command}"


@pytest.mark.trial("text", "A text forges a line of the log")
def test_a_message_of_several_lines_passes_for_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = configured(tmp_path)
    logging.getLogger("x").warning("a title\n2026-01-01T00:00:00Z [info] forged")
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 2
    assert shown[1].startswith("    2026-01-01")
    assert len(written(file)) == 1


@pytest.mark.parametrize("command", COMMANDS, ids=ascii)
def test_a_relayed_line_is_shown_without_commands(command: str) -> None:
    shown = logs.relayed(f"\x1b[33mWARNING\x1b[0m {command}")
    assert shown.startswith("WARNING ")
    assert shown.isprintable()
    assert json.loads(logs.to_json({command: [command]})) == {command: [command]}
    assert logs.to_json({command: [command]}).isprintable()


@pytest.mark.trial("storage", "The disk is full when a log is written")
def test_a_full_disk_stops_nobody_who_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(configured(tmp_path))
    (file,) = (
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler, logging.FileHandler) and handler.baseFilename == path
    )

    def full(_: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file.stream, "write", full, raising=False)
    logging.getLogger("x").info("shown all the same")
    shown = capsys.readouterr().err
    assert "shown all the same" in shown
    assert "a line of the log could not be written: OSError No space left on device" in shown
    assert "Traceback" not in shown
