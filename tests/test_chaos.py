"""What the chaos run would say of answers, losses and recoveries that are wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.chaos import account_for, late, recoveries, unexplained
from benchmarks.chaos_faults import KINDS, Fault, in_rounds
from benchmarks.chaos_readers import (
    FACETS,
    Failure,
    Known,
    WrongAnswerError,
    digest,
    facts_of_list,
    facts_of_rows,
    facts_of_statistics,
)

NOW = datetime(2026, 2, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def listed(total: int = 3) -> dict[str, Any]:
    facets = {name: [{"value": "one", "jobs": 1}, {"value": None, "jobs": 2}] for name in FACETS}
    return {"total": total, "jobs": [{"id": "a"}, {"id": "b"}], "facets": facets}


def test_a_list_of_one_version_is_not_complained_of() -> None:
    facts = facts_of_list(listed(), 2, is_whole=True)
    assert facts["total"] == 3
    assert facts["category"] == {"one": 1, "None": 2}
    assert facts_of_list(listed(), 2, is_whole=False) == {}


@pytest.mark.parametrize("facet", FACETS)
def test_a_facet_that_is_of_another_version_than_the_total_is_found(facet: str) -> None:
    answer = listed()
    answer["facets"][facet][1]["jobs"] = 1
    with pytest.raises(WrongAnswerError):
        facts_of_list(answer, 2, is_whole=True)


def test_a_page_that_is_of_another_version_than_the_total_is_found() -> None:
    with pytest.raises(WrongAnswerError, match="a page of 50 holds 2 of 3"):
        facts_of_list(listed(), 50, is_whole=True)
    with pytest.raises(WrongAnswerError, match="1 jobs come twice"):
        facts_of_rows(["a", "b", "a"])
    counts = [{"value": "sre", "jobs": 2}]
    with pytest.raises(WrongAnswerError):
        facts_of_statistics(
            {"total": 3, "by_category": counts, "by_source": counts, "by_country": counts}
        )


def test_two_tellers_of_one_version_must_say_the_same() -> None:
    known = Known()
    known.tell("7-a", facts_of_rows(["a", "b"]), "csv")
    known.tell("7-a", {"total": 2, "ids": digest(["b", "a"])}, "PostgreSQL")
    known.tell("8-b", facts_of_rows(["a"]), "csv")
    assert (known.wrong, known.compared, known.versions) == ([], 2, 2)
    known.tell("8-b", {"total": 2}, "list")
    assert known.wrong == ["total of 8-b: 2 by list, but 1 by csv"]


def test_each_posting_that_was_shown_is_accounted_for() -> None:
    shown = {"x": {name: [NOW] for name in ("kept", "of no role", "lost", "unread")}}
    shown["x"]["cut off"] = [NOW + 2 * MINUTE]
    account = account_for(
        shown,
        staged={"x": {"kept", "of no role", "unread"}},
        fetches={"x": [(NOW - MINUTE, NOW + MINUTE)]},
        fates={"x_kept": "open", "x_of no role": "irrelevant"},
    )
    assert sorted(account.lost) == ["x_lost is not in staging", "x_unread is in staging alone"]
    assert account.cut_off == 1
    assert account.became == {"open": 1, "irrelevant": 1}


def test_errors_are_allowed_only_by_what_was_struck() -> None:
    api = Fault("kill api", "1", struck=100, lifted=100, over=110, calm=112)
    source = Fault("source: 500", "adzuna", struck=200, lifted=212, over=213, calm=213)
    allowed = [
        Failure(105, 106, "/", "503", "1"),
        Failure(105, 106, "/", "ConnectionRefusedError"),
        Failure(205, 206, "/", "503", "1"),
    ]
    assert unexplained(allowed, [api, source]) == []
    wrong = [
        Failure(105, 106, "/", "503"),
        Failure(105, 106, "/", "500"),
        Failure(205, 206, "/", "ConnectionRefusedError"),
        Failure(300, 301, "/", "503", "1"),
    ]
    assert len(unexplained(wrong, [api, source])) == len(wrong)


def test_what_is_back_late_or_never_is_told() -> None:
    faults = [
        Fault("kill api", "1", struck=0, lifted=0, over=seconds) for seconds in (5.0, 7.0, 31.0)
    ]
    faults.append(Fault("hang api", "2", struck=0, lifted=0))
    assert late(faults) == ["kill api (1): 31.0 s", "hang api (2): never"]
    assert late([Fault("source: 500", "adzuna", struck=0, lifted=12, over=99)]) == []
    assert recoveries(faults) == {
        "hang api": {"count": 1, "median": None, "p95": None, "longest": None},
        "kill api": {"count": 3, "median": 7.0, "p95": 31.0, "longest": 31.0},
        "all": {"count": 4, "median": 7.0, "p95": None, "longest": None},
    }


def test_each_kind_of_fault_comes_once_in_a_round_and_a_seed_repeats_it() -> None:
    one, again = in_rounds(random.Random(4)), in_rounds(random.Random(4))
    first = [next(one) for _ in KINDS]
    assert sorted(first) == sorted(KINDS)
    assert first == [next(again) for _ in KINDS]
