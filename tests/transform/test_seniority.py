from __future__ import annotations

import json
import time

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fields import SENIORITIES
from pipeline.transform.understanding.evidence import Evidence, with_evidence
from pipeline.transform.understanding.seniority import level_in_title, with_seniority

SCHEMA = {"title": pl.String, "description": pl.String, "employment_type": pl.String}


def read(
    title: str | None, description: str | None = None, employment_type: str | None = None
) -> tuple[str | None, list[Evidence]]:
    rows = pl.LazyFrame([(title, description, employment_type)], SCHEMA, orient="row")
    row = with_evidence(with_seniority(rows)).collect().row(0, named=True)
    return row["seniority"], json.loads(row["evidence"])


@pytest.mark.parametrize(
    ("title", "level"),
    [
        ("Senior Backend Engineer", "senior"), ("Sr. SRE", "senior"), ("Snr Developer", "senior"),
        ("Backend Engineer (Senior)", "senior"), ("(Senior) Data Engineer (m/w/d)", "senior"),
        ("Desarrollador Sénior", "senior"), ("Starszy Programista Java", "senior"),
        ("SENIOR DEVOPS (4711)", "senior"), ("Senior Engineer II", "senior"),
        ("Senior Associate, Data Analyst", "senior"), ("Senior Account Manager", "senior"),
        ("Senior Member of Technical Staff", "senior"),
        ("Staff Software Engineer", "staff"), ("Senior Staff Engineer", "staff"),
        ("Software Engineer, Staff", "staff"), ("Staff Developer", "staff"),
        ("Staff Machine Learning Scientist", "staff"), ("Staff SRE - Storage", "staff"),
        ("Staff+ Engineer", "staff"), ("Engineer (Staff)", "staff"),
        ("Principal SRE", "principal"), ("Senior Principal Engineer", "principal"),
        ("Distinguished Engineer", "principal"),
        ("Associate Principal Engineer", "principal"),
        ("Lead Developer", "lead"), ("Tech Lead - Payments", "lead"), ("Teamlead QA", "lead"),
        ("DevOps Team Lead", "lead"), ("Teamleiter Softwareentwicklung", "lead"),
        ("Senior Lead Engineer", "lead"), ("Cloud Practice Leader", "lead"),
        ("Engineering Manager", "manager"), ("Senior Manager, Risk", "manager"),
        ("Product Manager", "manager"), ("Technical Program Manager", "manager"),
        ("Projektmanager IT", "manager"), ("Chef de projet web", "manager"),
        ("Director of Engineering", "director"), ("Head of Data", "director"),
        ("VP, Engineering", "director"), ("VP of Platform", "director"),
        ("Associate Director, Data", "director"), ("Directeur technique", "director"),
        ("Head of Engineering (VP / Director)", "director"),
        ("Chief Technology Officer", "director"),
        ("Junior Developer", "junior"), ("Jr. Analyst", "junior"), ("Júnior de Backend", "junior"),
        ("Entry-Level Engineer", "junior"), ("Graduate Software Engineer", "junior"),
        ("Engineer - New Grad 2027", "junior"),
        ("Software Engineer, University Graduate", "junior"),
        ("Associate Software Engineer", "junior"),
        ("Software Engineer - Associate", "junior"), ("Assistant Data Analyst", "junior"),
        ("Trainee Programme - Full Stack", "junior"), ("Młodszy Tester", "junior"),
        ("Entwickler (Berufseinsteiger)", "junior"), ("Développeur débutant", "junior"),
        ("Junior IT Project Manager", "junior"), ("Early Careers: Developer", "junior"),
        ("Software Engineer II", "mid"), ("Data Analyst II, Growth", "mid"), ("Engineer 2", "mid"),
        ("Mid-level Engineer", "mid"), ("Intermediate Developer", "mid"),
        ("Middle Java Developer", "mid"), ("Développeur confirmé", "mid"),
        ("Desenvolvedor Pleno", "mid"), ("Semi Senior Developer", "mid"), ("Medior Tester", "mid"),
        ("Regular Java Developer", "mid"),
        ("Software Engineer Intern", "intern"), ("Internship: Data", "intern"),
        ("Werkstudent Backend (m/w/d)", "intern"), ("Alternance - Développeur", "intern"),
        ("Stage ingénieur cloud", "intern"), ("Stagiaire DevOps", "intern"),
        ("Praktikant Softwareentwicklung", "intern"), ("Becario de datos", "intern"),
        ("Estágio em TI", "intern"), ("Co-op, Firmware", "intern"), ("Stażysta Python", "intern"),
        ("Junior Analyst Internship", "intern"), ("Apprentice Software Developer", "intern"),
        ("Software Engineer I", "junior"), ("Developer 1 - Payments", "junior"),
        ("Senior Engineer I", "senior"), ("Junior Developer or Tester", "junior"),
    ],
)  # fmt: skip
def test_a_title_names_a_level(title: str, level: str) -> None:
    assert read(title)[0] == level


