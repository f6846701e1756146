"""Whatever one source does, the others publish and nothing that was published is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline.simulator.faults import (
    MISSING,
    Fault,
    dropped_connection,
    empty_list,
    hang,
    html_instead_of_json,
    rate_limited,
    server_error,
    slow_drip,
    truncated_json,
)
from pipeline.simulator.server import Simulator
from tests.end_to_end.installation import Installation
from tests.support.source_postings import adzuna_job, jsearch_job, remoteok_job

HUGE = "<p>" + "We run services in production. " * 170_000 + "</p>"


def play_one_job_each(server: Simulator) -> None:
    server.give("remoteok", [remoteok_job(id="1", company="Remote Co")])
    server.give("jsearch", [jsearch_job(job_id="1", employer_name="Search Co")])
    server.give("adzuna", [adzuna_job(id="1", company={"display_name": "Zuna Co"})])


@pytest.mark.parametrize(
    ("fault", "heals"),
    [
        pytest.param(
            rate_limited(retry_after=3600, times=None), False, id="429",
            marks=pytest.mark.trial("sources", "It limits the rate for an hour"),
        ),
        pytest.param(
            server_error(times=None), True, id="500",
            marks=pytest.mark.trial("sources", "It is down: every answer is a 500"),
        ),
        pytest.param(
            dropped_connection(times=None), True, id="no connection",
            marks=pytest.mark.trial("sources", "It is down: it drops every connection"),
        ),
        pytest.param(
            hang(60, times=None), True, id="timeout",
            marks=pytest.mark.trial("sources", "It does not answer"),
        ),
        pytest.param(
            slow_drip(10, times=None), True, id="slow drip",
            marks=pytest.mark.trial("sources", "It is slow"),
        ),
        pytest.param(
            truncated_json(times=None), True, id="truncated",
            marks=pytest.mark.trial("sources", "Its JSON is truncated"),
        ),
        pytest.param(
            truncated_json(times=None, announce_whole=True), True, id="cut off",
            marks=pytest.mark.trial("sources", "Its answer is cut off"),
        ),
        pytest.param(
            html_instead_of_json(times=None), True, id="HTML",
            marks=pytest.mark.trial("sources", "It answers with a page of HTML"),
        ),
    ],
)  # fmt: skip
def test_a_failing_source_leaves_the_others_and_its_own_postings(
    ingested: Callable[[], dict[str, object]], installation: Installation, fault: Fault, heals: bool
) -> None:
    play_one_job_each(installation.server)
    first = ingested()
    assert first["problems"] == {}
    assert first["db"]["new"] == 3  # type: ignore[index]
    installation.server.fault("remoteok", fault)
    installation.server.give(
        "adzuna", [adzuna_job(id="1", company={"display_name": "Zuna Co"}), adzuna_job(id="2")]
    )
    second = ingested()
    assert set(second["problems"]) == {"remoteok"}  # type: ignore[call-overload]
    assert "secret" not in str(second["problems"])
    assert second["db"]["new"] == 1  # type: ignore[index]
    assert ids(installation) == ["adzuna_1", "adzuna_2", "jsearch_1", "remoteok_1"]
    installation.server.heal("remoteok")
    third = ingested()
    if heals:
        assert third["problems"] == {}


@pytest.mark.trial("sources", "Every source answers with nothing, in good form")
def test_an_empty_answer_removes_nothing(
    ingested: Callable[[], dict[str, object]], installation: Installation
) -> None:
    play_one_job_each(installation.server)
    ingested()
    for source in ("remoteok", "jsearch", "adzuna"):
        installation.server.fault(source, empty_list(times=None))
    ingested()
    assert ids(installation) == ["adzuna_1", "jsearch_1", "remoteok_1"]


@pytest.mark.trial(
    "sources",
    "Postings are huge, of other types, without id or title, or no objects",
)
def test_odd_postings_are_published_or_kept_with_a_reason(
    ingested: Callable[[], dict[str, object]], installation: Installation
) -> None:
    installation.server.give("remoteok", [
        remoteok_job(id="nul", position="Backend\x00 Engineer", company="A"),
        remoteok_job(id="huge", description=HUGE, company="B"),
        remoteok_job(id="text", salary_min="120000", salary_max="much", company="C"),
        remoteok_job(id="new", perks=["dogs"], company="D"),
        remoteok_job(id="untitled", position=MISSING, company="E"),
        remoteok_job(id=77, tags="python", company=["F"]),
        remoteok_job(id=MISSING, company="G"),
        "not a posting",
        None,
    ])  # fmt: skip
    installation.server.give("jsearch", [jsearch_job(job_id="1", employer_name="Search Co")])
    answer = ingested()
    assert answer["sources"]["remoteok"] == 9  # type: ignore[index]
    assert answer["problems"] == {}
    published = set(ids(installation))
    odd = {f"remoteok_{name}" for name in ("nul", "huge", "text", "new", "77")}
    assert odd | {"jsearch_1"} <= published
    assert len([job for job in published if job.startswith("remoteok_sha-")]) == 1
    rejected = installation.query("select source_id, reason, raw from rejected_postings")
    assert len(rejected) == 3
    assert all(reason and raw for _, reason, raw in rejected)
    assert "untitled" in [source_id for source_id, _, _ in rejected]
    titles = dict(installation.query("select job_id, title from jobs"))
    assert titles["remoteok_nul"] == "Backend Engineer"


def ids(installation: Installation) -> list[str]:
    return [row[0] for row in installation.query("select job_id from jobs order by 1")]
