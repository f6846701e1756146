"""The steps of docs/adding-a-field.md, taken in a copy of the code, add a field: from its rule to
the API's filter, facet and export."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"^```\w+\n(?:#|--) (\S+?)(?:, (before FIELDS|in FIELDS))?\n(.*?)^```$", re.M | re.S
)
FILES = [
    "pipeline/fields.py",
    "pipeline/publish/migrations/9999_on_call.sql",
    "pipeline/transform/understanding/on_call.py",
    "tests/serving/test_on_call.py",
]


def follow(walk: str, copy: Path) -> list[str]:
    """Take the steps; the files that they touch, sorted."""
    touched = set()
    for name, place, text in BLOCK.findall(walk):
        file = copy / name
        touched.add(name)
        if not place:
            assert not file.exists()
            file.write_text(text)
            continue
        before = "\nFIELDS = (\n" if place == "before FIELDS" else ')  # fmt: skip\n"""In the order'
        head, mark, tail = file.read_text().partition(before)
        assert mark
        file.write_text(head + text + mark + tail)
    return sorted(touched)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    for name in ("pipeline", "serving", "tests", "benchmarks"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    return folder


def test_a_field_is_added_in_four_files(copy: Path) -> None:
    walk = (PROJECT / "docs/adding-a-field.md").read_text()
    assert follow(walk, copy) == FILES
    tests = [
        "tests/serving/test_on_call.py",
        "tests/serving/test_fields.py",
        "tests/publish/test_published_columns.py",
    ]
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *tests,
            "-k",
            "on_call or show or hold or written or repaired",
        ],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-5_000:] + ran.stderr[-2_000:]
