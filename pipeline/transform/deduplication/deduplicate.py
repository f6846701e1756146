"""Which postings advertise the same opening, with the evidence for each merge.

Evidence is taken in the order of its strength: a person's decision, the requisition or address
that the apply URL leads to, the text of the advert, and company with title and place. The rules,
the constraints that no evidence overrides and what was measured are in ``docs/deduplication.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import dataframely as dy
import polars as pl
from rapidfuzz.fuzz import token_sort_ratio

from pipeline.transform.deduplication.apply_url import bounded
from pipeline.transform.deduplication.clusters import Clusters, Facts, Merge
from pipeline.transform.deduplication.comparison import (
    COMPARED,
    WITH_STATES,
    same_company,
    with_compared_forms,
)
from pipeline.transform.deduplication.similarity import (
    MIN_BODY_CHARS,
    OTHER_BODY,
    SAME_BODY,
    Shingles,
    alike,
    compared_text,
    jaccard,
    shingles,
)
from pipeline.transform.schema import ClusteredPosting, KeyedPosting, RelevantPosting

MAX_ATTEMPTS = 32
"""Clusters of a block that one posting is tried against, so that a block of n postings costs at
most 32 n attempts. Only blocks of more than 32 openings that must stay apart reach it."""

SAME_ADDRESS_TITLE = 80
"""Likeness of two titles (rapidfuzz ``token_sort_ratio``, 0–100) from which one address that is
no known requisition is believed to be one advert and not a page of several."""

NEW_ROUND = timedelta(days=45)
"""A title that was not shown for so long and comes back at its place is another round of hiring.
By title and place alone, two rounds are not one opening."""

Row = dict[str, Any]


class Override(dy.Schema):
    """A person's decision about two postings. The order of the two does not matter."""

    posting_id = dy.String(primary_key=True)
    other_posting_id = dy.String(primary_key=True)
    action = dy.String(nullable=False, regex="^(join|split)$")


def with_keys(
    postings: pl.DataFrame, overrides: pl.DataFrame | None = None
) -> dy.DataFrame[KeyedPosting]:
    """The postings (``RelevantPosting``) with their block keys: postings that share none are
    never compared.

    A key is ``requisition …``, ``listing …``, ``url …`` or ``page …`` of an apply URL;
    ``title COMPANY | WORDS`` with those of the occupation; ``wording COMPANY | WORDS`` with those
    of occupation and team in their order; or ``override A + B`` for each ``join`` that names the
    posting. Keys depend on the posting and on the overrides that name it; a posting that a new
    override names needs its keys anew.
    """
    company = pl.col("company_core")
    title_key = pl.concat_str(pl.lit("title "), company, pl.lit(" | "), "head")
    wording_key = pl.concat_str(pl.lit("wording "), company, pl.lit(" | "), "wording")
    # Apart from the postings, as the compared forms may have names that fields have too.
    keys = (
        with_compared_forms(postings)
        .with_columns(_title_key=_bounded(title_key), _wording_key=_bounded(wording_key))
        .join(_override_keys(overrides), on="posting_id", how="left", maintain_order="left")
        .with_columns(
            keys=pl.concat_list(
                "apply_keys",
                pl.concat_list("_title_key", "_wording_key").list.drop_nulls(),
                pl.col("_override_keys").fill_null([]),
            ).list.sort()
        )
        .get_column("keys")
    )
    keyed = postings.select(RelevantPosting.column_names()).with_columns(keys)
    return KeyedPosting.validate(keyed, cast=False)


