from __future__ import annotations

import json
import time
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fields import EMPLOYMENT_TYPES
from pipeline.transform.understanding.employment import employment_type, with_employment_type
from pipeline.transform.understanding.evidence import with_evidence

SCHEMA = {"title": pl.String, "description": pl.String, "employment_type": pl.String}


def read(
    field: str | None = None, text: str | None = None, title: str | None = "Engineer"
) -> dict[str, Any]:
    rows = pl.LazyFrame([(title, text, field)], SCHEMA, orient="row")
    return with_evidence(with_employment_type(rows)).collect().row(0, named=True)


@pytest.mark.parametrize(
    ("words", "kind"),
    [("FULLTIME", "FULLTIME"), ("Full-time", "FULLTIME"), ("Full–time", "FULLTIME"),
     ("full_time", "FULLTIME"), ("permanent", "FULLTIME"), ("full_time permanent", "FULLTIME"),
     ("Full-time and Part-time", "FULLTIME"), ("Part–time and Full–time", "PARTTIME"),
     ("full_time contract", "CONTRACT"), ("Contractor", "CONTRACT"), ("CONTRACTOR", "CONTRACT"),
     ("Internship", "INTERN"), ("INTERN", "INTERN"), ("Full-time internship", "INTERN"),
     ("Temp work", "TEMPORARY"), ("Per diem", "TEMPORARY"), ("Volunteer", "VOLUNTEER"),
     ("Vollzeit", "FULLTIME"), ("Temps partiel", "PARTTIME"), ("Werkstudent", "INTERN"),
     ("Permanent contract", "FULLTIME"), ("Permanent employment contract, full-time", "FULLTIME"),
     ("Contrat à durée indéterminée", "FULLTIME"), ("CDI", "FULLTIME"), ("CDD", "TEMPORARY"),
     ("Contrat à durée déterminée", "TEMPORARY"), ("B2B", "CONTRACT"), ("B2B / UoP", "CONTRACT"),
     ("À plein temps", "FULLTIME"), ("Tempo pieno", "FULLTIME"), ("Heltid", "FULLTIME"),
     ("Teilzeit/Vollzeit", "PARTTIME"), ("permanent part_time", "PARTTIME"),
     ("permanent, part-time", "PARTTIME"), ("Not full-time", "OTHER"),
     ("Fixed-term contract", "TEMPORARY"), ("Festanstellung", "FULLTIME"),
     ("unbefristet", "FULLTIME"), ("befristet", "TEMPORARY"), ("Umowa o pracę", "FULLTIME"),
     ("Umowa zlecenie", "CONTRACT"), ("W2 / C2H / Corp-to-Corp", "CONTRACT"),
     ("Intérim", "TEMPORARY"), ("Zeitarbeit", "TEMPORARY"), ("Ausbildung", "INTERN"),
     ("Jornada completa", "FULLTIME"), ("Tiempo parcial", "PARTTIME"), ("Stage", "INTERN"),
     ("Estágio", "INTERN"), ("Employment contract", "FULLTIME"), ("Autónomo", "CONTRACT"),
     ("Gig", "OTHER"), ("international", "OTHER"), ("N/A", None), ("", None), (" – ", None),
     ("professional / experienced", None), ("Remote", None)],
)  # fmt: skip
def test_the_field_of_a_source(words: str, kind: str | None) -> None:
    assert employment_type(words) == kind
    assert read(words)["employment_type"] == kind


