"""The deadline of a fetch, kept however slowly a server sends."""

from __future__ import annotations

import io
import socket
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipeline.extract.limits import FetchLimits


class DeadlineAdapter(HTTPAdapter):
    """Limits each read from a socket to what is left of the fetch.

    The timeout of requests limits the silence between two packets. A server that sends a byte of
    a header now and then never reaches it, and requests returns only after the last header; so
    each read asks anew how long it may wait, through the connection classes of urllib3's pools.
    Three things are not limited: looking up the host's name has the resolver's own timeout, each
    of several addresses that do not answer may take what is left, and so may each packet of an
    HTTP proxy's answer to CONNECT, which urllib3 reads before the socket is replaced.
    """

    def __init__(self, limits: FetchLimits) -> None:
        self._connections = _connections(limits)
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        kind = "https" if isinstance(pool, HTTPSConnectionPool) else "http"
        pool.ConnectionCls = self._connections[kind]
        return pool


def _connections(limits: FetchLimits) -> dict[str, type[HTTPConnection]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = cast(socket.socket, _DeadlineSocket(self.sock, limits))

    class Encrypted(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = cast(socket.socket, _DeadlineSocket(self.sock, limits))

    return {"http": Plain, "https": Encrypted}


class _DeadlineSocket:
    """A socket, except that the file made of it limits its reads."""

    def __init__(self, plain: socket.socket, limits: FetchLimits) -> None:
        self._plain = plain
        self._limits = limits

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineFile(self._plain, self._limits))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plain, name)


class _DeadlineFile(io.RawIOBase):
    def __init__(self, plain: socket.socket, limits: FetchLimits) -> None:
        super().__init__()
        self._plain = plain
        self._file = plain.makefile("rb", buffering=0)
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._plain.settimeout(self._limits.timeout())
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