def deduplicate(
    postings: pl.DataFrame, overrides: pl.DataFrame | None = None
) -> dy.DataFrame[ClusteredPosting]:
    """To which job each posting belongs, and why.

    ``postings`` are ``KeyedPosting`` rows closed under shared keys; ``overrides`` are ``Override``
    rows, of which those that name absent postings are ignored. The result is sorted by id. It
    depends neither on the order of the rows nor, for one posting, on postings that no chain of
    shared keys connects with it.
    """
    ordered = postings.sort("first_seen_at", "posting_id").with_row_index("row")
    blocks = _blocks(ordered)
    decisions = _decisions(ordered, overrides)
    contested = sorted(
        {row for _, rows in blocks for row in rows}
        | {row for pair in decisions for row in pair[:2]}
    )
    clusters = _merged(ordered, contested, blocks, decisions)
    merges = pl.DataFrame(
        [(row, founder, other, *why) for row, founder, other, why in clusters.explained()],
        schema={
            "row": pl.UInt32,
            "_founder": pl.UInt32,
            "_other": pl.UInt32,
            "merge_rule": pl.String,
            "merge_evidence": pl.String,
            "merge_score": pl.Float64,
        },
        orient="row",
    )
    ids = ordered.select("row", "posting_id")
    merges = (
        merges.join(ids.rename({"row": "_founder", "posting_id": "job_id"}), on="_founder")
        .join(ids.rename({"row": "_other", "posting_id": "merged_with"}), on="_other")
        .drop("_founder", "_other")
    )
    return ClusteredPosting.validate(
        ordered.join(merges, on="row", how="left")
        .with_columns(
            pl.col("job_id").fill_null(pl.col("posting_id")),
            pl.col("merge_rule").fill_null("first"),
        )
        .sort("posting_id")
        .select(ClusteredPosting.column_names()),
        cast=False,
    )


def _merged(
    ordered: pl.DataFrame,
    contested: list[int],
    blocks: list[tuple[str, list[int]]],
    decisions: list[tuple[int, int, str]],
) -> Clusters:
    rows = _compared_rows(ordered, contested)
    clusters = Clusters(
        {
            row: Facts(
                said["company_core"], said["requisitions"], said["numbers"], said["seniority"],
                said["country"], said["city_core"], said["qualifier"],
                said["years"], said["seasons"],
            )
            for row, said in rows.items()
        },
        {row: said["feed"] for row, said in rows.items()},
    )  # fmt: skip
    for left, right, action in decisions:
        if action == "split":
            clusters.keep_apart(left, right)
    for left, right, action in decisions:
        if action == "join":
            clusters.merge(
                left, right, Merge("override", "a person joined them", None), forced=True
            )
    by_kind = {
        kind: [(key, members) for key, members in blocks if key.startswith(f"{kind} ")]
        for kind in ("requisition", "listing", "url", "page", "title", "wording")
    }
    titles, wordings = ([rows for _, rows in by_kind[kind]] for kind in ("title", "wording"))
    addresses = {kind: by_kind[kind] for kind in ("requisition", "listing", "url", "page")}
    of_several_companies = [
        members
        for shared in addresses.values()
        for _, members in shared
        if len({rows[row]["company_core"] for row in members} - {None}) > 1
    ]
    bodies = _Bodies(ordered, rows, titles + wordings + of_several_companies)
    for kind, shared in addresses.items():
        for key, members in shared:
            _merge_by_address(clusters, rows, bodies, kind, key, members)
    for members in titles + wordings:
        _merge_by_body(clusters, rows, bodies, members)
    for members in titles:
        for of_team in _by(rows, members, "seniority", "qualifier"):
            _merge_by_place(clusters, rows, bodies, of_team)
    for members in wordings:
        for of_level in _by(rows, members, "seniority"):
            _merge_by_place(clusters, rows, bodies, of_level)
    return clusters


def _merge_by_address(
    clusters: Clusters,
    rows: dict[int, Row],
    bodies: _Bodies,
    kind: str,
    key: str,
    members: list[int],
) -> None:
    """One requisition, listing or address. The titles may differ in wording only, except where
    one employer's requisition is the evidence. It joins two companies only with a second piece of
    evidence: the same text; or, but for a page that is known by its words alone, a like title (and
    at an address that is no requisition no other place). What names no company comes last, so that
    it is not what two companies have in common."""
    rule = "requisition" if kind == "requisition" else "apply_url"
    why = Merge(rule, f"both apply at {key.split(' ', 1)[1]}", None)
    founders: dict[int, int] = {}
    for row in sorted(members, key=lambda row: (rows[row]["company_core"] is None, row)):
        for founder in list(founders.values())[:MAX_ATTEMPTS]:
            any_city = True
            if _one_company(clusters, founder, row):
                believed = kind == "requisition" or _titles_alike(rows[founder], rows[row])
            elif bodies.are_one(founder, row):
                believed = True
            else:
                any_city = kind == "requisition"
                believed = (
                    kind != "page"
                    and _titles_alike(rows[founder], rows[row])
                    and bodies.may_be_one(founder, row)
                    and (any_city or not _other_state(rows[founder], rows[row]))
                )
            if believed and clusters.merge(founder, row, why, any_city=any_city):
                break
        founders.setdefault(clusters.of(row), row)


