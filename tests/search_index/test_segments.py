"""Segments, deltas and merges find what a search finds that reads every document."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pyroaring import BitMap

from pipeline.search_index import merge as merging
from pipeline.search_index import segment as segments
from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.arrays import CorruptFileError, map_arrays
from pipeline.search_index.builder import Document, build
from pipeline.search_index.directory import Commit, Directory
from pipeline.search_index.merge import merge
from pipeline.search_index.schema import FACETS
from pipeline.search_index.segment import Segment
from serving.search.query import parse
from serving.search.searcher import Conditions, Paid, Searcher
from tests.search_index.documents import Naive, changed, document

ANALYZER = Analyzer()
SEARCHES = [
    "engineer", "backend", "back-end", '"back end developer"', "kubernetes -devops", "k8s or café",
    '"site reliability"', "the", '-"site reliability" (go or cafe)', "c++", "c#", "node.js", "go",
    '"go to market"', "kube*", "on-call", "oncall", "-the", "后端", "工", "バック", "ingenieur",
    '"reliability back"', "nosuchword", '"on-call sre"', "-nosuchword -engineer", "si* -site",
]  # fmt: skip


class World:
    """The documents as they are, and an index that has followed."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self.chance = chance
        self.documents: dict[str, Document] = {}
        self.segments: list[Segment] = []
        self.live: list[BitMap] = []
        self.made = 0

    def add(self, fresh: int, other: int, gone: int) -> None:
        """Another segment, of new and changed documents; some are removed."""
        known = self.chance.sample(sorted(self.documents), other + gone) if self.documents else []
        new = [document(self.made + number, self.chance) for number in range(fresh)]
        self.made += fresh
        new += [changed(self.documents[job_id], self.chance) for job_id in known[:other]]
        for job_id in known[other:]:
            del self.documents[job_id]
        for segment, live in zip(self.segments, self.live, strict=True):
            dead = (segment.find(job_id.encode()) for job_id in known)
            live -= BitMap(doc for doc in dead if doc is not None)
        self.documents |= {each.job_id: each for each in new}
        path = self.folder / f"{len(list(self.folder.iterdir()))}"
        build(path, new, ANALYZER)
        self.segments.append(Segment(path))
        self.live.append(BitMap(range(len(new))))

    def merge(self, first: int) -> None:
        """The segments from one on become one."""
        path = self.folder / f"{len(list(self.folder.iterdir()))}"
        merge(path, self.segments[first:], self.live[first:])
        whole = Segment(path)
        self.segments[first:] = [whole]
        self.live[first:] = [BitMap(range(whole.size))]

    def searcher(self) -> Searcher:
        return Searcher(Commit("1-0", {"adzuna": "Jobs by Adzuna"}, self.segments, self.live))


def some_conditions(chance: random.Random) -> Conditions:
    any_of = {
        "status": ["open"], "country": ["US", "CH"], "city_key": ["zurich"],
        "company_key": ["initech", "nobody"], "skills": ["Go", "C++"], "sources": ["jsearch"],
        "remote": ["true"],
    }  # fmt: skip
    at_least = {"posted_since": 3, "first_seen_since": 50}
    paid = Paid("salary_min", "EUR", 5_000_001, chance.choice([None, 5_000_001]))
    return Conditions(
        {name: any_of[name] for name in chance.sample(sorted(any_of), chance.randrange(3))},
        {name: at_least[name] for name in chance.sample(sorted(at_least), chance.randrange(2))},
        chance.choice([None, paid]),
    )


def compare(world: World, times: int) -> None:
    searcher, naive = world.searcher(), Naive(list(world.documents.values()), ANALYZER)
    for _ in range(times):
        conditions = some_conditions(world.chance)
        search = world.chance.choice(SEARCHES)
        tree = parse(search, ANALYZER)
        among = searcher.filter(conditions)
        found = searcher.search(tree, among)
        expected = [each.job_id for each in naive.search(tree, conditions)]
        assert [searcher.job_id(hit) for hit in searcher.hits(found)] == expected, search
        assert found.total == len(expected)
        assert among.total == len(naive.filter(conditions))
        for facet, column in FACETS.items():
            counts = searcher.facets(among, [facet])[facet]
            assert dict(counts) == naive.facets(naive.filter(conditions), column), facet
            ranks = [(-count, value is None, value or "") for value, count in counts]
            assert ranks == sorted(ranks)
        if tree is not None:
            follow(searcher, searcher.ranked(tree, found, searcher.rarities(tree)))
        follow(searcher, found)


