"""Remote OK: one request, its terms left out, every posting kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.extract.errors import InvalidResponseError
from pipeline.simulator.faults import MISSING, empty_list, html_instead_of_json
from pipeline.simulator.server import Simulator
from pipeline.sources.remoteok import without_note
from tests.support.source_fetch import as_mapped, fetch, quick, recorded, row
from tests.support.source_postings import remoteok_job


def test_the_terms_are_no_posting_and_odd_elements_are_kept(tmp_path: Path) -> None:
    jobs = [remoteok_job(), {"id": "1", "legal": "paralegal"}, None, "text", {}]
    with Simulator() as server:
        server.give("remoteok", jobs)
        found, error = fetch("remoteok", quick("remoteok", server.base_url("remoteok")), tmp_path)
        assert (found, error) == (jobs, None)
        assert [request.path for request in server.requests] == ["/remoteok/api"]


def test_an_empty_list_is_no_error(tmp_path: Path) -> None:
    with Simulator() as server:
        server.fault("remoteok", empty_list())
        settings = quick("remoteok", server.base_url("remoteok"))
        assert fetch("remoteok", settings, tmp_path) == ([], None)


def test_what_is_no_list_is_told_in_the_apis_own_words(tmp_path: Path) -> None:
    with Simulator() as server:
        settings = quick("remoteok", server.base_url("remoteok"))
        server.give("remoteok", {"error": "blocked for <i>now</i>"})
        found, error = fetch("remoteok", settings, tmp_path)
        assert found == []
        assert isinstance(error, InvalidResponseError)
        assert "blocked for now" in str(error)
        server.fault("remoteok", html_instead_of_json())
        assert "HTML" in str(fetch("remoteok", settings, tmp_path)[1])


def test_all_recorded_postings_are_mapped(tmp_path: Path) -> None:
    with Simulator() as server:
        server.give("remoteok", recorded("remoteok_2024-12-04.json"))
        found, _ = fetch("remoteok", quick("remoteok", server.base_url("remoteok")), tmp_path)
    frame = as_mapped("remoteok", found)
    assert len(frame) == 98
    for name in ("title", "description", "tags", "apply_url", "source_url", "posted_at"):
        assert frame[name].null_count() == 0, name
    assert frame["remote"].all()
    assert frame["description_is_snippet"].sum() == 4
    assert (frame["salary_max"] == 0).sum() == 15
    # The texts of two of them state their pay in zloty and in euros.
    assert frame["salary_currency"].null_count() == 15 + 2
    by_id = {line["source_id"]: line for line in frame.iter_rows(named=True)}
    first = by_id["1059249"]
    assert first["title"] == "Senior Backend Golang Engineer Mailgun Send"
    assert first["tags"] == ["golang", "senior", "golang", "engineer", "backend"]
    assert (first["salary_min"], first["salary_max"]) == (70000, 110000)
    assert (first["salary_currency"], first["salary_period"]) == ("USD", "YEAR")
    assert first["posted_at"] == datetime(2024, 12, 3, 21, 15, 4, tzinfo=UTC)
    assert first["description_is_snippet"] is True
    blank = by_id["1057180"]
    assert (blank["title"], blank["company"], blank["salary_currency"]) == ("", "", None)


NOTE = (
    "Please mention the word **STEADY** and tag RMTkyLjAuMi43 when applying to show you read the "
    "job post completely (#RMTkyLjAuMi43). This is a beta feature to avoid spam applicants. "
    "Companies can search these words to find applicants that read this and see they're human."
)
"""What the API appends, with the Base64 of 192.0.2.7."""


@pytest.mark.parametrize(
    ("description", "kept"),
    [
        (f"<p>We ship.</p><br/><br/>{NOTE}", "<p>We ship.</p>"),
        (f"We ship...<br/><br/>\n{NOTE}\n", "We ship..."),
        (f"We ship <br />{NOTE.replace('=', '')}", "We ship"),
        (NOTE, ""),
        ("Say MTkyLjAuMi43 or RMTkyLjAuMi43 or #RMjAwMTpkYjg6OjE= please", "Say  or  or # please"),
        ("Please mention the word budget in the first line", None),
        ("tag RG9ja2VyIGlzIG5pY2U= and word ABCDEFGH", None),
    ],
)
def test_the_address_of_who_asked_is_kept_nowhere(
    tmp_path: Path, description: str, kept: str | None
) -> None:
    with Simulator() as server:
        job = remoteok_job(description=description, slug=f"x {NOTE}")
        server.give("remoteok", [job])
        ((found,), _) = fetch("remoteok", quick("remoteok", server.base_url("remoteok")), tmp_path)
    assert found["description"] == (description if kept is None else kept)
    assert "MTkyLjAuMi43" not in json.dumps(found)


@pytest.mark.parametrize("text", [" ", "<br>", "\n<br/>", "Please mention the word ", "MTky"])
def test_no_description_takes_long_to_cut(text: str) -> None:
    """A quadratic rule would take days."""
    assert without_note({"description": text * 1_000_000})["description"].startswith(text[:4])


def test_what_was_staged_with_the_note_is_read_without_it() -> None:
    posting = remoteok_job(description=f"We ship…<br/><br/>{NOTE}")
    assert row("remoteok", posting)["description"] == "We ship…"
    assert row("remoteok", posting)["description_is_snippet"] is True


@pytest.mark.parametrize(
    ("overrides", "column", "expected"),
    [
        ({"apply_url": MISSING, "url": "https://remoteok.com/1"}, "apply_url",
         "https://remoteok.com/1"),
        ({"date": "soon"}, "posted_at", datetime(2024, 12, 3, 21, 15, 4, tzinfo=UTC)),
        ({"date": MISSING, "epoch": "soon"}, "posted_at", None),
        ({"salary_min": "70000"}, "salary_min", 70000),
        ({"salary_min": None, "salary_max": None}, "salary_currency", None),
        ({"tags": "python"}, "tags", None),
        ({"tags": {"0": "python"}}, "tags", None),
        ({"tags": ["python", 3, None]}, "tags", ["python", "3"]),
        ({"description": MISSING}, "description_is_snippet", False),
        ({"position": 7}, "title", "7"),
        ({"date": None, "epoch": 1733260504000}, "posted_at",
         datetime(2024, 12, 3, 21, 15, 4, tzinfo=UTC)),
        # Whose amounts they are, the text tells: see understanding/salary.py.
        ({"salary_min": 60, "salary_max": 100}, "salary_is_predicted", True),
        ({"salary_min": None, "salary_max": 0}, "salary_is_predicted", False),
        ({"salary_min": 60, "salary_max": 100}, "salary_period", "HOUR"),
        ({"salary_min": 450, "salary_max": 500}, "salary_period", None),
        ({"salary_min": 15000, "salary_max": 25000, "description": "15 000 - 25 000 PLN netto"},
         "salary_currency", None),
        ({"salary_min": 15000, "salary_max": 25000, "description": "15 000 - 25 000 zł / month"},
         "salary_period", None),
        ({"description": "€60k to €80k", "salary_max": 80000}, "salary_currency", None),
        ({"description": "€60k or $70k", "salary_max": 80000}, "salary_currency", "USD"),
        ({"description": "We serve 5 EU countries", "salary_max": 80000}, "salary_currency",
         "USD"),
        ({"position": " ", "company": ""}, "unusable",
         "Remote OK sent an empty row: neither title nor company"),
        ({"company": None}, "unusable", "Remote OK sent a row without a company"),
        ({"position": "Ten things on your desk", "location": "How, ", "salary_min": 0,
          "salary_max": 0}, "unusable",
         "not a job: the title names no occupation, and pay and country are missing"),
        ({"position": "Ten things", "location": "Berlin, Germany", "salary_max": 0}, "unusable",
         None),
        ({"position": "Go Engineer", "location": "Leeds, ", "salary_min": 0, "salary_max": 0},
         "unusable", None),
    ],
)  # fmt: skip
def test_drifted_postings_are_mapped_as_far_as_they_go(
    overrides: dict[str, object], column: str, expected: object
) -> None:
    assert row("remoteok", remoteok_job(**overrides))[column] == expected
