"""How many postings a second of CPU are cleaned, and how that compares with another commit.

    python -m benchmarks.cleaning [--rows N] [--recordings FOLDER] [--baseline COMMIT] [--runs N]

By default 4,000 generated postings whose descriptions are full of HTML: some 6 KB with 150 tags,
entities, typographic and accented characters, as Remote OK and the employers' boards send them.
``--recordings`` measures the HTML of recorded responses (``*.json``) as well. Every text differs
from the others, so that nothing is gained by texts that repeat.

Two figures, each the best of the runs: ``clean`` is ``normalize``; ``understand`` adds skills,
role and blocking keys. With ``--baseline`` the same postings are measured on that commit's code in
turn, in processes of one thread, and the ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).parents[1]
SEEN = datetime(2026, 6, 1, tzinfo=UTC)

_WORDS = [
    "we", "you", "our", "team", "service", "platform", "data", "cloud", "people", "build", "run",
    "design", "review", "support", "deploy", "reliable", "scalable", "customers", "product",
    "engineers", "experience", "with", "and", "the", "of", "in", "for", "to", "on", "at", "strong",
    "knowledge", "years", "systems", "distributed", "ownership", "on-call", "incident", "latency",
]  # fmt: skip
_SKILLS = [
    "Kubernetes", "Terraform", "Python", "Go", "AWS", "PostgreSQL", "Kafka", "Docker", "Linux",
    "Java", "CI/CD", "Redis",
]  # fmt: skip
_TITLES = ["Senior Backend Engineer", "DevOps Engineer", "Site Reliability Engineer (m/f/d)",
           "Cloud Engineer &amp; Architect", "Platform Engineer – Remote", "Account Manager",
           "Software Engineer, Payments", "Frontend Developer"]  # fmt: skip
_COMPANIES = ["Nordlicht GmbH", "Acme, Inc.", "Café Robusta SAS", "Globex &amp; Sons Ltd"]
_PLACES = ["Berlin, Germany", "New York, NY", "Remote - US", "London, United Kingdom", "Paris",
           "Worldwide", "Austin, TX, United States", "Zürich, Switzerland"]  # fmt: skip
_ODD = ["you’ll", "we’re", "“fast”", "naïve", "résumé", "Zürich", "–", "•", "&amp;", "&nbsp;",
        "&rsquo;", "R&amp;D", "&gt; 5", "C&#43;&#43;", "🚀"]  # fmt: skip
_MISREAD = ["👩‍💻", "donâ€™t", "CafÃ©", "Â ", "â€“"]


def _sentence(chance: random.Random) -> str:
    words = chance.choices(_WORDS, k=chance.randint(8, 18))
    words[chance.randrange(len(words))] = chance.choice(_SKILLS)
    if chance.random() < 0.4:
        words.insert(chance.randrange(len(words)), chance.choice(_ODD))
    if chance.random() < 0.1:
        words[0] = f"<strong>{words[0]}</strong>"
    return " ".join(words).capitalize() + "."


def _description(chance: random.Random) -> str:
    parts: list[str] = []
    for _ in range(6):
        parts.append(f'<h3 class="x"><span style="color:#333">{_sentence(chance)}</span></h3>\n')
        parts.append(
            f"<p>{_sentence(chance)}<br>{_sentence(chance)} <em>{_sentence(chance)}</em></p>"
        )
        items = "".join(f"<li><p>{_sentence(chance)}</p></li>\n" for _ in range(6))
        parts.append(f'<ul style="margin: 0;">{items}</ul><p>&nbsp;</p>\n')
    parts.append(
        '<div><a href="https://jobs.example/apply?a=1&amp;b=2" rel="nofollow">Apply</a></div>'
    )
    if chance.random() < 0.1:
        parts.append(chance.choice(_MISREAD))
    return "".join(parts)


def generated(rows: int) -> Iterator[dict[str, Any]]:
    """The fields of postings full of HTML, the same in every process."""
    for number in range(rows):
        chance = random.Random(number)
        yield {
            "title": chance.choice(_TITLES), "company": chance.choice(_COMPANIES),
            "description": _description(chance), "tags": chance.sample(_SKILLS, 4),
            "location_text": chance.choice(_PLACES), "remote": chance.random() < 0.5,
            "salary_min": 60_000.0 if chance.random() < 0.2 else None, "salary_currency": "USD",
            "apply_url": f"https://jobs.example/apply/{number}?utm_source=x",
        }  # fmt: skip


def recorded(folder: Path, rows: int) -> Iterator[dict[str, Any]]:
    """The texts with at least twenty tags of recorded responses, repeated up to ``rows``; each
    has a number of its own, so that none equals another."""
    texts: list[tuple[str, str]] = []

    def collect(value: Any, title: str) -> None:
        if isinstance(value, dict):
            named = value.get("position") or value.get("title") or value.get("name")
            for child in value.values():
                collect(child, named if isinstance(named, str) else title)
        elif isinstance(value, list):
            for child in value:
                collect(child, title)
        elif isinstance(value, str) and value.count("<") + value.count("&lt;") >= 20:
            texts.append((title, value))

    for file in sorted(folder.glob("*.json")):
        collect(json.loads(file.read_text()), "Backend Engineer")
    if not texts:
        sys.exit(f"{folder} holds no response with HTML")
    for number in range(rows):
        title, text = texts[number % len(texts)]
        yield {
            "title": title, "company": f"Company {number % 997}", "location_text": "Berlin",
            "description": f"<p>Opening {number}</p>{text}", "tags": ["backend", "python"],
            "apply_url": f"https://jobs.example/apply/{number}",
        }  # fmt: skip


def mapped(fields: Iterator[dict[str, Any]]) -> pl.DataFrame:
    """Rows of ``MappedPosting`` with these fields."""
    from pipeline.transform.schema import MappedPosting

    schema = {name: column.dtype for name, column in MappedPosting.columns().items()}
    rows = [
        dict.fromkeys(schema)
        | {"source": "jsearch", "source_id": str(number), "first_seen_at": SEEN, "raw": "{}",
           "last_seen_at": SEEN, "run_id": "run", "load_id": "1"}
        | posting
        for number, posting in enumerate(fields)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=schema)


def measure(file: Path) -> dict[str, float]:
    """The seconds of CPU that this process's code takes for the postings of a Parquet file."""
    from pipeline.transform.schema import MappedPosting

    postings = pl.read_parquet(file)
    known = MappedPosting.create_empty().schema
    postings = postings.select(name for name in known if name in postings.columns)
    clean, whole = _steps()
    clean(postings[:100])
    return {
        "clean": _seconds(lambda: clean(postings)),
        "understand": _seconds(lambda: whole(postings)),
    }


