"""The PostgreSQL of the installation: the configured one, or an embedded one that its processes
share."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from pipeline.installation import embedded_database
from pipeline.installation.settings import ConfigurationError, Settings

CONNECT_SECONDS = 10

RESTART_SECONDS = 30.0
"""How long a server that says that it is starting or stopping is waited for."""

LOCK_SECONDS = 60
IDLE_MINUTES = 5
"""How long a transaction may wait for its client, which between two statements reads a file."""


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of a database that answers. Without ``DATABASE_URL`` an embedded server below
    ``data_dir`` runs until the last process that is in this context leaves it, however it ends.

    Raises:
        ConfigurationError: it cannot be reached or started; the message says what to do.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        with connect(settings):
            pass
        yield url
        return
    with embedded_database.running(settings.data_dir.absolute() / "postgres") as url:
        yield url


@contextmanager
def connect(settings: Settings) -> Iterator[Connection[TupleRow]]:
    """A connection to ``DATABASE_URL`` that commits each statement unless it is in a
    ``transaction()``. Times are in UTC. Nothing waits forever: a server that vanishes is noticed
    within a minute, no statement takes longer than ``max_run_minutes``, none waits for a lock
    longer than :data:`LOCK_SECONDS`, and the server ends a transaction whose client does nothing
    for :data:`IDLE_MINUTES`.

    Raises:
        ConfigurationError: ``DATABASE_URL`` is not set, or the server does not let us in; the
            message says what to do.
    """
    if settings.database_url is None:
        raise ConfigurationError(
            "DATABASE_URL is not set. Start everything together with `job-market up`, which runs a "
            "database of its own, or set it in the environment or in .env."
        )
    url = settings.database_url.get_secret_value()
    own = conninfo_to_dict(url)
    bounds: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 20,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        "application_name": "job-market",
    }
    missing = {name: value for name, value in bounds.items() if name not in own}
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            connection = psycopg.connect(url, autocommit=True, **missing)
            break
        except psycopg.OperationalError as error:
            if not re.search(_RESTARTS, str(error)) or time.monotonic() > deadline:
                raise ConfigurationError(explain(error, url)) from None
            time.sleep(0.5)
    with connection:
        connection.execute("set timezone = 'UTC'")
        for name, value in (
            ("statement_timeout", f"{settings.max_run_minutes}min"),
            ("lock_timeout", f"{LOCK_SECONDS}s"),
            ("idle_in_transaction_session_timeout", f"{IDLE_MINUTES}min"),
        ):
            connection.execute("select set_config(%s, %s, false)", (name, value))
        yield connection


def explain(error: psycopg.OperationalError, url: str) -> str:
    """What is wrong with the connection to ``url`` and what to do, in a sentence or two without
    its password."""
    parts: dict[str, Any] = conninfo_to_dict(url)
    host, name = parts.get("host") or "localhost", parts.get("dbname")
    where = host if host.startswith("/") else f"{host}:{parts.get('port') or 5432}"
    user = parts.get("user")
    message = str(error)
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        message += " timeout expired"
    for pattern, advice in _ADVICE:
        if re.search(pattern, message, re.IGNORECASE):
            said = advice.format(where=where, host=host, name=name, user=user)
            return f"DATABASE_URL is not usable: {said}"
    last = message.strip().splitlines()[-1] if message.strip() else type(error).__name__
    if (password := parts.get("password")) and password in last:
        last = type(error).__name__
    return f"DATABASE_URL is not usable: the server at {where} does not let us in ({last})."


_RESTARTS = r"starting up|shutting down|recovery mode|not yet accepting"

_ADVICE = [
    (
        r'database ".*" does not exist',
        'there is no database "{name}" at {where}. Create it with `createdb -h {host} {name}` '
        '(or `create database "{name}"` in psql), or correct the name.',
    ),
    (
        r"password authentication failed|no password supplied|SASL authentication failed"
        r'|role ".*" does not exist|authentication failed for user',
        'the server at {where} does not accept the user "{user}" with this password. Correct '
        "them; special characters of a password must be percent-encoded (@ is %40, / is %2F).",
    ),
    (
        r"certificate verify failed|does not match host name|root certificate file"
        r"|self.signed certificate",
        "the certificate of {where} is not trusted. Name its authority with sslrootcert=FILE, or "
        "append ssl_no_verify=true to encrypt without verification.",
    ),
    (
        r"server does not support SSL",
        "the server at {where} does not offer SSL. Enable it there, or use sslmode=disable (on a "
        "network that you trust).",
    ),
    (
        r"no pg_hba.conf entry.*(no encryption|SSL off)",
        "the server at {where} demands encryption. Append sslmode=require.",
    ),
    (
        r"no pg_hba.conf entry",
        'the server at {where} does not allow user "{user}" to reach database "{name}" from this '
        "machine. Add a line to its pg_hba.conf.",
    ),
    (
        r"permission denied for database",
        'user "{user}" may not connect to database "{name}". Grant it: `grant all on database '
        "{name} to {user}`.",
    ),
    (
        r"too many clients|remaining connection slots|too many connections",
        "the server at {where} has no free connection. Close other programs, raise its "
        "max_connections, or lower API_POOL_SIZE.",
    ),
    (
        r"failed to resolve host|could not translate host name|name or service not known",
        'the host "{host}" is unknown. Correct its name, or check the DNS of this machine.',
    ),
    (
        r"connection refused|no such file or directory",
        "nothing listens at {where}. Start PostgreSQL there, or correct host and port.",
    ),
    (
        _RESTARTS,
        "the server at {where} is starting or stopping. Try again in a moment.",
    ),
    (
        r"timeout expired|timed out|network is unreachable|no route to host",
        "{where} does not answer. Check the address, and firewalls between here and there.",
    ),
    (
        r"SSL|TLS|server closed the connection unexpectedly|received invalid response",
        "what answers at {where} broke the connection off. Check that it is PostgreSQL's port, and "
        "that sslmode fits (sslmode=require, or sslmode=disable).",
    ),
]  # fmt: skip