def _one_company(clusters: Clusters, left: int, right: int) -> bool:
    return all(
        same_company(one, other)
        for one in clusters.companies(left)
        for other in clusters.companies(right)
    )


def _other_state(one: Row, other: Row) -> bool:
    return None not in (one["state"], other["state"]) and one["state"] != other["state"]


def _titles_alike(one: Row, other: Row) -> bool:
    return (
        one["head"] == other["head"]
        or token_sort_ratio(one["head"], other["head"]) >= SAME_ADDRESS_TITLE
    )


def _merge_by_body(
    clusters: Clusters, rows: dict[int, Row], bodies: _Bodies, members: list[int]
) -> None:
    """The same text of at least 400 characters, at one company for one occupation and level."""
    by_level: dict[str, dict[str, list[int]]] = {}
    for row in members:
        if text := bodies.text(row):
            level = by_level.setdefault(rows[row]["seniority"], {})
            level.setdefault(text, []).append(row)
    for by_text in by_level.values():
        _merge_alike(clusters, bodies, by_text)


def _merge_alike(clusters: Clusters, bodies: _Bodies, by_text: dict[str, list[int]]) -> None:
    same = Merge("body", "the same company, occupation and text", 1.0)
    for equal in by_text.values():
        founders: dict[int, int] = {}
        for row in equal:
            _merge_with_first(clusters, founders.values(), row, same)
            founders.setdefault(clusters.of(row), row)
    if len(by_text) < 2:
        return
    texts = list(by_text)
    pairs = sorted(
        alike(texts, [bodies.shingles(by_text[text][0]) for text in texts]),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    for score, i, j in pairs:
        why = Merge(
            "body",
            f"the same company and occupation, and {score:.0%} of the text's three-word sequences",
            score,
        )
        left = _one_a_cluster(clusters, by_text[texts[i]])
        for row in _one_a_cluster(clusters, by_text[texts[j]]):
            _merge_with_first(clusters, left, row, why)


def _merge_with_first(clusters: Clusters, founders: Iterable[int], row: int, why: Merge) -> None:
    for founder in list(founders)[:MAX_ATTEMPTS]:
        if clusters.merge(founder, row, why):
            return


def _one_a_cluster(clusters: Clusters, members: list[int]) -> list[int]:
    found: dict[int, int] = {}
    for row in members:
        found.setdefault(clusters.of(row), row)
        if len(found) == MAX_ATTEMPTS:
            break
    return list(found.values())


def _by(rows: dict[int, Row], members: list[int], *names: str) -> Iterable[list[int]]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    for row in members:
        groups.setdefault(tuple(rows[row][name] for name in names), []).append(row)
    return groups.values()


def _by_stated(rows: dict[int, Row], members: list[int], *names: str) -> Iterable[list[int]]:
    """Those that state the first of ``names``, by all of them."""
    return _by(rows, [row for row in members if rows[row][names[0]]], *names)


def _merge_by_place(
    clusters: Clusters, rows: dict[int, Row], bodies: _Bodies, members: list[int]
) -> None:
    """The same company and whole title: one opening if feeds show it at one place."""
    places: dict[_Place, list[int]] = {}
    for row in members:
        places.setdefault(_place(rows[row]), []).append(row)
    for place, here in places.items():
        evidence = f"the same company, title and place ({_in_words(place)})"
        why = Merge("company_title_place", evidence, None)
        for of_number in _by_stated(rows, here, "numbers"):
            _merge_feeds(clusters, rows, bodies, of_number, why)
        for of_term in _by_stated(rows, here, "years", "seasons"):
            _merge_feeds(clusters, rows, bodies, of_term, why)
        _merge_feeds(clusters, rows, bodies, here, why)
    for place, here in places.items():
        if (wider := _only_other(place, places)) is not None:
            evidence = (
                "the same company and title; one says less of where it is"
                f" ({_in_words(place)}), and {_in_words(wider)} is the only such place"
            )
            why = Merge("company_title_place", evidence, None)
            together = sorted(here + places[wider])
            for of_number in _by_stated(rows, together, "numbers"):
                _merge_feeds(clusters, rows, bodies, of_number, why)
            _merge_feeds(clusters, rows, bodies, together, why)


def _merge_feeds(
    clusters: Clusters, rows: dict[int, Row], bodies: _Bodies, members: list[int], why: Merge
) -> None:
    """One opening that several feeds show in one round of hiring."""
    by_text: dict[str, int] = {}
    for row in members:
        if text := bodies.shown(row):
            clusters.merge(by_text.setdefault(text, row), row, why)
    for together in _rounds(rows, members):
        _merge_round(clusters, bodies, together, why)


def _rounds(rows: dict[int, Row], members: list[int]) -> Iterator[list[int]]:
    """The postings, split where none of them was shown for :data:`NEW_ROUND`."""
    together: list[int] = []
    shown_until: datetime | None = None
    for row in sorted(members, key=lambda row: (rows[row]["begins"], row)):
        said = rows[row]
        if shown_until is not None and said["begins"] - shown_until > NEW_ROUND:
            yield sorted(together)
            together, shown_until = [], None
        together.append(row)
        shown_until = max(shown_until or said["last_seen_at"], said["last_seen_at"])
    yield sorted(together)


def _merge_round(clusters: Clusters, bodies: _Bodies, members: list[int], why: Merge) -> None:
    """A feed that shows one title twice at one place shows two openings, unless it shows the same
    text for both; which of the two another feed's advert means cannot be told from title and
    place, so that none is joined."""
    openings = sorted({clusters.of(row): row for row in reversed(members)}.values())
    for at, row in enumerate(openings[1:MAX_ATTEMPTS], start=1):
        if any(clusters.share_feed(row, earlier) for earlier in openings[:at]):
            return
    for at, row in enumerate(openings[:MAX_ATTEMPTS]):
        for earlier in openings[:at]:
            if bodies.may_be_one(earlier, row) and clusters.merge(earlier, row, why):
                break


class _Place(NamedTuple):
    city: str | None
    state: str | None
    country: str | None
    area: str | None
    remote: bool | None


def _place(said: Row) -> _Place:
    """A snippet that does not say so may be of a remote job all the same."""
    place = _Place(*(said[name] for name in ("city_core", "state", "country", "area", "remote")))
    is_silent = said["description_is_snippet"] and not said["remote"]
    return place._replace(remote=None) if is_silent else place


def _in_words(place: _Place) -> str:
    named = (place.city or place.area, place.state, place.country)
    known = ", ".join(part for part in named if part)
    return " ".join(filter(None, ["remote" if place.remote else "", known])) or "not stated"


def _only_other(place: _Place, places: Iterable[_Place]) -> _Place | None:
    """The one place that says more than this one and contradicts it in nothing."""
    is_whole = place.city and place.country and (place.state or place.country not in WITH_STATES)
    if is_whole and place.remote is not None:
        return None
    vague = not (place.remote or place.city or place.state or place.area)
    found: _Place | None = None
    for other in places:
        if (
            other != place
            and (other.remote == place.remote or place.remote is None or vague)
            and (place.city is None or other.city == place.city)
            and (place.state is None or other.state == place.state)
            and (place.country is None or other.country == place.country)
            and (place.area is None or other.area == place.area)
        ):
            if found is not None:
                return None
            found = other
    return found


class _Bodies:
    """The comparable texts of the postings in blocks, and their shingles where needed."""

    def __init__(
        self, ordered: pl.DataFrame, rows: dict[int, Row], blocks: list[list[int]]
    ) -> None:
        needed = sorted({row for members in blocks for row in members})
        read = ordered[needed].select(
            text=compared_text(pl.col("description")),
            full=~pl.col("description_is_snippet")
            & (pl.col("description").str.len_chars() >= MIN_BODY_CHARS),
        )
        self._texts: dict[int, str | None] = dict(zip(needed, read["text"], strict=True))
        self._full: dict[int, bool | None] = dict(zip(needed, read["full"], strict=True))
        self._shingles: dict[int, Shingles] = {}

    def text(self, row: int) -> str | None:
        """The text, if it is long and whole enough to be evidence."""
        return self._texts[row] if self._full[row] else None

    def shingles(self, row: int) -> Shingles:
        if row not in self._shingles:
            self._shingles[row] = shingles(self._texts[row] or "")
        return self._shingles[row]

    def shown(self, row: int) -> str | None:
        """The text, be it a snippet."""
        return self._texts[row]

    def are_one(self, left: int, right: int) -> bool:
        """Whether both are whole texts and the same body."""
        one, other = self.text(left), self.text(right)
        return bool(one and other) and (
            one == other or jaccard(self.shingles(left), self.shingles(right)) >= SAME_BODY
        )

    def may_be_one(self, left: int, right: int) -> bool:
        """False if both are whole texts that have little in common."""
        if not (self._full[left] and self._full[right]):
            return True
        return jaccard(self.shingles(left), self.shingles(right)) >= OTHER_BODY


def _compared_rows(ordered: pl.DataFrame, contested: list[int]) -> dict[int, Row]:
    compared = with_compared_forms(ordered[contested]).select(
        *COMPARED, "country", "remote", "last_seen_at", "description_is_snippet",
        feed=pl.concat_str("source", pl.col("publisher").fill_null(""), separator=" "),
        begins=pl.min_horizontal("posted_at", "first_seen_at"),
    )  # fmt: skip
    return dict(zip(contested, compared.iter_rows(named=True), strict=True))


def _blocks(ordered: pl.DataFrame) -> list[tuple[str, list[int]]]:
    """Each key that several postings share, with their rows in order; sorted by key."""
    shared = (
        ordered.lazy()
        .select("row", "keys")
        .explode("keys", empty_as_null=False)
        .group_by("keys")
        .agg("row")
        .filter(pl.col("row").list.len() > 1)
        .with_columns(pl.col("row").list.sort())
        .sort("keys")
        .collect()
    )
    return list(zip(shared["keys"].to_list(), shared["row"].to_list(), strict=True))


def _decisions(ordered: pl.DataFrame, overrides: pl.DataFrame | None) -> list[tuple[int, int, str]]:
    if overrides is None or overrides.is_empty():
        return []
    rows = ordered.select("row", "posting_id")
    found = (
        overrides.select("posting_id", "other_posting_id", "action")
        .join(rows, on="posting_id")
        .join(rows.rename({"row": "other", "posting_id": "other_posting_id"}),
              on="other_posting_id")
        .filter(pl.col("row") != pl.col("other"))
        .select(pl.min_horizontal("row", "other"), pl.max_horizontal("row", "other").alias("other"),
                "action")
        .unique()
        .sort("row", "other", "action")
    )  # fmt: skip
    return list(found.iter_rows())


def _override_keys(overrides: pl.DataFrame | None) -> pl.DataFrame:
    if overrides is None:
        overrides = Override.create_empty()
    joined = overrides.filter(pl.col("action") == "join").with_columns(
        _key=_bounded(
            pl.concat_str(
                pl.lit("override "),
                pl.min_horizontal("posting_id", "other_posting_id"),
                pl.lit(" + "),
                pl.max_horizontal("posting_id", "other_posting_id"),
            )
        )
    )
    sides = [
        joined.select(posting_id=pl.col(name).cast(pl.String), _key="_key")
        for name in ("posting_id", "other_posting_id")
    ]
    return pl.concat(sides).group_by("posting_id").agg(_override_keys=pl.col("_key").unique())


def _bounded(key: pl.Expr) -> pl.Expr:
    return (
        pl.when(key.str.len_bytes() > 400)
        .then(key.map_elements(bounded, return_dtype=pl.String, skip_nulls=True))
        .otherwise(key)
    )
