"""The pages that name tests as proofs name tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


def named(text: str) -> set[str]:
    return set(re.findall(r"`(test_\w+)`", text))


@pytest.mark.parametrize("page", ["reliability", "security"])
def test_every_proof_is_a_test(page: str) -> None:
    proofs = named((PROJECT / f"docs/{page}.md").read_text())
    defined = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(proofs) > 20
    assert proofs - defined == set()


def test_every_trial_names_its_proof() -> None:
    _, _, trials = (PROJECT / "docs/reliability.md").read_text().partition("## Trials")
    rows = [line for line in trials.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not named(row)] == []
