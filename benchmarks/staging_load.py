"""How fast postings are staged: ``python -m benchmarks.staging_load [POSTINGS]``.

Prints, of one run, the rows a second of the whole :func:`pipeline.staging.load.load` (typing,
drift report, dlt, merge, snapshot) and of dlt alone when it is given the same postings as dicts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt

from pipeline.installation.settings import Settings, SourceSettings
from pipeline.sources import JSON, NUMBER, TEXT, Source, posting_resource
from pipeline.staging.load import load

POSTINGS = 20_000


class _Settings(SourceSettings):
    base_url: str = "http://127.0.0.1:9"


def _postings(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": str(number),
            "title": f"Backend Engineer {number}",
            "company": f"Initech {number % 997}",
            "description": "You build services in Python and PostgreSQL. " * 40,
            "salary_min": 65_000.0,
            "created": "2026-02-06T10:30:00Z",
            "tags": ["python", "backend", "remote"],
            "location": {"display_name": "London", "area": ["UK", "London"]},
        }
        for number in range(count)
    ]


def _source(postings: list[dict[str, Any]]) -> Source:
    @posting_resource("generated")
    def pages(settings: Any, client: Any) -> Iterator[list[dict[str, Any]]]:
        for start in range(0, len(postings), 100):
            yield postings[start : start + 100]

    texts = ["title", "company", "description", "created"]
    return Source(
        name="generated",
        title="Generated",
        attribution="",
        settings=_Settings,
        resource=pages,
        key="id",
        fields={"salary_min": NUMBER, "tags": JSON, "location": JSON} | dict.fromkeys(texts, TEXT),
        mapping={},
    )


def main() -> None:
    """Load twice each way: into an empty file, then over the same postings."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POSTINGS
    postings = _postings(count)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), _env_file=None)
        for attempt in ("empty", "merge"):
            start = time.perf_counter()
            fetch = load(_source(postings), _Settings(), settings, attempt, respect_cadence=False)
            seconds = time.perf_counter() - start
            assert fetch.rows == count
            print(f"staging.load, {attempt}: {count / seconds:,.0f} rows/s")
        columns: Any = {"tags": {"data_type": "json"}, "location": {"data_type": "json"}}
        pipeline = dlt.pipeline(
            "dicts",
            pipelines_dir=folder,
            destination=dlt.destinations.duckdb(f"{folder}/dicts.duckdb"),
            dataset_name="staging",
        )
        for attempt in ("empty", "merge"):
            start = time.perf_counter()
            pipeline.run(
                postings, table_name="postings", primary_key="id", columns=columns,
                write_disposition="merge",
            )  # fmt: skip
            seconds = time.perf_counter() - start
            print(f"dlt with dicts, {attempt}: {count / seconds:,.0f} rows/s")


if __name__ == "__main__":
    main()
