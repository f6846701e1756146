"""The clients of the serving benchmark: ask, without a pause, until the time is up.

Run by :mod:`benchmarks.serving` as a process of its own, so that asking does not slow answering.
It reads a :class:`Load` as JSON and prints the latencies in milliseconds by kind, also as JSON.
Each client speaks HTTP/1.1 over one kept connection and reads the whole answer; what is in it is
not looked at. All clients share one thread that waits on their sockets, which costs some 30 µs a
request, a fraction of what any of the servers needs.
"""

from __future__ import annotations

import json
import random
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import accumulate
from urllib.parse import urlsplit

READ_BYTES = 1 << 18
OK = b"HTTP/1.1 200"

Taken = dict[str, list[float]]
"""Latencies in milliseconds, by kind of request."""


@dataclass(frozen=True)
class Load:
    """What is asked for.

    ``paths`` have a weight, by kind; ``new`` are the searches that the kind ``new`` asks for,
    each once, with ``new_weight`` for all of them together.
    """

    url: str
    clients: int
    seconds: float
    paths: dict[str, dict[str, int]]
    new: list[str]
    new_weight: int

    def json(self) -> str:
        return json.dumps(asdict(self))


class Client:
    """One connection, with one request under way."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kind = self.path = ""
        self.began = 0.0
        self.answer = bytearray()

    def ask(self, kind: str, path: str, request: bytes) -> None:
        self.kind, self.path = kind, path
        self.answer.clear()
        self.began = time.perf_counter()
        self.socket.sendall(request)

    def is_answered(self) -> bool:
        """Read what has arrived. Whether it is all of the answer.

        Raises:
            RuntimeError: the server ended the connection.
        """
        received = self.socket.recv(READ_BYTES)
        self.answer += received
        end = self.answer.find(b"\r\n\r\n")
        if not received:
            raise RuntimeError(f"{self.path}: the server ended the connection")
        if end < 0:
            return False
        head = bytes(self.answer[:end]).lower()
        _, has_length, length = head.partition(b"\r\ncontent-length:")
        if has_length:
            return len(self.answer) >= end + 4 + int(length.split(b"\r\n", 1)[0])
        return self.answer.endswith(b"\r\n0\r\n\r\n")


def _requests(load: Load, chance: random.Random) -> Iterator[tuple[str, str]]:
    choices = [(kind, path) for kind, paths in load.paths.items() for path in paths]
    weights = [weight for paths in load.paths.values() for weight in paths.values()]
    if load.new:
        choices.append(("new", ""))
        weights.append(load.new_weight)
    new = iter(load.new)
    ends = list(accumulate(weights))
    while True:
        for kind, path in chance.choices(choices, cum_weights=ends, k=1000):
            yield kind, path or next(new)


def ask(load: Load) -> Taken:
    """The latencies of the requests that were begun in time. What was not answered with a 200 is
    of the kind ``refused``."""
    address = urlsplit(load.url)
    assert address.hostname is not None
    assert address.port is not None
    requests = _requests(load, random.Random(1))
    taken: Taken = {kind: [] for kind in [*load.paths, "new", "refused"]}
    text = {}

    def go_on(client: Client) -> None:
        kind, path = next(requests)
        if path not in text:
            text[path] = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode()
        client.ask(kind, path, text[path])

    deadline = time.perf_counter() + load.seconds
    with selectors.DefaultSelector() as waiting:
        for _ in range(load.clients):
            client = Client(address.hostname, address.port)
            waiting.register(client.socket, selectors.EVENT_READ, client)
            go_on(client)
        while waiting.get_map():
            for key, _ in waiting.select():
                client = key.data
                if client.is_answered():
                    now = time.perf_counter()
                    kind = client.kind if client.answer.startswith(OK) else "refused"
                    taken[kind].append((now - client.began) * 1000)
                    if now < deadline:
                        go_on(client)
                    else:
                        waiting.unregister(client.socket)
                        client.socket.close()
    return taken


if __name__ == "__main__":
    print(json.dumps(ask(Load(**json.load(sys.stdin)))))
