"""The clients of the serving benchmark: ask, without a pause, until the time is up.

Run by :mod:`benchmarks.serving` as a process of its own, so that asking does not slow answering.
Prints the latencies in milliseconds by kind as JSON. Clients speak HTTP/1.1 over one kept
connection each and read the whole answer; parsing it is not counted.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import urlsplit


def ask(
    host: str,
    mix: dict[str, dict[str, int]],
    seed: int,
    seconds: float,
    taken: dict[str, list[float]],
) -> None:
    """Ask for the paths of ``mix``, by kind and with their weights, noting the times."""
    chance = random.Random(seed)
    requests = [(kind, path) for kind, paths in mix.items() for path in paths]
    weights = [weight for paths in mix.values() for weight in paths.values()]
    connection = http.client.HTTPConnection(host)
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        ((kind, path),) = chance.choices(requests, weights=weights)
        began = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        taken.setdefault(kind, []).append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")


def main() -> None:
    url, clients, seconds, mix_text = sys.argv[1:]
    host = urlsplit(url).netloc
    mix = json.loads(mix_text)
    ask(host, mix, 0, 2.0, {})  # warms the API up
    taken: list[dict[str, list[float]]] = [{} for _ in range(int(clients))]
    threads = [
        threading.Thread(target=ask, args=(host, mix, seed, float(seconds), taken[seed - 1]))
        for seed in range(1, int(clients) + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kinds = {kind: [t for one in taken for t in one.get(kind, [])] for kind in mix}
    print(json.dumps(kinds))


if __name__ == "__main__":
    main()
