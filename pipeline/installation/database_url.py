"""PostgreSQL URLs in the one form that libpq (psycopg, psycopg2) and SQLAlchemy read alike."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo

FORM = "postgresql://user:password@host:5432/database"
_NO_ROOT_CERTIFICATE = "/dev/null/none"
"""A path that cannot exist. With ``sslmode=require`` libpq verifies the server after all where
``~/.postgresql/root.crt`` exists: https://www.postgresql.org/docs/current/libpq-ssl.html"""
_PARAMETERS = frozenset(option.keyword.decode() for option in Conninfo.get_defaults())
_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}


def normalize(url: str) -> str:
    """The same database, in a URL that all clients understand.

    ``postgres://`` becomes ``postgresql://``. ``ssl_no_verify=true`` (and ``sslmode=no-verify``),
    which libpq does not know, becomes encryption without verification of the server. Percent
    encoding and Unix sockets (``?host=/run/postgresql``) stay.

    Raises:
        ValueError: the URL is malformed. The message never repeats a part of it that could be a
            misplaced password.
    """
    url = url.strip()
    parts = _split(url)
    parameters = _parameters(parts.query)
    no_verify = _flag(parameters.pop("ssl_no_verify", "false"))
    if parameters.get("sslmode") in ("no-verify", "no_verify"):
        del parameters["sslmode"]
        no_verify = True
    if no_verify:
        if parameters.get("sslmode", "verify-full").startswith("verify-"):
            parameters["sslmode"] = "require"
        parameters["sslrootcert"] = _NO_ROOT_CERTIFICATE
    for name in parameters:
        if name not in _PARAMETERS:
            which = (
                f"the parameter {name}" if re.fullmatch(r"[a-z_]{1,40}", name) else "a parameter"
            )
            raise ValueError(
                f"PostgreSQL does not know {which} after the ?; remove it, and if a ? belongs to "
                "the password, write it as %3F"
            )
    normalized = _joined(parts, parameters)
    try:
        conninfo_to_dict(normalized)
    except psycopg.Error:
        raise ValueError(
            f"it is not of the form {FORM}; write special characters of the password "
            "percent-encoded (@ is %40, / is %2F, % is %25)"
        ) from None
    return normalized


def in_schema(url: str, schema: str) -> str:
    """``url``, a normalized one, with the unqualified names of a session in ``schema``. Other
    session options of the URL stay."""
    parts = urlsplit(url)
    parameters = _parameters(parts.query)
    options = f"{parameters.get('options', '')} -csearch_path={schema}"
    return _joined(parts, parameters | {"options": options.strip()})


def _split(url: str) -> SplitResult:
    scheme, separator, _ = url.partition("://")
    if not separator or scheme.lower() not in ("postgres", "postgresql"):
        raise ValueError(f"it must begin with postgresql:// and have the form {FORM}")
    if "#" in url:
        raise ValueError("it holds a #; where that belongs to the password, write it as %23")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"its host is malformed; the form is {FORM}") from None
    hosts = parts.netloc.rpartition("@")[2]
    if "," in hosts:
        raise ValueError(f"it names several hosts, and must name one: {FORM}")
    try:
        port_is_wrong = parts.port == 0
    except ValueError:
        port_is_wrong = True
    if port_is_wrong:
        raise ValueError(
            "its port is not a number from 1 to 65535; if a : or / belongs to the password, write "
            "it as %3A or %2F"
        )
    if not parts.path.strip("/"):
        raise ValueError(f"it names no database: {FORM}")
    if "/" in parts.path[1:]:
        raise ValueError(
            "its database name holds a /; if that belongs to the password, write it as %2F"
        )
    return parts


def _parameters(query: str) -> dict[str, str]:
    """By name. Unlike in a web form, a ``+`` is a plus."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {unquote(name): unquote(value) for name, _, value in pairs}


def _flag(value: str) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        raise ValueError("its ssl_no_verify must be true or false")
    return value.lower() in _TRUE


def _joined(parts: SplitResult, parameters: dict[str, str]) -> str:
    query = "&".join(f"{quote(k, safe='')}={quote(v, safe='/')}" for k, v in parameters.items())
    joined = urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))
    # An empty host is dropped together with its slashes.
    return joined if "://" in joined else joined.replace("postgresql:", "postgresql://", 1)
