"""Precision, recall and F1 of merged pairs: the pipeline's deduplication, the title + company
hash of a simple aggregator, and Splink.

    python -m benchmarks.deduplicate_quality [--recorded FOLDER] [--lists FOLDER OF CLONES]

Needs the dependency group ``benchmarks``. The labels of *real* postings are requisition ids in
apply URLs, and each method sees the postings without those URLs: those of public lists that are
kept independently of each other (:mod:`benchmarks.public_listings`; a sample is committed, the
rest is read from clones), and recorded listings. The *perturbed* set shows each
recorded posting a second time as another source words it; the *hand-checked* set are pairs of
openings that must stay two (``hard_negatives.csv``).
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.public_listings import (
    LISTS,
    PERIODS,
    Listing,
    clone,
    listings,
    read_listings,
)
from pipeline.sources.remoteok import without_note
from pipeline.transform.cleaning.text import line, paragraphs
from pipeline.transform.deduplication.apply_url import apply_target
from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.schema import MappedPosting, RelevantPosting
from pipeline.transform.understanding.understand import understand
from tests.support.empty_rows import empty_row

_START = datetime(2026, 1, 1, tzinfo=UTC)
_SUFFIXES = ["", "", ", Inc.", " Ltd.", " LLC", " GmbH", " Inc", " Corporation"]
_COUNTRIES = {"UK": "GB", "Canada": "CA"}
_SHORT = {"NYC": "New York", "SF": "San Francisco", "LA": "Los Angeles"}

SAMPLE = Path(__file__).with_name("listed_openings.csv")

Postings = pl.DataFrame
Pairs = set[tuple[str, str]]


def posting(opening: str, number: int, source: str, **columns: Any) -> dict[str, Any]:
    """A posting, and under ``opening`` which opening it truly advertises."""
    row = empty_row(RelevantPosting)
    row |= {
        "posting_id": f"{source}_{number}", "source": source, "source_id": str(number),
        "description_is_snippet": False, "tags": [], "skills": [], "apply_urls": [],
        "remote": False,
        "salary_is_predicted": False, "posted_at_is_approximate": False,
        "first_seen_at": _START, "last_seen_at": _START,
        "run_id": "run", "category": "backend", "category_reason": "title",
    }  # fmt: skip
    return row | columns | {"opening": opening}


def place(text: str) -> dict[str, Any]:
    """The location columns of a wording such as "Toronto, ON, Canada" or "Remote in USA"."""
    remote = re.match(r"Remote(?: in (.+))?$", text)
    named = (remote.group(1) or "") if remote else text
    *cities, last = [part.strip() for part in named.split(",")]
    country = _COUNTRIES.get(last) or ("US" if last and (cities or last in _SHORT or "U" in last)
                                       else None)  # fmt: skip
    city = None if remote else cities[0] if cities else _SHORT.get(last)
    return {"city": city, "country": country, "remote": bool(remote), "location_text": text}


def recorded_listings(folder: Path) -> list[dict[str, Any]]:
    """Recorded listings whose apply URL names a requisition, with the URL withheld."""
    rows = []
    listings = json.loads((folder / "simplify_new_grad_2024-10-25.json").read_text())
    for number, listing in enumerate(listings):
        target = apply_target(listing["url"])
        if not target.requisition or len(listing["locations"]) != 1:
            continue
        rows.append(
            posting(
                f"{target.system}:{target.requisition}", number,
                "simplify" if listing["source"] == "Simplify" else "contributors",
                title=listing["title"], company=listing["company_name"],
                posted_at=datetime.fromtimestamp(listing["date_posted"], UTC),
                **place(listing["locations"][0]),
            )
        )  # fmt: skip
    return rows


def recorded_bodies(folder: Path) -> list[dict[str, Any]]:
    """The postings of Remote OK with their whole texts; each is its own opening unless company,
    title and text are equal. They take part only reworded: no label of theirs is independent."""
    recorded = json.loads((folder / "remoteok_2024-12-04.json").read_text())[1:]
    answer = [without_note(job) for job in recorded]
    texts = pl.DataFrame(
        [(job["position"], job["company"], job["description"]) for job in answer],
        schema=["title", "company", "description"], orient="row",
    ).select(
        line(pl.col("title")), line(pl.col("company")), paragraphs(pl.col("description")),
    )  # fmt: skip
    return [
        posting(f"remoteok:{company}:{title}:{text}", number, "remoteok", title=title,
                company=company, description=text, remote=True)
        for number, (title, company, text) in enumerate(texts.iter_rows())
        if title
    ]  # fmt: skip


def reworded(row: dict[str, Any], number: int, chance: random.Random) -> dict[str, Any]:
    """The posting as a second source shows it: other legal form, title wording, place, text."""
    other = dict(row)
    if row["company"]:
        other["company"] = row["company"].strip() + chance.choice(_SUFFIXES)
        if chance.random() < 0.2:
            other["company"] = other["company"].upper()
    title = row["title"]
    for pattern, words in (
        (r"\bSr\b\.?", "Senior"), (r"\bSenior\b", "Sr."), (r" – | - ", ", "),
        (r"\bFull[- ]?Stack\b", "Fullstack"), (r"$", " (m/f/d)"), (r"$", " - Remote"),
    ):  # fmt: skip
        if chance.random() < 0.2 and (words != " - Remote" or row["remote"]):
            title = re.sub(pattern, words, title, count=1)
    other["title"] = title
    if row["city"] and chance.random() < 0.15:
        other["city"] = None
    if row["remote"] and chance.random() < 0.3:
        other["country"] = None
        other["location_text"] = None
    if row["description"]:
        kind = chance.random()
        if kind < 0.4:
            other["description"] = row["description"][:500] + "…"
            other["description_is_snippet"] = True
        elif kind < 0.7:
            other["description"] = row["description"] + "\n\nApply through our partner's site."
    seen = _START + timedelta(minutes=chance.randrange(10_000))
    other |= {"posting_id": f"second_{number}", "source": "second", "source_id": str(number),
              "first_seen_at": seen, "last_seen_at": seen}  # fmt: skip
    return other


def hand_checked() -> list[dict[str, Any]]:
    """Both sides of each hard negative, each pair at companies of its own."""
    rows = []
    path = Path(__file__).with_name("hard_negatives.csv")
    for number, pair in enumerate(csv.DictReader(path.open())):
        for side, prefix in enumerate(("", "other_")):
            known = {name: pair[prefix + name] or None for name in ("title", "city", "country")}
            company = f"{pair[prefix + 'company']} {number}"
            rows.append(posting(f"{number}/{side}", number, f"side{side}", company=company,
                                remote=known["city"] is None, **known))  # fmt: skip
    return rows


def listed_postings(rows: Sequence[Listing]) -> list[dict[str, Any]]:
    """Rows of public lists, cleaned as the pipeline does, with their links withheld."""
    mapped = pl.DataFrame(
        [
            dict.fromkeys(MappedPosting.column_names())
            | {
                "source": row.list_name, "source_id": str(number), "title": row.title,
                "company": row.company, "location_text": row.place,
                "posted_at": _midnight(row.posted), "first_seen_at": _midnight(row.posted),
                "last_seen_at": _midnight(row.last_seen), "run_id": "run", "load_id": "1",
                "raw": "",
            }
            for number, row in enumerate(rows)
        ],
        schema=MappedPosting.create_empty().schema,
    )  # fmt: skip
    understood, _ = understand(mapped)
    return [
        posting(f"{rows[number].system}:{rows[number].requisition}", number, row["source"],
                system=rows[number].system,
                **{name: row[name] for name in
                   ("title", "company", "location_text", "city", "region", "country", "remote",
                    "posted_at", "first_seen_at", "last_seen_at")})
        for row in understood.iter_rows(named=True)
        for number in [int(row["source_id"])]
    ]  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def ours(postings: Postings) -> Pairs:
    """Pairs that the pipeline puts into one job."""
    members = deduplicate(with_blocking_keys(postings))
    return _pairs(members.group_by("job_id").agg("posting_id")["posting_id"])


def title_company_hash(postings: Postings) -> Pairs:
    """Pairs of equal title and company, in lower case and without blanks around them."""
    key = pl.concat_str(
        [pl.col(name).fill_null("").str.strip_chars().str.to_lowercase()
         for name in ("title", "company")], separator="\x1f",
    )  # fmt: skip
    return _pairs(postings.group_by(key).agg("posting_id")["posting_id"])


def splink(postings: Postings) -> Pairs:
    """Pairs of Splink's clusters, trained on the same rows as its tutorial does."""
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    logging.disable(logging.WARNING)
    names = ["title", "company", "city", "country", "description"]
    frame = postings.select(
        pl.col("posting_id").alias("unique_id"),
        *[pl.col(name).str.to_lowercase().str.head(2_000) for name in names],
    )
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("title", [0.95, 0.88]),
            cl.JaroWinklerAtThresholds("company", [0.95, 0.88]),
            cl.ExactMatch("city"),
            cl.ExactMatch("country"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("substr(company, 1, 5)"), block_on("title"),
        ],
    )  # fmt: skip
    api = DuckDBAPI()
    linker = Linker(api.register(frame.to_arrow()), settings)
    linker.training.estimate_probability_two_random_records_match(
        [block_on("title", "company")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("company"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("title"))
    predicted = linker.inference.predict(threshold_match_probability=0.9)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        predicted, threshold_match_probability=0.95
    )
    found = pl.DataFrame(clusters.as_pyarrow_table())
    return _pairs(found.group_by("cluster_id").agg("unique_id")["unique_id"])


def _pairs(groups: Iterable[Any]) -> Pairs:
    return {pair for group in groups for pair in combinations(sorted(group), 2)}


def true_pairs(rows: list[dict[str, Any]]) -> Pairs:
    openings = defaultdict(list)
    for row in rows:
        openings[row["opening"]].append(row["posting_id"])
    return _pairs(openings.values())


@dataclass
class Counted:
    """How many pairs are true, merged, and both. Pairs of which nothing is known do not count."""

    true: int = 0
    merged: int = 0
    right: int = 0

    def add(self, other: Counted) -> None:
        self.true += other.true
        self.merged += other.merged
        self.right += other.right

    def line(self, name: str) -> str:
        if not self.true:
            return f"  {name:<20} {self.merged:,} wrongly merged"
        precision = self.right / self.merged if self.merged else 1.0
        recall = self.right / self.true
        f1 = 2 * precision * recall / (precision + recall) if self.right else 0.0
        return (
            f"  {name:<20} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}"
            f"  ({self.merged:,} merged, {self.merged - self.right:,} wrong)"
        )


METHODS: list[Callable[[Postings], Pairs]] = [ours, title_company_hash, splink]
Score = dict[str, Counted]


def report(name: str, rows: list[dict[str, Any]]) -> Score:
    """Print how each method does on the rows. Two requisitions of one applicant tracking system
    are two openings; whether those of two systems are is not known."""
    truth = true_pairs(rows)
    system_of = {row["posting_id"]: row.get("system") for row in rows}
    schema = {name: column.dtype for name, column in RelevantPosting.columns().items()}
    postings = pl.DataFrame([{k: row[k] for k in schema} for row in rows], schema=schema)
    print(f"\n{name}: {len(rows):,} postings, {len(truth):,} true pairs")
    score: Score = {}
    for method in METHODS:
        try:
            merged = method(postings)
        except Exception as error:
            print(f"  {method.__name__:<20} could not be measured: {type(error).__name__}: {error}")
            continue
        known = {pair for pair in merged if len({system_of[side] for side in pair}) == 1}
        score[method.__name__] = Counted(len(truth), len(known), len(known & truth))
        print(score[method.__name__].line(method.__name__), flush=True)
    return score


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--recorded", type=Path, default=Path("../shared/payloads"))
    parser.add_argument("--lists", type=Path, help="clones of the public lists")
    arguments = parser.parse_args()
    chance = random.Random(7)
    scores = []
    if arguments.lists is None:
        print(
            "The public lists are absent (--lists FOLDER OF CLONES): their sample stands for them."
        )
        scores.append(report("real: openings in several public lists, sample", listed_postings(
            read_listings(SAMPLE))))  # fmt: skip
    else:
        absent = [public.repository for public in LISTS if clone(arguments.lists, public) is None]
        if absent:
            print(f"Not measured, for want of a clone: {', '.join(absent)}.")
        for period, days in PERIODS.items():
            rows = listed_postings(listings(arguments.lists, days))
            scores.append(report(f"real: openings in several public lists, {period}", rows))
    if arguments.recorded.is_dir():
        listed = recorded_listings(arguments.recorded)
        scores.append(report("real: recorded listings, requisition withheld", listed))
        both = listed + recorded_bodies(arguments.recorded)
        second = [reworded(row, number, chance) for number, row in enumerate(both)]
        scores.append(report("perturbed: the same and as a second source words them",
                             [*both, *chance.sample(second, len(second) // 2)]))  # fmt: skip
    else:
        print(f"\n{arguments.recorded} is absent (--recorded): real texts are not measured.")
    scores.append(report("hand-checked: pairs that must stay two", hand_checked()))
    print("\nall of them")
    for method in METHODS:
        total = Counted()
        for score in scores:
            total.add(score.get(method.__name__, Counted()))
        print(total.line(method.__name__))


if __name__ == "__main__":
    main()
