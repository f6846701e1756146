"""Clusters of postings under constraints: what must never be one job never becomes one.

A merge joins two whole clusters, so every fact that forbids it is a fact of the cluster: no chain
A–B–C can join an A and a C that must stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class Facts(NamedTuple):
    """What one posting says that can forbid a merge; empty or null where it says nothing.
    ``requisitions`` are ``SYSTEM:NUMBER``; ``numbers``, ``years`` and ``seasons`` are words, any of
    which may agree."""

    company: str | None
    requisitions: list[str]
    numbers: str
    seniority: str
    country: str | None
    city: str | None
    team: str
    years: str
    seasons: str


class Merge(NamedTuple):
    """Why two postings are one job."""

    rule: str
    evidence: str
    score: float | None


@dataclass
class _Cluster:
    members: list[int]
    companies: set[str]
    requisitions: dict[str, set[str]]
    numbers: set[str]
    seniorities: set[str]
    countries: set[str]
    cities: set[str]
    teams: set[str]
    years: set[str]
    seasons: set[str]
    feeds: set[str]
    apart: set[int] = field(default_factory=set)


class Clusters:
    """A forest over the rows 0 … n-1 of one frame, each founded as its own cluster."""

    def __init__(self, facts: dict[int, Facts], feeds: dict[int, str]) -> None:
        self._clusters = {
            row: _Cluster(
                [row],
                {said.company} - {None},  # type: ignore[arg-type]
                _by_system(said.requisitions),
                set(said.numbers.split()),
                {said.seniority} - {""},
                {said.country} - {None},  # type: ignore[arg-type]
                {said.city} - {None},  # type: ignore[arg-type]
                {said.team} - {""},
                set(said.years.split()),
                set(said.seasons.split()),
                {feeds[row]},
            )
            for row, said in facts.items()
        }
        self._cluster_of = {row: row for row in facts}
        self._edges: dict[int, list[tuple[int, Merge]]] = {}

    def of(self, row: int) -> int:
        """The cluster that the row belongs to."""
        return self._cluster_of[row]

    def companies(self, row: int) -> set[str]:
        """The companies that the postings of the row's cluster name."""
        return self._clusters[self.of(row)].companies

    def keep_apart(self, left: int, right: int) -> None:
        """No merge, whatever its evidence, joins the two rows' clusters."""
        self._clusters[self.of(left)].apart.add(right)
        self._clusters[self.of(right)].apart.add(left)

    def share_feed(self, left: int, right: int) -> bool:
        """Whether one feed shows a posting of each of the two rows' clusters."""
        a, b = self._clusters[self.of(left)], self._clusters[self.of(right)]
        return not a.feeds.isdisjoint(b.feeds)

    def merge(
        self, left: int, right: int, why: Merge, *, any_city: bool = False, forced: bool = False
    ) -> bool:
        """Join the two rows' clusters unless a constraint forbids it; true if they are one now.

        ``any_city``: the evidence identifies the opening whatever cities its postings name.
        ``forced``: a person decided; only another person's split forbids it.
        """
        a, b = self.of(left), self.of(right)
        if a == b:
            return True
        one, other = self._clusters[a], self._clusters[b]
        if self._kept_apart(one, b) or self._kept_apart(other, a):
            return False
        if not forced and _conflict(one, other, any_city=any_city):
            return False
        if len(one.members) < len(other.members):
            a, b, one, other = b, a, other, one
        for row in other.members:
            self._cluster_of[row] = a
        one.members += other.members
        for system, ids in other.requisitions.items():
            one.requisitions.setdefault(system, set()).update(ids)
        for name in ("companies", "numbers", "seniorities", "countries", "cities", "teams",
                     "years", "seasons", "feeds", "apart"):  # fmt: skip
            getattr(one, name).update(getattr(other, name))
        del self._clusters[b]
        self._edges.setdefault(left, []).append((right, why))
        self._edges.setdefault(right, []).append((left, why))
        return True

    def explained(self) -> Iterator[tuple[int, int, int, Merge]]:
        """``(row, founder, compared with, why)`` of each row that joined another's job: the
        founder is the cluster's first row, and following ``compared with`` leads to it."""
        for cluster in self._clusters.values():
            if len(cluster.members) == 1:
                continue
            founder = min(cluster.members)
            reached, frontier = {founder}, [founder]
            for row in frontier:
                for neighbour, why in self._edges[row]:
                    if neighbour not in reached:
                        reached.add(neighbour)
                        frontier.append(neighbour)
                        yield neighbour, founder, row, why

    def _kept_apart(self, cluster: _Cluster, other: int) -> bool:
        return any(self.of(row) == other for row in cluster.apart)


def _by_system(requisitions: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for requisition in requisitions:
        system, _, number = requisition.rpartition(":")
        found.setdefault(system, set()).add(number)
    return found


def _conflict(one: _Cluster, other: _Cluster, *, any_city: bool) -> bool:
    return (
        any(
            system in other.requisitions and ids.isdisjoint(other.requisitions[system])
            for system, ids in one.requisitions.items()
        )
        or _differ(one.numbers, other.numbers)
        or _differ(one.seniorities, other.seniorities)
        or _differ(one.countries, other.countries)
        or _differ(one.teams, other.teams)
        or _differ(one.years, other.years)
        or _differ(one.seasons, other.seasons)
        or (not any_city and _differ(one.cities, other.cities))
    )


def _differ(one: set[str], other: set[str]) -> bool:
    return bool(one) and bool(other) and one.isdisjoint(other)
