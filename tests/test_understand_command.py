"""`job-market understand`: postings in a file, without a database or a network."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.understand import understood
from pipeline.declaration import Stage
from pipeline.fields import of_postings
from pipeline.installation.settings import ConfigurationError
from pipeline.transform.understanding.rates import Rates

PROJECT = Path(__file__).parents[1]
POSTING = {
    "id": "a-1",
    "title": "Senior Site Reliability Engineer",
    "company": "Initech",
    "location_text": "Remote, Germany",
    "description": "<p>We run Kubernetes on AWS. Salary: €70.000 – €85.000 a year.</p>"
    "<p>Please apply by 31 March 2027. This is a full-time position.</p>",
    "employment_type": "",
    "salary_min": None,
    "tags": ["terraform"],
    "posted_at": "2027-01-15",
}


def rows(*postings: dict[str, Any]) -> list[dict[str, Any]]:
    return list(understood(json.dumps(posting).encode() for posting in postings))


def test_every_derived_field_is_printed_with_its_evidence() -> None:
    (row,) = rows(POSTING)
    assert set(row) == {"id", *(field.name for field in of_postings(Stage.UNDERSTOOD))}
    expected = {
        "id": "a-1", "category": "sre", "seniority": "senior", "workplace": "remote",
        "remote_eligibility": ["DE"], "country": "DE", "employment_type": "FULLTIME",
        "salary_min": 70_000.0, "salary_max": 85_000.0, "salary_currency": "EUR",
        "salary_period": "YEAR", "salary_kind": "stated",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert str(row["deadline"]) == "2027-03-31"
    assert {"Kubernetes", "AWS", "Terraform"} <= set(row["skills"])
    found = {finding["field"] for finding in row["evidence"] if finding["decides"]}
    assert {"category", "seniority", "workplace", "country", "skills", "deadline"} <= found
    for finding in row["evidence"]:
        if finding["origin"] == "title":
            assert finding["words"].lower() in POSTING["title"].lower()  # type: ignore[attr-defined]


def test_anything_may_be_missing_and_each_line_has_its_row() -> None:
    given = [{"id": 1, "title": "Baker"}, {"id": 2}, {"title": "Go Developer"}, {"id": None}]
    found = rows(*given)
    assert [row["id"] for row in found] == [1, 2, None, None]
    assert found[0]["category"] is None
    assert found[0]["category_reason"]
    assert found[1] == {"id": 2, "rejected": "title is empty"}
    assert found[2]["category"] == "backend"


@pytest.mark.parametrize("line", ["{", "[1]", "3", '"text"'])
def test_a_line_that_is_no_object_is_named(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^Line 3 is no JSON"):
        list(understood([b'{"title": "x"}', b"", line.encode()]))


FLOATS = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
JSON = st.recursive(
    st.none() | st.booleans() | FLOATS | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None)
@given(values=st.fixed_dictionaries(dict.fromkeys([*POSTING, "closes_at"], JSON)))
def test_no_value_makes_it_fail(values: dict[str, Any]) -> None:
    (row,) = understood([json.dumps(values).encode()])
    assert "rejected" in row or "category" in row


@pytest.mark.parametrize(
    "closes_at",
    ["2027-03-28", "2027-03-28T23:59:59-04:00", "2027-03-28T00:30:00+09:00",
     "2027-03-28T23:59:59Z", "2027-03-28 23:59:59"],
)  # fmt: skip
def test_a_closing_date_is_the_day_as_it_is_written(closes_at: str) -> None:
    (row,) = rows({"id": 1, "title": "Go Developer", "closes_at": closes_at})
    assert row["deadline"] == date(2027, 3, 28)


def test_pay_is_converted_at_the_rates_that_are_given() -> None:
    posting = {"id": 1, "title": "Go Developer", "salary_text": "€70.000 – €85.000 a year"}
    table = Rates(date(2027, 1, 2), {"USD": 2.0})
    (row,) = understood([json.dumps(posting).encode()], table)
    assert (row["salary_usd_yearly_min"], row["salary_eur_yearly_max"]) == (140_000, 85_000)


def test_the_command_needs_no_database(tmp_path: Path) -> None:
    file = tmp_path / "postings.ndjson"
    file.write_text(json.dumps(POSTING) + "\n\n" + json.dumps({"id": 2, "title": "SRE"}) + "\n")
    environment = {"PATH": "", "PYTHONPATH": str(PROJECT)}
    command = [sys.executable, "-m", "pipeline", "understand"]
    ran = subprocess.run(
        [*command, str(file)], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line)["id"] for line in ran.stdout.splitlines()] == ["a-1", 2]
    assert list(tmp_path.iterdir()) == [file]
    broken = subprocess.run(
        [*command, "-"], input=b"{", cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert broken.returncode == 2
    assert b"Line 1 is no JSON" in broken.stderr
    assert b"Traceback" not in broken.stderr