def follow(searcher: Searcher, found: object) -> None:
    """Reading page by page, each from the last of the one before, is reading the list."""
    whole = list(searcher.hits(found))  # type: ignore[arg-type]
    assert whole == sorted(whole, key=lambda hit: -hit.score)
    read, after = [], None
    while page := searcher.page(found, after, 0, 7):  # type: ignore[arg-type]
        read += page
        after = searcher.place(page[-1])
    assert read == whole
    assert searcher.page(found, None, 5, 3) == whole[5:8]  # type: ignore[arg-type]


@pytest.mark.parametrize("long", [0, 3, 1_000])
@pytest.mark.parametrize("seed", range(3))
def test_the_index_finds_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int, seed: int
) -> None:
    monkeypatch.setattr(segments, "LONG", long)
    monkeypatch.setattr(merging, "POSTINGS_AT_ONCE", 50)
    monkeypatch.setattr(merging, "DOCUMENTS_AT_ONCE", 7)
    world = World(tmp_path, random.Random(seed))
    world.add(60, 0, 0)
    compare(world, 10)
    for step in range(4):
        world.add(world.chance.randrange(15), 10, 5)
        compare(world, 10)
        if step % 2:
            world.merge(world.chance.randrange(len(world.segments)))
            compare(world, 10)


def test_a_merge_writes_what_a_build_writes(tmp_path: Path) -> None:
    chance = random.Random(7)
    documents = [document(number, chance) for number in range(50)]
    build(tmp_path / "whole", documents, ANALYZER)
    parts = []
    for number in range(3):
        build(tmp_path / f"{number}", documents[number::3], ANALYZER)
        parts.append(Segment(tmp_path / f"{number}"))
    merge(tmp_path / "merged", parts, [BitMap(range(part.size)) for part in parts])
    whole, merged = map_arrays(tmp_path / "whole"), map_arrays(tmp_path / "merged")
    assert whole.keys() == merged.keys()
    assert [name for name in whole if whole[name].tolist() != merged[name].tolist()] == []


def test_nothing_is_searched_in_nothing(tmp_path: Path) -> None:
    searcher = Searcher(Commit("1-0", {}, [], []))
    found = searcher.filter(Conditions({"status": ["open"]}, {}))
    assert found.total == 0
    assert list(searcher.hits(found)) == []
    assert searcher.facets(found, ["country"]) == {"country": []}
    build(tmp_path / "empty", [], ANALYZER)
    merge(tmp_path / "merged", [Segment(tmp_path / "empty")], [BitMap()])
    assert Segment(tmp_path / "merged").size == 0


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    build(tmp_path / "segment", [document(n, random.Random(n)) for n in range(20)], ANALYZER)
    return tmp_path / "segment"


def flipped(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return (
        content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]
    )


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def swapped(content: bytes, chance: random.Random) -> bytes:
    begin = chance.randrange(len(content) - 100)
    return content[:begin] + bytes(99) + b"x" + content[begin + 100 :]


@pytest.mark.parametrize("harm", [flipped, cut, swapped])
def test_a_corrupt_file_is_never_read(
    whole: Path, harm: Callable[[bytes, random.Random], bytes]
) -> None:
    sound = whole.read_bytes()
    read = {name: array.tobytes() for name, array in map_arrays(whole).items()}
    chance = random.Random(3)
    for _ in range(60):
        whole.with_name("harmed").write_bytes(harm(sound, chance))
        try:
            found = map_arrays(whole.with_name("harmed"))
        except CorruptFileError:
            continue
        # Between two arrays are bytes that nothing reads.
        assert {name: array.tobytes() for name, array in found.items()} == read


def test_a_corrupt_commit_is_passed_over(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    assert directory.latest() is None
    with directory.lock():
        path = directory.new_segment()
        build(path, [document(1, random.Random(1))], ANALYZER)
        first = directory.commit("1-0", {}, [path.name], [BitMap([0])])
        directory.commit("2-0", {}, [path.name], [BitMap()])
    latest = max(directory.path.glob("commit-*"))
    latest.write_bytes(latest.read_bytes()[:-1])
    found = Directory(tmp_path).latest()
    assert found is not None
    assert (found.revision, found.documents) == (first.revision, 1)
    path.write_bytes(b"something else")
    assert Directory(tmp_path).latest() is None