def _steps() -> tuple[Callable[[pl.DataFrame], Any], Callable[[pl.DataFrame], Any]]:
    """Cleaning alone, and all until the blocking keys; the commit that is compared with may have
    them elsewhere."""
    normalize = _imported("cleaning.normalize", "normalize")
    if hasattr(normalize, "clean"):
        understand = _imported("understanding.understand").understand
        return lambda rows: normalize.clean(rows.lazy()).collect(), understand
    classify = _imported("classify", "cleaning.classify").classify
    with_skills = _imported("skills", "cleaning.skills").with_skills
    keys = _imported("deduplicate", "deduplication.blocking", "deduplication.deduplicate")
    with_blocking_keys = getattr(keys, "with_blocking_keys", None) or keys.with_keys

    def understand_all(rows: pl.DataFrame) -> Any:
        cleaned = normalize.normalize(rows)[0].lazy()
        return with_blocking_keys(classify(with_skills(cleaned)).collect())

    return normalize.normalize, understand_all


def _imported(*names: str) -> Any:
    import importlib

    for name in names:
        try:
            return importlib.import_module(f"pipeline.transform.{name}")
        except ModuleNotFoundError:
            continue
    raise ModuleNotFoundError(names[0])


def _seconds(step: Callable[[], object]) -> float:
    started = time.process_time()
    step()
    return time.process_time() - started


def _in_process(code: Path, file: Path) -> dict[str, float]:
    env = {**os.environ, "PYTHONPATH": str(code), "POLARS_MAX_THREADS": "1"}
    command = [sys.executable, "-P", str(Path(__file__).resolve()), "--measure", str(file)]
    done = subprocess.run(command, env=env, cwd=code, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _unpacked(commit: str, folder: Path) -> Path:
    archive = subprocess.run(
        ["git", "archive", commit, "pipeline"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--baseline")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measure(asked.measure)))
        return
    sets = {"generated": generated(asked.rows)}
    if asked.recordings:
        sets["recorded"] = recorded(asked.recordings, asked.rows)
    with tempfile.TemporaryDirectory() as folder:
        codes = {"here": ROOT}
        if asked.baseline:
            codes[asked.baseline] = _unpacked(asked.baseline, Path(folder) / "baseline")
        for name, fields in sets.items():
            file = Path(folder) / f"{name}.parquet"
            mapped(fields).write_parquet(file)
            taken = [
                (code, _in_process(path, file))
                for _ in range(asked.runs)
                for code, path in codes.items()
            ]
            for step in ("clean", "understand"):
                best = {
                    code: asked.rows / min(found[step] for of, found in taken if of == code)
                    for code in codes
                }
                shown = ", ".join(f"{code} {rate:,.0f} rows/s" for code, rate in best.items())
                ratio = (
                    f", {best['here'] / best[asked.baseline]:.2f} times" if asked.baseline else ""
                )
                print(f"{name} {step}: {shown}{ratio}")


if __name__ == "__main__":
    main()