@pytest.mark.parametrize(
    ("words", "kinds"),
    [("Full-time and Part-time", ["FULLTIME", "PARTTIME"]),
     ("FULLTIME,PARTTIME", ["FULLTIME", "PARTTIME"]),
     ("Full-time internship", ["INTERN", "FULLTIME"]), ("B2B / UoP", ["CONTRACT", "FULLTIME"]),
     ("Voll- oder Teilzeit", ["FULLTIME", "PARTTIME"]), ("Permanent, part-time", ["PARTTIME"]),
     ("Full-time, permanent", ["FULLTIME"]), ("n/a", []), (None, [])],
)  # fmt: skip
def test_every_kind_that_is_offered(words: str | None, kinds: list[str]) -> None:
    assert read(words)["employment_types"] == kinds


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Engineer (Contract)", "CONTRACT"), ("Data Analyst - 6 Month Contract", "CONTRACT"),
        ("Freelance Writer", "CONTRACT"), ("Senior Engineer (Full-Time Contractor)", "CONTRACT"),
        ("Developer - Permanent Opportunity", "FULLTIME"), ("Developer, Part-time", "PARTTIME"),
        ("Software Internship (fixed term contract)", "INTERN"), ("Werkstudent IT", "INTERN"),
        ("Alternance - Développeur", "INTERN"), ("Stage ingénieur", "INTERN"),
        ("Développeur CDI", "FULLTIME"), ("Java Developer (Corp to Corp)", "CONTRACT"),
        ("Co-op, Firmware", "INTERN"), ("Developer FTC", "TEMPORARY"),
        ("Contract Manager", None), ("Contracts Administrator", None),
        ("Smart Contract Engineer", None),
        ("B2B Sales Engineer", None), ("IT Consultant", None),
        ("Permanent Way Engineer", None),
        ("Stage Technician", None), ("Early-stage Engineer", None),
        ("Internal Tools Engineer", None),
        ("Employee Experience Lead", None), ("Internship Program Manager", None),
        ("Trainee Developer", None), ("Regular Java Developer", None), ("", None), (None, None),
        ("Planner (Direct Hire)", None),
    ],
)  # fmt: skip
def test_titles_state_terms(title: str | None, kind: str | None) -> None:
    assert read(title=title)["employment_type"] == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Employment type: Full-time", "FULLTIME"), ("Contract type:\nPermanent", "FULLTIME"),
        ("Job type: Part-time", "PARTTIME"), ("Classification: Full time exempt", "FULLTIME"),
        ("Pay: 1TType: 3-month rolling contractPlace: X", "CONTRACT"),
        ("Duration: 6 months (extension is likely)", "CONTRACT"), ("IR35: Inside", "CONTRACT"),
        ("Contract: Until 31/03/27", "CONTRACT"), ("Vertragsart: unbefristet", "FULLTIME"),
        ("Type de contrat : CDD", "TEMPORARY"), ("Rodzaj umowy: umowa o pracę", "FULLTIME"),
        ("This is a full-time position.", "FULLTIME"),
        ("This is a temporary assignment.", "TEMPORARY"),
        ("This permanent full-time role is yours.", "FULLTIME"),
        ("This is a contract position based in Lisbon.", "CONTRACT"),
        ("We are seeking an analyst on a permanent, full-time basis.", "FULLTIME"),
        ("Initech is seeking a full time administrator.", "FULLTIME"),
        ("This is a 6 month contract.", "CONTRACT"), ("3-year fixed-term contract", "TEMPORARY"),
        ("Rate: 400 a day, outside IR35.", "CONTRACT"), ("- Full-time", "FULLTIME"),
        ("You join their support team on a permanent basis.", "FULLTIME"),
        ("Freelance role, which may become a full time position", "CONTRACT"),
        ("Job No: 4711 Work Type: Full Time", "FULLTIME"), ("Probation duration: 6 months", None),
        ("Initech | Engineer | Remote | Full-time | Berlin", "FULLTIME"),
        ("Permanent / Full time / 45k / Leeds", "FULLTIME"), ("CDI à temps plein", "FULLTIME"),
        ("Nous recrutons un développeur en CDI.", "FULLTIME"), ("Stelle in Vollzeit", "FULLTIME"),
        ("Arbeiten in Teilzeit", "PARTTIME"), ("Contrato indefinido, jornada completa", "FULLTIME"),
        ("B2B collaboration model", "CONTRACT"), ("This is a remote internship.", "INTERN"),
        ("full-time employees get a pension", None), ("contract negotiation with vendors", None),
        ("smart contracts and data contracts", None), ("5 full-time equivalents", None),
        ("Benefits for all full-time staff", None), ("a B2B company that sells data", None),
        ("Currently enrolled in a full-time program", None), ("We won a 5 year contract.", None),
        ("It may convert to a full-time position.", None), ("not permanent employment", None),
        ("2+ years of full-time work experience", None), ("permanent residence in Spain", None),
        ("Employment contract", None), ("early stage startup", None),
        ("our internship program", None),
        ("Possibilité de prolonger en CDI", None), ("duration of interviews: short", None),
        ("open to full-time, part-time or job share arrangements of any kind you like", None),
        ("", None), (None, None),
        ("Pay 100 a day Job type Full-time Where Oslo", "FULLTIME"),
        ("Position type part-time", "PARTTIME"),
    ],
)  # fmt: skip
def test_descriptions_state_terms(text: str | None, kind: str | None) -> None:
    assert read(text=text)["employment_type"] == kind