@pytest.mark.parametrize(
    "title",
    [
        "Software Engineer", "Software Engineer III", "Platform Engineering",
        "Member of Technical Staff", "Chief of Staff", "Staff Augmentation Recruiter",
        "Staff Nurse", "Support Staff", "Lead Generation Specialist",
        "Leads Management Specialist", "Java Developer (Regular/Senior)", "Leadership Coach",
        "Developer, Senior Living", "Teacher at a Junior High School", "Scrum Master",
        "Account Manager", "Customer Success Manager", "Partner Development Manager",
        "Java Developer, Vice President", "ETL Developer, Assistant Vice President",
        "VP Software Engineer", "Product Designer, Head of Growth", "Art Director",
        "Developer, Internal Tools", "International Sales Engineer", "Auditeur interne",
        "Mid-Market Account Executive", "Middle Office Analyst", "Engineer, Midwest",
        "Early-stage Founder Associate", "Stage Technician", "Principal Investigator",
        "Sales Associate", "Research Associate", "Graduate School Administrator",
        "Mid/Senior Developer", "Junior/Senior Engineer", "Mid/Senior/Tech Lead Developer",
        "World War II Historian", "SOC 2 Compliance Analyst", "Co-op Bank Cashier", "",
        "Junior Developer / Developer", "Developer 1-2 years", "Engineer 1st level",
        "Technician I",
    ],
)  # fmt: skip
def test_a_title_names_no_level(title: str) -> None:
    assert read(title)[0] is None


@pytest.mark.parametrize(
    ("title", "level"),
    [("Staff/Senior Security Engineer", "senior"), ("Senior or Staff Engineer", "senior"),
     ("Lead / Principal Engineer", "principal")],
)  # fmt: skip
def test_of_alternatives_that_are_all_senior_the_lowest_counts(title: str, level: str) -> None:
    assert read(title)[0] == level


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("Seniority: Senior", "senior"),
        ("Seniority level\nEntry level\n", "junior"), ("Seniority level\nMid-Senior level", None),
        ("Experience level: Intermediate\nPay: 1", "mid"),
        ("Career level - Entry level", "junior"), ("Level: Mid-Senior level", None),
        ("We are looking for a Senior Software Engineer to join us.", "senior"),
        ("We're hiring a senior DevOps / SRE to own production.", "senior"),
        ("Initech is seeking a motivated and curious junior developer.", "junior"),
        ("This is a mid-level position in our team.", "mid"),
        ("As a Staff Engineer, you will set the direction.", "staff"),
        ("As an Engineering Intern you will learn.", "intern"),
        ("The Senior Engineer develops and maintains services.", "senior"),
        ("En tant qu'ingénieur DevOps confirmé, vous serez responsable.", "mid"),
        ("Wir suchen einen Senior Entwickler.", "senior"),
        ("Buscamos un Senior Developer para Madrid.", "senior"),
        ("You will work with senior engineers and report to a Senior Manager.", None),
        ("You will mentor junior engineers.", None), ("As a senior leader once said, ship.", None),
        ("Looking for people who can support senior engineers.", None),
        ("8+ years of experience as a senior engineer.", None),
        ("Open from entry level to director.", None), ("a high level of quality", None),
        ("We are looking for a mid or senior engineer.", None),
        ("We are looking for a mid-to-senior level engineer.", None),
        ("We are seeking a (Senior) Analyst.", None),
        ("We are hiring a senior engineer. We are hiring a junior engineer.", None),
        ("as assigned\n- Lead architecture work", None), ("10 years of experience required", None),
        ("", None), (None, None),
        ("We are seeking a Software Engineer II for tools.", "mid"),
        ("We are seeking a World War II historian.", None),
        ("We are hiring at senior level.", "senior"),
        ("We are hiring mid-level, senior-level and staff-level engineers.", None),
    ],
)  # fmt: skip
def test_a_description_says_whom_it_hires(text: str | None, level: str | None) -> None:
    assert read("Engineer", text)[0] == level


def test_the_title_beats_the_description_and_both_are_kept() -> None:
    level, evidence = read("Junior Engineer", "We are looking for a senior engineer.")
    assert level == "junior"
    assert [(one["value"], one["origin"], one["words"], one["decides"]) for one in evidence] == [
        ("junior", "title", "Junior", True),
        ("senior", "body", "looking for a senior engineer.", False),
    ]


def test_what_agrees_decides_too() -> None:
    _, evidence = read("Senior Engineer", "We are looking for a senior engineer.")
    assert [one["decides"] for one in evidence] == [True, True]


def test_an_internship_is_of_its_level_unless_the_title_says_otherwise() -> None:
    level, evidence = read("Graduate Analyst", None, "INTERN")
    assert level == "intern"
    assert [(one["value"], one["decides"]) for one in evidence] == [
        ("junior", False), ("intern", True),
    ]  # fmt: skip
    assert read("Analyst", None, "INTERN")[0] == "intern"
    assert read("Senior Analyst", None, "INTERN")[0] == "senior"


def test_words_stand_as_in_the_title() -> None:
    named = level_in_title("Développeur CONFIRMÉ")
    assert named is not None
    assert named.words == "CONFIRMÉ"


@given(st.text(max_size=300), st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_text_raises(title: str, text: str) -> None:
    level, _ = read(title, f"looking for a {text} senior engineer. Level: {text}")
    assert level is None or level in SENIORITIES


def test_time_grows_with_the_length() -> None:
    def seconds(text: str) -> float:
        start = time.perf_counter()
        read(text, text)
        return time.perf_counter() - start

    for unit in ("looking for a senior ", "as a ", "level: ", "the senior engineer ", "a-"):
        short, long = unit * (5_000 // len(unit)), unit * (100_000 // len(unit))
        read(short, short)
        fast = min(seconds(short) for _ in range(3))
        assert seconds(long) < 60 * max(fast, 0.002)
