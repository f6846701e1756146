"""The clients of the search benchmark: ask, without a pause, until the time is up.

Run by :mod:`benchmarks.search` as a process of its own, so that asking does not slow answering.
Prints the latencies in milliseconds as a JSON array. Clients speak HTTP/1.1 over one kept
connection each and read the whole answer; parsing it is not counted.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from urllib.parse import quote, urlsplit


def ask(host: str, searches: dict[str, int], seed: int, seconds: float, taken: list[float]) -> None:
    chance = random.Random(seed)
    paths = [f"/api/jobs?search={quote(search)}" for search in searches]
    connection = http.client.HTTPConnection(host)
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        (path,) = chance.choices(paths, weights=list(searches.values()))
        began = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        taken.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:300]!r}")


def main() -> None:
    url, clients, seconds, searches = sys.argv[1:]
    host = urlsplit(url).netloc
    mix = json.loads(searches)
    ask(host, mix, 0, 2.0, [])  # warms the API up
    taken: list[float] = []
    threads = [
        threading.Thread(target=ask, args=(host, mix, seed, float(seconds), taken))
        for seed in range(1, int(clients) + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
