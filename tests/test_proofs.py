"""What the docs say about proofs is what the suite holds."""

from __future__ import annotations

import re

import pytest

from tests.trials import PROJECT, ROOMS, trials, written


@pytest.mark.parametrize("page", ROOMS)
def test_the_page_shows_the_trials_of_the_suite(page: str) -> None:
    assert (PROJECT / f"docs/{page}.md").read_text() == written(page), "run python tests/trials.py"


def test_every_room_has_trials() -> None:
    rooms = {room for of_page in ROOMS.values() for room in of_page}
    assert {trial.room for trial in trials()} == rooms


@pytest.mark.parametrize("page", ROOMS)
def test_every_proof_is_a_test(page: str) -> None:
    proofs = set(re.findall(r"`(test_\w+)`", (PROJECT / f"docs/{page}.md").read_text()))
    defined = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert len(proofs) > 20
    assert proofs - defined == set()
