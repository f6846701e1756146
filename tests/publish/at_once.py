"""Several who do the same at one moment, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from tests.publish.postings import Connection


def at_once(
    url: str, count: int, act: Callable[[Connection, int], object], refusal: type[Exception]
) -> list[str]:
    """How each of ``count`` fared, sorted: ``done``, or ``refused`` where it raised ``refusal``."""
    outcomes: list[str] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            start.wait()
            try:
                act(connection, number)
                outcomes.append("done")
            except refusal:
                outcomes.append("refused")

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)
