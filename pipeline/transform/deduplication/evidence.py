"""The evidence that joins postings, in the order of its strength.

A :class:`Matching` holds what is known of the postings of one run of the deduplication, and its
methods each take one kind of evidence over one block. A block is a list of rows that share a
blocking key, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import polars as pl
from rapidfuzz.fuzz import token_sort_ratio

from pipeline.transform.deduplication.clusters import Clusters, Facts, Merge
from pipeline.transform.deduplication.comparison import (
    COMPARED,
    WITH_STATES,
    same_company,
    with_compared_forms,
)
from pipeline.transform.deduplication.similarity import Bodies, similar

MAX_ATTEMPTS = 32
"""Clusters of a block that one posting is tried against, so that a block of n postings costs at
most 32 n attempts. Only blocks of more than 32 openings that must stay apart reach it."""

SAME_ADDRESS_TITLE = 80
"""Similarity of two titles (rapidfuzz ``token_sort_ratio``, 0–100) from which one address that is
no known requisition is believed to be one advert and not a page of several."""

NEW_ROUND = timedelta(days=45)
"""A title that was not shown for so long and comes back at its place is another round of hiring.
By title and place alone, two rounds are not one opening."""

_ADDRESSES = ("requisition", "listing", "url", "page")

Row = dict[str, Any]
Block = list[int]


class Matching:
    """The compared forms and texts of the postings that share keys, and their clusters.

    Args:
        ordered: ``KeyedPosting`` rows with their number in ``row``, in the order of founding.
        contested: the rows that share a blocking key or that a person decided about.
        blocks: each shared blocking key with its rows.
    """

    def __init__(
        self, ordered: pl.DataFrame, contested: list[int], blocks: list[tuple[str, Block]]
    ) -> None:
        self._rows = _compared_rows(ordered, contested)
        self.clusters = Clusters(
            {row: _facts(said) for row, said in self._rows.items()},
            {row: said["feed"] for row, said in self._rows.items()},
        )
        by_kind = {kind: _of_kind(blocks, kind) for kind in (*_ADDRESSES, "title", "wording")}
        self._addresses = [(kind, *block) for kind in _ADDRESSES for block in by_kind[kind]]
        self._titles = [block for _, block in by_kind["title"]]
        self._wordings = [block for _, block in by_kind["wording"]]
        of_several_companies = [
            block
            for _, _, block in self._addresses
            if len({self._rows[row]["company_core"] for row in block} - {None}) > 1
        ]
        self._bodies = Bodies(ordered, self._titles + self._wordings + of_several_companies)

    def by_person(self, decisions: list[tuple[int, int, str]]) -> None:
        """Take a person's decisions about pairs of rows: the splits first, so that no join leads
        around one."""
        for left, right, action in decisions:
            if action == "split":
                self.clusters.keep_apart(left, right)
        why = Merge("override", "a person joined them", None)
        for left, right, action in decisions:
            if action == "join":
                self.clusters.merge(left, right, why, forced=True)

    def by_evidence(self) -> None:
        """Take all evidence: addresses, then texts, then titles and places."""
        for kind, key, block in self._addresses:
            self._by_address(kind, key, block)
        for block in self._titles + self._wordings:
            self._by_text(block)
        for block in self._titles:
            for of_team in self._by(block, "seniority", "qualifier"):
                self._by_place(of_team)
        for block in self._wordings:
            for of_level in self._by(block, "seniority"):
                self._by_place(of_level)

    def _by_address(self, kind: str, key: str, block: Block) -> None:
        """One requisition, listing or address. What names no company comes last, so that it is
        not what two companies have in common."""
        rule = "requisition" if kind == "requisition" else "apply_url"
        why = Merge(rule, f"both apply at {key.split(' ', 1)[1]}", None)
        founders: dict[int, int] = {}
        for row in sorted(block, key=lambda row: (self._rows[row]["company_core"] is None, row)):
            for founder in list(founders.values())[:MAX_ATTEMPTS]:
                any_city = self._is_one_address(kind, founder, row)
                if any_city is not None and self.clusters.merge(
                    founder, row, why, any_city=any_city
                ):
                    break
            founders.setdefault(self.clusters.of(row), row)

    def _is_one_address(self, kind: str, founder: int, row: int) -> bool | None:
        """Whether the address is evidence whatever cities the two name; null where it is none.

        The titles may differ in wording only, except where one employer's requisition is the
        evidence. It joins two companies only with a second piece of evidence: the same text; or,
        but for a page that is known by its words alone, a similar title (and at an address that
        is no requisition no other place)."""
        one, other = self._rows[founder], self._rows[row]
        if self._is_one_company(founder, row):
            return True if kind == "requisition" or _are_titles_similar(one, other) else None
        if self._bodies.are_one(founder, row):
            return True
        is_requisition = kind == "requisition"
        believed = (
            kind != "page"
            and _are_titles_similar(one, other)
            and self._bodies.may_be_one(founder, row)
            and (is_requisition or not _are_in_two_states(one, other))
        )
        return is_requisition if believed else None

    def _is_one_company(self, left: int, right: int) -> bool:
        return all(
            same_company(one, other)
            for one in self.clusters.companies(left)
            for other in self.clusters.companies(right)
        )

    def _by_text(self, block: Block) -> None:
        """The same text of at least 400 characters, at one company for one occupation and level."""
        by_level: dict[str, dict[str, Block]] = {}
        for row in block:
            if text := self._bodies.text(row):
                level = by_level.setdefault(self._rows[row]["seniority"], {})
                level.setdefault(text, []).append(row)
        for by_text in by_level.values():
            self._by_equal_text(by_text)
            self._by_similar_text(by_text)

    def _by_equal_text(self, by_text: dict[str, Block]) -> None:
        why = Merge("body", "the same company, occupation and text", 1.0)
        for equal in by_text.values():
            founders: dict[int, int] = {}
            for row in equal:
                self._merge_with_first(founders.values(), row, why)
                founders.setdefault(self.clusters.of(row), row)

    def _by_similar_text(self, by_text: dict[str, Block]) -> None:
        if len(by_text) < 2:
            return
        texts = list(by_text)
        sets = [self._bodies.shingles(by_text[text][0]) for text in texts]
        for score, i, j in sorted(similar(texts, sets), key=lambda pair: (-pair[0], *pair[1:])):
            sequences = f"{score:.0%} of the text's three-word sequences"
            why = Merge("body", f"the same company and occupation, and {sequences}", score)
            left = self._one_a_cluster(by_text[texts[i]])
            for row in self._one_a_cluster(by_text[texts[j]]):
                self._merge_with_first(left, row, why)

    def _merge_with_first(self, founders: Iterable[int], row: int, why: Merge) -> None:
        for founder in list(founders)[:MAX_ATTEMPTS]:
            if self.clusters.merge(founder, row, why):
                return

    def _one_a_cluster(self, rows: Block) -> list[int]:
        found: dict[int, int] = {}
        for row in rows:
            found.setdefault(self.clusters.of(row), row)
            if len(found) == MAX_ATTEMPTS:
                break
        return list(found.values())

    def _by_place(self, block: Block) -> None:
        """The same company and whole title: one opening if feeds show it at one place, or where
        one says less of the place and can mean no other."""
        places: dict[_Place, Block] = {}
        for row in block:
            places.setdefault(_place(self._rows[row]), []).append(row)
        for place, here in places.items():
            evidence = f"the same company, title and place ({place.in_words()})"
            why = Merge("company_title_place", evidence, None)
            for of_number in self._by_stated(here, "numbers"):
                self._by_feed(of_number, why)
            for of_term in self._by_stated(here, "years", "seasons"):
                self._by_feed(of_term, why)
            self._by_feed(here, why)
        for place, here in places.items():
            if (wider := place.only_one_meant(places)) is not None:
                evidence = (
                    "the same company and title; one says less of where it is"
                    f" ({place.in_words()}), and {wider.in_words()} is the only such place"
                )
                why = Merge("company_title_place", evidence, None)
                together = sorted(here + places[wider])
                for of_number in self._by_stated(together, "numbers"):
                    self._by_feed(of_number, why)
                self._by_feed(together, why)

    def _by_feed(self, rows: Block, why: Merge) -> None:
        """One opening that several feeds show in one round of hiring."""
        by_text: dict[str, int] = {}
        for row in rows:
            if text := self._bodies.shown(row):
                self.clusters.merge(by_text.setdefault(text, row), row, why)
        for together in self._rounds(rows):
            self._by_round(together, why)

    def _rounds(self, rows: Block) -> Iterator[Block]:
        """The postings, split where none of them was shown for :data:`NEW_ROUND`."""
        together: Block = []
        shown_until: datetime | None = None
        for row in sorted(rows, key=lambda row: (self._rows[row]["begins"], row)):
            said = self._rows[row]
            if shown_until is not None and said["begins"] - shown_until > NEW_ROUND:
                yield sorted(together)
                together, shown_until = [], None
            together.append(row)
            shown_until = max(shown_until or said["last_seen_at"], said["last_seen_at"])
        yield sorted(together)

    def _by_round(self, rows: Block, why: Merge) -> None:
        """A feed that shows one title twice at one place shows two openings, unless it shows the
        same text for both; which of the two another feed's advert means cannot be told from title
        and place, so that none is joined."""
        openings = sorted({self.clusters.of(row): row for row in reversed(rows)}.values())
        for at, row in enumerate(openings[1:MAX_ATTEMPTS], start=1):
            if any(self.clusters.share_feed(row, earlier) for earlier in openings[:at]):
                return
        for at, row in enumerate(openings[:MAX_ATTEMPTS]):
            for earlier in openings[:at]:
                if self._bodies.may_be_one(earlier, row) and self.clusters.merge(earlier, row, why):
                    break

    def _by(self, rows: Block, *names: str) -> Iterable[Block]:
        """The rows by what they say in these columns."""
        groups: dict[tuple[Any, ...], Block] = {}
        for row in rows:
            groups.setdefault(tuple(self._rows[row][name] for name in names), []).append(row)
        return groups.values()

    def _by_stated(self, rows: Block, *names: str) -> Iterable[Block]:
        """Those that state the first of ``names``, by all of them."""
        return self._by([row for row in rows if self._rows[row][names[0]]], *names)


class _Place(NamedTuple):
    city: str | None
    state: str | None
    country: str | None
    area: str | None
    remote: bool | None

    def in_words(self) -> str:
        named = (self.city or self.area, self.state, self.country)
        known = ", ".join(part for part in named if part)
        return " ".join(filter(None, ["remote" if self.remote else "", known])) or "not stated"

    def only_one_meant(self, places: Iterable[_Place]) -> _Place | None:
        """The one place that says more than this one and contradicts it in nothing."""
        is_whole = self.city and self.country and (self.state or self.country not in WITH_STATES)
        if is_whole and self.remote is not None:
            return None
        meant = list(islice((other for other in places if self._may_mean(other)), 2))
        return meant[0] if len(meant) == 1 else None

    def _may_mean(self, other: _Place) -> bool:
        names_nothing = not (self.remote or self.city or self.state or self.area)
        if other.remote != self.remote and self.remote is not None and not names_nothing:
            return False
        return other != self and all(
            here in (None, there) for here, there in zip(self[:4], other[:4], strict=True)
        )


def _place(said: Row) -> _Place:
    """A snippet that does not say so may be of a remote job all the same."""
    place = _Place(*(said[name] for name in ("city_core", "state", "country", "area", "remote")))
    is_silent = said["description_is_snippet"] and not said["remote"]
    return place._replace(remote=None) if is_silent else place


def _facts(said: Row) -> Facts:
    return Facts(
        said["company_core"], said["requisitions"], said["numbers"], said["seniority"],
        said["country"], said["city_core"], said["qualifier"], said["years"], said["seasons"],
    )  # fmt: skip


def _of_kind(blocks: list[tuple[str, Block]], kind: str) -> list[tuple[str, Block]]:
    return [(key, block) for key, block in blocks if key.startswith(f"{kind} ")]


def _compared_rows(ordered: pl.DataFrame, contested: list[int]) -> dict[int, Row]:
    compared = with_compared_forms(ordered[contested]).select(
        *COMPARED, "country", "remote", "last_seen_at", "description_is_snippet",
        feed=pl.concat_str("source", pl.col("publisher").fill_null(""), separator=" "),
        begins=pl.min_horizontal("posted_at", "first_seen_at"),
    )  # fmt: skip
    return dict(zip(contested, compared.iter_rows(named=True), strict=True))


def _are_in_two_states(one: Row, other: Row) -> bool:
    return None not in (one["state"], other["state"]) and one["state"] != other["state"]


def _are_titles_similar(one: Row, other: Row) -> bool:
    return (
        one["head"] == other["head"]
        or token_sort_ratio(one["head"], other["head"]) >= SAME_ADDRESS_TITLE
    )