@pytest.mark.parametrize(
    ("field", "text", "kind", "kinds"),
    [
        ("Full-time", "Type: 6 month contract, outside IR35", "CONTRACT", ["CONTRACT"]),
        ("Contract", "Employment type: Permanent", "FULLTIME", ["FULLTIME"]),
        ("Contract", "This is a full-time position.", "CONTRACT", ["CONTRACT", "FULLTIME"]),
        ("Part-time", "Job type: Permanent", "PARTTIME", ["PARTTIME"]),
        ("Internship", "This is a full-time position.", "INTERN", ["INTERN", "FULLTIME"]),
        ("Full-time", "This is a full-time position.", "FULLTIME", ["FULLTIME"]),
        ("Part-time", "This is a freelance assignment.", "CONTRACT", ["CONTRACT", "PARTTIME"]),
        ("N/A", "This is a full-time position.", "FULLTIME", ["FULLTIME"]),
    ],
)  # fmt: skip
def test_the_text_beats_the_field(field: str, text: str, kind: str, kinds: list[str]) -> None:
    row = read(field, text)
    assert (row["employment_type"], row["employment_types"]) == (kind, kinds)


def test_evidence_keeps_what_contradicts() -> None:
    row = read("Full-time", "This is a 6 month contract.")
    found = [
        (one["value"], one["origin"], one["words"], one["decides"])
        for one in json.loads(row["evidence"])
    ]
    assert found == [
        ("CONTRACT", "body", "This is a 6 month contract.", True),
        ("FULLTIME", "field", "Full-time", False),
    ]


def test_rows_do_not_depend_on_one_another() -> None:
    rows = [
        ("Engineer", "This is a contract position.", "Full-time"), ("Engineer", None, "Full-time"),
        ("Intern", None, "Full-time"), ("Engineer", "-", None), (None, None, None),
    ]  # fmt: skip
    frame = pl.LazyFrame(rows, SCHEMA, orient="row")
    together = with_employment_type(frame).collect()
    assert together["employment_type"].to_list() == [
        "CONTRACT", "FULLTIME", "INTERN", None, None,
    ]  # fmt: skip
    for place in range(len(rows)):
        alone = with_employment_type(frame.slice(place, 1)).collect()
        assert alone.equals(together.slice(place, 1))
    assert with_employment_type(frame.head(0)).collect().is_empty()


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_text_raises(field: str, title: str, text: str) -> None:
    row = read(field, f"Contract: {text} full-time {text}", title)
    assert row["employment_type"] is None or row["employment_type"] in EMPLOYMENT_TYPES


def test_time_grows_with_the_length() -> None:
    def seconds(text: str) -> float:
        start = time.perf_counter()
        read(text, text, text[:500])
        return time.perf_counter() - start

    for unit in ("full-time ", "contract: ", "type: ", "| full-time ", "6 month ", "a permanent\n"):
        short, long = unit * (5_000 // len(unit)), unit * (100_000 // len(unit))
        read(text=short)
        fast = min(seconds(short) for _ in range(3))
        assert seconds(long) < 60 * max(fast, 0.002)
