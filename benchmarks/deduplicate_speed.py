"""How fast postings are keyed and deduplicated: 50,000 postings with 2 KB bodies, a fifth of them
duplicates as a second source shows them, and one block of 5,000 with the same company and title.

    python -m benchmarks.deduplicate_speed
"""

from __future__ import annotations

import random
import resource
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from pipeline.transform.deduplication.blocking import with_blocking_keys
from pipeline.transform.deduplication.deduplicate import deduplicate
from pipeline.transform.schema import RelevantPosting
from tests.support.empty_rows import empty_row

_random = random.Random(1)
_WORDS = [
    "".join(_random.choices("abcdefghijklmnopqrstuvwxyz", k=_random.randint(2, 11)))
    for _ in range(8_000)
]
_START = datetime(2026, 1, 1, tzinfo=UTC)


def posting(number: int, source: str, body: str, **columns: Any) -> dict[str, Any]:
    """A relevant posting with the given body; all else from its number unless given."""
    seen = _START + timedelta(seconds=number)
    row = empty_row(RelevantPosting)
    row |= {
        "posting_id": f"{source}_{number}", "source": source, "source_id": str(number),
        "title": f"{_WORDS[number % 800]} Engineer", "company": f"{_WORDS[number % 7_919]} Inc.",
        "description": body, "description_is_snippet": False, "tags": [], "skills": ["python"],
        "apply_urls": [], "city": "Berlin", "country": "DE", "remote": False,
        "salary_is_predicted": False, "posted_at_is_approximate": False,
        "apply_url": f"https://jobs.example.com/{_WORDS[number % 7_919]}/{number + 100_000}",
        "first_seen_at": seen, "last_seen_at": seen, "run_id": "run", "category": "backend",
        "category_reason": "title",
    }  # fmt: skip
    return row | columns


def body() -> str:
    """Some 2 KB of words."""
    return " ".join(_random.choices(_WORDS, k=290))


def with_duplicates(count: int) -> list[dict[str, Any]]:
    """A fifth of the rows repeat an earlier one under another source, with a changed sentence."""
    originals = [posting(number, "first", body()) for number in range(count * 4 // 5)]
    repeats = []
    for original in _random.sample(originals, count - len(originals)):
        number = int(original["source_id"])
        changed = original["description"].replace(" ", " indeed ", 1)
        repeats.append(
            posting(number, "second", changed, apply_url=None,
                    title=original["title"], company=original["company"].replace(" Inc.", " GmbH"))
        )  # fmt: skip
    return originals + repeats


def one_block(count: int, *, shared_body: bool) -> list[dict[str, Any]]:
    """All of one company and title, in five cities; each with its own body or all with one."""
    same = body()
    return [
        posting(
            number, "first", same if shared_body else body(), title="Backend Engineer",
            company="Acme", city=_WORDS[number % 5],
            apply_url=f"https://jobs.lever.co/acme/{number:08x}-0000-4000-8000-000000000000",
        )
        for number in range(count)
    ]  # fmt: skip


def near_identical(count: int) -> list[dict[str, Any]]:
    """One block whose bodies differ in one word and whose requisitions all differ."""
    rows = one_block(count, shared_body=True)
    return [
        row | {"description": f"{_WORDS[number]} {row['description']}"}
        for number, row in enumerate(rows)
    ]


def measure(name: str, rows: list[dict[str, Any]]) -> None:
    schema = {name: column.dtype for name, column in RelevantPosting.columns().items()}
    postings = pl.DataFrame(rows, schema=schema)
    start = time.perf_counter()
    keyed = with_blocking_keys(postings)
    keyed_at = time.perf_counter()
    members = deduplicate(keyed)
    end = time.perf_counter()
    print(
        f"{name:<44} {len(rows):>7,} → {members['job_id'].n_unique():>7,} jobs"
        f" | with_blocking_keys {len(rows) / (keyed_at - start):>9,.0f} rows/s"
        f" | deduplicate {len(rows) / (end - keyed_at):>9,.0f} rows/s"
        f" | together {len(rows) / (end - start):>9,.0f} rows/s"
    )


def main() -> None:
    measure("50,000 postings, a fifth duplicates", with_duplicates(50_000))
    for count in (1_250, 5_000):
        measure(f"one block, all bodies differ ({count:,})", one_block(count, shared_body=False))
        measure(f"one block, one body ({count:,})", one_block(count, shared_body=True))
        measure(f"one block, bodies nearly alike ({count:,})", near_identical(count))
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
