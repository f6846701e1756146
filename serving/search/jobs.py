"""The published jobs of one edition: which match, in which order, and what they have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from serving.search import bitmaps, tsquery
from serving.search.bitmaps import Array, Bitmap, Slots
from serving.search.columns import ArrayColumn, Column, Counts, most_frequent, replaced
from serving.search.lexemes import Lexemes, Reading, split_vectors
from serving.search.spellings import Spellings
from serving.search.words import Words

FACET_VALUES = 100
"""As many values of a facet are told, the most frequent ones."""

RANKED = 250
"""As many matches of a search are ranked, the newest ones, and as many whose title matches; as in
``jobs_by_relevance.sql``."""

_COLUMNS = (
    "status", "category", "country", "employment_type", "remote", "city", "title", "company",
    "city_key", "company_key", "salary_currency",
)  # fmt: skip
_ARRAYS = ("sources", "skills")
SPELLED = ("title", "company")
"""The columns whose values are found where they read like a search."""
_NUMBERS = ("newest", "first_seen", "dated", "salary")
_NONE = np.iinfo(np.int64).min
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TYPES = {
    **dict.fromkeys(("key", "next_key"), pa.int64()),
    "job_id": pa.string(),
    **dict.fromkeys(_COLUMNS, pa.dictionary(pa.int32(), pa.string())),
    **dict.fromkeys(_ARRAYS, pa.string()),
    **dict.fromkeys(_NUMBERS, pa.int64()),
    "vector": pa.string(),
}
"""The columns of ``index_rows.sql``, in its order. ``key`` stands for the job, ``next_key`` for
the one after it; times are in microseconds since 1970, the salary in hundredths a year; the
values of arrays are joined by :data:`serving.search.lexemes.SEPARATOR`, and ``vector`` is as
:func:`serving.search.lexemes.split_vectors` reads it."""


class UnknownPlaceError(Exception):
    """A page is to begin after a job that is no longer in that place."""


@dataclass(frozen=True)
class Alike:
    """How alike jobs are to a search: by slot the place of the score in ``scores``, which ascend
    from 0 for those that are not."""

    scores: Sequence[float]
    levels: NDArray[np.int16]

    @property
    def total(self) -> int:
        return int(np.count_nonzero(self.levels))


@dataclass(frozen=True)
class JobIndex:
    """What is known of the jobs of ``edition``. A job is its slot here: the place of its id in
    ``ids``, and that of its key in ``keys``, which ascend. Removed jobs are still in those, but
    neither in ``live`` nor in ``order``."""

    edition: str
    ids: pa.StringArray
    keys: NDArray[np.int64]
    slots_of_keys: Slots
    live: Bitmap
    order: NDArray[np.int32]
    columns: Mapping[str, Column]
    arrays: Mapping[str, ArrayColumn]
    numbers: Mapping[str, NDArray[np.int64]]
    words: Words
    spellings: Mapping[str, Spellings]

    @classmethod
    def of(cls, edition: str, rows: pa.Table, lexemes: Lexemes) -> JobIndex:
        """The index of these rows, the newest first.

        Args:
            lexemes: the words of the jobs, whose slots are the places of the rows.

        Raises:
            ValueError: two jobs have the same key.
        """
        size = rows.num_rows
        slots = np.arange(size)
        keys = rows["key"].to_numpy()
        slots_of_keys = np.argsort(keys)
        sorted_keys = keys[slots_of_keys]
        if (sorted_keys[1:] == sorted_keys[:-1]).any():
            raise ValueError("two jobs have the same key")
        return cls(
            edition,
            rows["job_id"].combine_chunks(),
            sorted_keys,
            slots_of_keys,
            bitmaps.of_flags(np.ones(size, np.bool_)),
            slots.astype(np.int32),
            {name: Column.of(rows[name]) for name in _COLUMNS},
            {name: ArrayColumn.of(rows[name], slots, size) for name in _ARRAYS},
            {name: _number(rows[name]) for name in _NUMBERS},
            Words(lexemes),
            dict.fromkeys(SPELLED, Spellings.none()),
        )

    def updated(self, edition: str, rows: pa.Table, removed: Array) -> JobIndex:
        """The index of a later edition.

        Args:
            rows: those that changed since this one, the newest first.
            removed: the keys of jobs that are gone.
        """
        keys = rows["key"].to_numpy()
        known = self._found(keys)
        brought = known < 0
        before = len(self.ids)
        size = before + int(brought.sum())
        slots = np.where(brought, before + np.cumsum(brought) - 1, known)
        gone = self.slots(removed)
        new = JobIndex.of(edition, rows, Reading().lexemes())
        ascending = new.slots_of_keys[brought[new.slots_of_keys]]
        places = np.searchsorted(self.keys, keys[ascending])
        read = split_vectors(rows["vector"].combine_chunks())
        return replace(
            self,
            edition=edition,
            ids=pa.concat_arrays([self.ids, new.ids.filter(pa.array(brought))]),
            keys=np.insert(self.keys, places, keys[ascending]),
            slots_of_keys=np.insert(self.slots_of_keys, places, slots[ascending]),
            live=bitmaps.replaced(self.live, size, gone, slots),
            order=self._reordered(slots, gone, rows["next_key"], keys),
            columns={
                name: column.replaced(slots, size, new.columns[name])
                for name, column in self.columns.items()
            },
            arrays={
                name: column.replaced(slots, size, ArrayColumn.of(rows[name], slots, size))
                for name, column in self.arrays.items()
            },
            numbers={
                name: replaced(column, slots, size, new.numbers[name])
                for name, column in self.numbers.items()
            },
            words=Words(self.words.lexemes.updated(size, slots, read)),
        )

    def _reordered(
        self, slots: Slots, gone: Slots, next_keys: pa.ChunkedArray, keys: Array
    ) -> NDArray[np.int32]:
        """The order with each of ``slots`` put before the job that PostgreSQL says follows it."""
        moved = np.zeros(len(self.ids) + len(slots), np.bool_)
        moved[slots] = moved[gone] = True
        order = self.order[~moved[self.order]]
        rank = np.zeros(len(self.ids), np.int64)
        rank[order] = np.arange(len(order))
        row_of = {key: row for row, key in enumerate(keys.tolist())}
        places = np.zeros(len(slots), np.int64)
        for row in range(len(slots) - 1, -1, -1):
            next_key = next_keys[row].as_py()
            if next_key is None:
                places[row] = len(order)
            elif next_key in row_of:
                places[row] = places[row_of[next_key]]
            else:
                places[row] = rank[self.slots(np.array([next_key]))[0]]
        return np.insert(order, places, slots.astype(np.int32))

    @cached_property
    def _rank(self) -> NDArray[np.int32]:
        rank = np.zeros(len(self.ids), np.int32)
        rank[self.order] = np.arange(len(self.order))
        return rank

    @cached_property
    def _ages(self) -> NDArray[np.int64]:
        """Ascending in the order of the jobs."""
        return ~self.numbers["newest"][self.order]

    @cached_property
    def _texts(self) -> tuple[NDArray[np.int32], memoryview]:
        """Where each id begins in the text of all, and that text."""
        _, bounds, texts = self.ids.buffers()
        starts = np.frombuffer(bounds or bytes(4), np.int32)
        return starts[self.ids.offset :], memoryview(texts or b"")

    def prepare(self) -> None:
        """Compute what all queries need, for a caller in a thread of its own."""
        _ = self._rank, self._ages, self._texts

    def _found(self, keys: Array) -> Slots:
        if not len(self.keys):
            return np.full(len(keys), -1)
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.slots_of_keys[places], -1)

    def slots(self, keys: Array) -> Slots:
        """The slots of the jobs with these keys. Those of no job are left out."""
        found = self._found(np.sort(keys))
        return found[found >= 0]

    def matching(self, asked: Mapping[str, Any], searched: Bitmap | None) -> Bitmap:
        """The jobs that match the parameters of ``filters.sql``, with names as ``index_names.sql``
        compares them, and the search if there is one."""
        found = self.live & self.columns["status"].any_of(asked["statuses"])
        for name, values in (
            ("category", asked["categories"]),
            ("employment_type", asked["employment_types"]),
            ("country", asked["countries"]),
            ("city_key", asked["cities"]),
            ("company_key", asked["companies"]),
            ("remote", ["true"] if asked["remote_only"] else None),
            ("salary_currency", _list(asked["salary_currency"])),
        ):
            if values is not None:
                found &= self.columns[name].any_of(values)
        for name, values in (("sources", asked["sources"]), ("skills", asked["skills"])):
            if values is not None:
                found &= self.arrays[name].any_of(values)
        for name, least in (
            ("dated", _microseconds(asked["posted_since"])),
            ("first_seen", _microseconds(asked["first_seen_since"])),
            ("salary", _hundredths(asked["salary_min"])),
        ):
            if least is not None:
                found &= bitmaps.of_flags(self.numbers[name] >= least)
        if searched is not None:
            found &= searched
        return found

    def page(self, matching: Bitmap, total: int, page: Mapping[str, Any]) -> list[str]:
        """The ids of the page, the newest first, and the one after it if there are more.

        Args:
            total: how many match.
            page: ``after_at``, ``after_id``, ``offset`` and ``limit``.

        Raises:
            UnknownPlaceError: no job ``after_id`` is at ``after_at``.
        """
        begin = 0
        if page["after_id"] is not None:
            begin = self._place(page["after_at"], page["after_id"]) + 1
        skipped, wanted = page["offset"], page["offset"] + page["limit"] + 1
        if total * 64 < len(self.order):
            ranks = np.sort(self._rank[bitmaps.slots_of(matching)])
            first = int(np.searchsorted(ranks, begin))
            slots = self.order[ranks[first + skipped : first + wanted]]
            return self.ids_of(slots)
        found: list[NDArray[np.int32]] = []
        # As many jobs as hold the page if the matches are spread evenly, and some more.
        step = 64 + 2 * wanted * len(self.order) // max(total, 1)
        while begin < len(self.order) and sum(map(len, found)) < wanted:
            part = self.order[begin : begin + step]
            found.append(part[bitmaps.holds(matching, part)])
            begin += step
        return self.ids_of(np.concatenate(found)[skipped:wanted] if found else np.array([], int))

    def latest(self, matching: Bitmap, limit: int) -> list[str]:
        """The ids of the jobs that were found last, those of one time in the order of the list,
        and one more if there are more."""
        slots = bitmaps.slots_of(matching)
        found = self.numbers["first_seen"][slots]
        if len(slots) > limit + 1:
            least = np.partition(found, len(found) - limit - 1)[len(found) - limit - 1]
            slots = slots[found >= least]
            found = found[found >= least]
        return self.ids_of(slots[np.lexsort((self._rank[slots], -found))][: limit + 1])

    def candidates(self, matching: Bitmap, tree: tsquery.Node) -> list[str]:
        """The ids of the newest :data:`RANKED` jobs, and of the newest whose title matches a
        search."""
        titles = tsquery.matching(tree, self.spellings["title"].words.bitmap)
        in_title = matching & self.columns["title"].of_places(titles)
        first = {"after_id": None, "offset": 0, "limit": RANKED - 1}
        ids = (self.page(jobs, bitmaps.count(jobs), first) for jobs in (matching, in_title))
        return list(dict.fromkeys(chain(*ids)))

    def alike(
        self, filtered: Bitmap, searched: Bitmap, scores: Sequence[Mapping[str, float]]
    ) -> Alike:
        """The jobs with a title or a company that reads like a search, and with a score of 1
        those that match it.

        Args:
            filtered: the jobs to look at.
            searched: those that match the search.
            scores: how alike the values are, for each column of :data:`SPELLED`.
        """
        levels = sorted({1.0, *(score for of_values in scores for score in of_values.values())})
        number = {level: n for n, level in enumerate(levels, 1)}
        found = np.zeros(len(self.ids), np.int16)
        found[bitmaps.flags_of(searched)[: len(found)]] = number[1.0]
        for name, of_values in zip(SPELLED, scores, strict=True):
            of_jobs = {value: number[score] for value, score in of_values.items()}
            np.maximum(found, self.columns[name].numbers(of_jobs), out=found)
        found[~bitmaps.flags_of(filtered)[: len(found)]] = 0
        return Alike([0.0, *levels], found)

    def page_alike(self, alike: Alike, page: Mapping[str, Any]) -> list[tuple[str, float]]:
        """The ids of a page with their scores, the most alike first, otherwise as :meth:`page`.
        ``after_score`` is the score of the job ``after_id``.

        Raises:
            UnknownPlaceError: no job ``after_id`` is at ``after_at``.
        """
        found: list[tuple[str, float]] = []
        skipped, wanted = page["offset"], page["limit"] + 1
        for level in range(len(alike.scores) - 1, 0, -1):
            score = alike.scores[level]
            jobs = alike.levels == level
            if page["after_id"] is not None and score >= page["after_score"]:
                if score > page["after_score"]:
                    continue
                jobs &= self._rank > self._place(page["after_at"], page["after_id"])
            total = int(np.count_nonzero(jobs))
            if skipped >= total:
                skipped -= total
                continue
            rest = {"after_id": None, "offset": skipped, "limit": wanted - len(found) - 1}
            found += [(job_id, score) for job_id in self.page(bitmaps.of_flags(jobs), total, rest)]
            skipped = 0
            if len(found) == wanted:
                break
        return found

    def ids_of(self, slots: Array) -> list[str]:
        """The ids of the jobs in these slots, in their order."""
        bounds, texts = self._texts
        spans = zip(bounds[slots].tolist(), bounds[slots + 1].tolist(), strict=True)
        return [str(texts[begin:end], "utf-8") for begin, end in spans]

    def _place(self, at: datetime | str, job_id: str) -> int:
        age = ~(_NONE if isinstance(at, str) else _microseconds(at) or 0)
        first = int(np.searchsorted(self._ages, age, side="left"))
        end = int(np.searchsorted(self._ages, age, side="right"))
        place: int = pc.index(self.ids.take(pa.array(self.order[first:end])), job_id).as_py()
        if place < 0:
            raise UnknownPlaceError
        return first + place

    def facets(self, matching: Bitmap, names: Sequence[str]) -> dict[str, Counts]:
        """How many of the matching jobs have each of the most frequent values."""
        return {
            name: most_frequent(self._column(name).counts(matching), FACET_VALUES) for name in names
        }

    def _column(self, facet: str) -> Column | ArrayColumn:
        name = "sources" if facet == "source" else facet
        return self.arrays[name] if name in self.arrays else self.columns[name]


def _number(column: pa.ChunkedArray) -> NDArray[np.int64]:
    numbers: NDArray[np.int64] = pc.fill_null(column, int(_NONE)).to_numpy()
    return numbers


def _list(value: str | None) -> list[str] | None:
    return None if value is None else [value]


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def _hundredths(amount: float | None) -> int | None:
    # As PostgreSQL turns a double into a numeric: with 15 digits.
    return None if amount is None else math.ceil(Decimal(f"{amount:.15g}") * 100)
