"""Two runs side by side, each of which may die after any step, and then one that completes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.installation import database
from pipeline.publish.leases import SupersededError
from pipeline.run.reconciliation import unaccounted
from tests.orchestration.world import World

STEPS = ("read", "compute", "publish")
Order = tuple[tuple[str, str], ...]


def orders(one: Order, other: Order) -> Iterator[Order]:
    """All ways in which the two can go on side by side, each of them to any point."""
    yield ()
    if one:
        for rest in orders(one[1:], other):
            yield (one[0], *rest)
    if other:
        for rest in orders(one, other[1:]):
            yield (other[0], *rest)


def of(run: str, *names: str) -> Order:
    return tuple((run, name) for name in names)


def play(world: World, order: Order) -> None:
    """A run publishes if no other one has begun since; then the last one completes, and all that
    was fetched is published once."""
    owner, published = "", 0
    for run, name in order:
        if name in ("read", "again"):
            owner = run
        if name == "read":
            world.fetch()
        if name == "publish" and run != owner:
            with pytest.raises(SupersededError, match="has taken over"):
                world.step(run, name)
        else:
            world.step(run, name)
            published += name == "publish"
    world.fetch()
    world.run("C")
    check(world, published + 1)


def check(world: World, publishes: int) -> None:
    with database.connect(world.settings) as connection:
        assert unaccounted(world.settings, connection) == []
    fetches = range(world.fetched)
    assert world.query("select posting_id from job_postings order by 1") == [
        (f"remoteok_wanted{number}",) for number in fetches
    ]
    assert world.query("select job_id from jobs order by 1") == [
        (f"remoteok_wanted{number}",) for number in fetches
    ]
    assert world.query("select posting_id from irrelevant_postings order by 1") == [
        (f"remoteok_other{number}",) for number in fetches
    ]
    assert world.query("select source_id from rejected_postings order by 1") == [
        (f"untitled{number}",) for number in fetches
    ]
    assert world.query("select sum(new), count(*) from publishes") == [(world.fetched, publishes)]
    # Versions are in the order of the commits and of the leases, and each job is of a version that
    # was published and counts it as new.
    assert world.query(
        "select count(*) from publishes a join publishes b on a.version < b.version"
        " join run_leases first on first.run_id = a.run_id"
        " join run_leases next on next.run_id = b.run_id"
        " where a.finished_at >= b.finished_at or first.token > next.token"
    ) == [(0,)]
    assert world.query(
        "select version, new from publishes where new > 0 order by 1"
    ) == world.query("select created_version, count(*) from jobs group by 1 order by 1")
    assert world.query(
        "select count(*) from jobs where changed_version not in (select version from publishes)"
        " or changed_version < created_version"
    ) == [(0,)]


def names(order: Order) -> str:
    return " ".join(run + name for run, name in order) or "none"


# The other half are the same with the names exchanged.
SIDE_BY_SIDE = sorted(
    {order for order in orders(of("A", *STEPS), of("B", *STEPS)) if order[:1] != (("B", "read"),)}
)
GOING_ON = sorted(
    of("A", "read") + order
    for order in set(orders(of("A", *STEPS[1:]), of("B", "again", *STEPS[1:])))
    if ("B", "compute") in order
)


@pytest.mark.parametrize("order", SIDE_BY_SIDE, ids=names)
@pytest.mark.trial("runs", "Two runs side by side in any order, each dying after any step")
def test_any_order_of_two_runs_loses_nothing(world: World, order: Order) -> None:
    play(world, order)


@pytest.mark.parametrize("order", GOING_ON, ids=names)
@pytest.mark.trial("runs", "A run goes on from another that lives on")
def test_a_run_that_goes_on_from_another_beside_it_loses_nothing(
    world: World, order: Order
) -> None:
    play(world, order)
