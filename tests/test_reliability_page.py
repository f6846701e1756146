"""docs/reliability.md names only tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_trial_is_a_test() -> None:
    trials = (PROJECT / "docs/reliability.md").read_text().partition("## Trials")[2]
    rows = [line for line in trials.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`(test_\w+)`", row) for row in rows]
    assert all(named)
    defined = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(rows) > 20
    assert {name for names in named for name in names} <= defined
