"""What is configured, what is reachable, what is missing, and what to do about each."""

from __future__ import annotations

import shutil
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg

from pipeline.extract.client import Client
from pipeline.extract.drift import UNKNOWN
from pipeline.extract.errors import FetchError, FetchLimitError, IncompleteFetchError
from pipeline.extract.quota import Quota
from pipeline.installation import database
from pipeline.installation.api_key import FILE
from pipeline.installation.settings import ConfigurationError, Settings, SourceSettings
from pipeline.installation.supervisor import is_open
from pipeline.publish.migrate import known_migrations
from pipeline.run.reconciliation import unaccounted
from pipeline.sources import SOURCES, Source
from pipeline.staging.coerce import Coercer
from pipeline.staging.load import failure_in_words, fetch_error

CONNECT_SECONDS = 3.0
MIN_FREE_GIGABYTES = 2.0
ANSWER_SECONDS = 30.0

Verdict = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``missing`` costs something optional; ``broken`` must be
    mended before the pipeline can run. ``detail`` says what to do in both cases."""

    subject: str
    verdict: Verdict
    detail: str


def examine(settings: Settings, *, ask: bool = True) -> Iterator[Finding]:
    """Look at everything that a run needs.

    Args:
        ask: ask each configured source one question, which counts against its quota; otherwise
            only try whether it can be reached.
    """
    yield from _folders(settings)
    yield from _database(settings)
    yield from _published(settings)
    for source in SOURCES.values():
        yield from _source(source, settings, ask=ask)
    yield _api_key(settings)
    yield _listens("Dagster UI", settings.dagster_port)
    yield _listens("API", settings.api_port)


def _folders(settings: Settings) -> Iterator[Finding]:
    for variable, folder in (("DATA_DIR", settings.data_dir), ("LOG_DIR", settings.log_dir)):
        path = folder.absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            yield Finding(variable, "broken", f"{path}: {error.strerror}. Correct its permissions, "
                          f"or set {variable} to another folder.")  # fmt: skip
            continue
        free = shutil.disk_usage(path).free / 1e9
        if free < MIN_FREE_GIGABYTES:
            yield Finding(variable, "broken", f"{path}: only {free:.1f} GB free. Make room.")
        else:
            yield Finding(variable, "ok", f"{path}: writable, {free:.0f} GB free")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url is None:
        started = (Path(settings.data_dir) / "postgres").exists()
        state = "has data" if started else "is created at the first start"
        yield Finding("DATABASE_URL", "ok", f"not set: PostgreSQL runs embedded and {state}")
        return
    try:
        with database.connect(settings) as connection:
            version = connection.info.server_version // 10_000
            recorded = connection.execute("select to_regclass('schema_migrations')").fetchone()
            applied = 0
            if recorded and recorded[0]:
                row = connection.execute("select count(*) from schema_migrations").fetchone()
                applied = row[0] if row else 0
    except ConfigurationError as error:
        yield Finding("DATABASE_URL", "broken", str(error))
        return
    missing = len(known_migrations()) - applied
    note = f"; {missing} migrations are applied at the next start" if missing else ""
    yield Finding("DATABASE_URL", "ok", f"PostgreSQL {version} answers{note}")


def _published(settings: Settings) -> Iterator[Finding]:
    """Nothing where nothing can be compared: another finding says why."""
    if settings.database_url is None:
        return
    try:
        with database.connect(settings) as connection:
            lost = unaccounted(settings, connection)
    except (ConfigurationError, psycopg.Error):
        return
    for one in lost:
        yield Finding(
            "postings", "missing", f"{one.count} of {one.source} are in staging and were not "
            f"published (the first: {one.examples[0]}). Start a run with full_refresh, or wait: "
            "once a day a run looks for such and reads them again."
        )  # fmt: skip
    if not lost:
        yield Finding("postings", "ok", "every one that was read is accounted for")


def _source(source: Source, settings: Settings, *, ask: bool) -> Iterator[Finding]:
    try:
        own = source.settings.load()
    except ConfigurationError as error:
        yield Finding(source.title, "broken", str(error))
        return
    if not own.enabled:
        yield Finding(source.title, "missing", f"disabled by {source.name.upper()}_ENABLED")
        return
    if own.missing_keys:
        keys = " and ".join(own.missing_keys)
        yield Finding(source.title, "missing", f"skipped without {keys}: set it in .env.")
        return
    quota = Quota(source.name, own, settings.data_dir)
    reached = _reachable(own.base_url)
    if reached is not None:
        yield Finding(source.title, "missing", reached)
    elif ask:
        yield _answer(source, own, quota)
    else:
        yield Finding(source.title, "ok", f"configured and reachable{_cadence(own, quota)}")


def _answer(source: Source, own: SourceSettings, quota: Quota) -> Finding:
    """What comes back to the first page of the first search, asked once and within seconds."""
    brief = own.model_copy(update={"max_attempts": 1, "max_seconds": ANSWER_SECONDS})
    client = Client(source.name, brief, quota, max_pages=1)
    coercer = Coercer(source)
    items = list(source.resource(brief, client))
    for error in (item for item in items if isinstance(item, Exception)):
        if not _wanted_more(fetch_error(error)):
            return Finding(source.title, "broken", failure_in_words(source, error))
    coercer.coerce([item for item in items if not isinstance(item, Exception)])
    drift = [drift for drift in (*client.drift(), *coercer.drift()) if drift.what != UNKNOWN]
    answered = f"answers with {coercer.postings} postings{_cadence(own, quota)}"
    if drift:
        told = "; ".join(f"{each.field}: {each.what}" for each in drift[:5])
        return Finding(source.title, "broken", f"{answered}, but not as declared: {told}")
    return Finding(source.title, "ok", answered)


def _wanted_more(error: FetchError | None) -> bool:
    """Whether it was the one page only that ended the questions."""
    failures = error.failures.values() if isinstance(error, IncompleteFetchError) else [error]
    return all(isinstance(failure, FetchLimitError) for failure in failures)


def _cadence(own: SourceSettings, quota: Quota) -> str:
    try:
        left = quota.left()
    except FetchError as error:
        return f"; {error}"
    requests = "" if left is None else f", {left} requests left in the quota"
    return f"; asked every {own.interval_minutes} minutes{requests}"


def _reachable(url: str) -> str | None:
    """None, or why no connection can be made."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((host, port), CONNECT_SECONDS) as connection:
            if parts.scheme == "https":
                context = ssl.create_default_context()
                with context.wrap_socket(connection, server_hostname=host):
                    pass
    except ssl.SSLError as error:
        return (
            f"{host} has no certificate that is trusted here ({error.reason}): is a proxy between?"
        )
    except OSError:
        return f"{host}:{port} cannot be reached: check the network, the proxy and the firewall."
    return None


def _api_key(settings: Settings) -> Finding:
    if settings.api_key is not None or settings.api_key_hashes:
        return Finding("API_KEY", "ok", "set: whoever has it may start runs through the API")
    return Finding(
        "API_KEY",
        "missing",
        f"not set: `up` makes one and keeps it in {settings.data_dir / FILE}; `serve` alone starts "
        "no runs.",
    )


def _listens(subject: str, port: int) -> Finding:
    if is_open(port):
        return Finding(subject, "ok", f"something listens on port {port}")
    return Finding(
        subject, "missing", f"nothing listens on port {port}: start it with `job-market up`."
    )
