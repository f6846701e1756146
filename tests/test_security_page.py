"""The security page names tests as proofs: they exist."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def test_every_proof_is_a_test() -> None:
    named = set(re.findall(r"`(test_\w+)`", (PROJECT / "docs/security.md").read_text()))
    defined = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(named) > 20
    assert named <= defined
