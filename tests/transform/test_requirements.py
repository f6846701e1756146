from __future__ import annotations

import json
import time
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform.understanding.evidence import Evidence, with_evidence
from pipeline.transform.understanding.requirements import with_requirements

SCHEMA = {"title": pl.String, "description": pl.String}


def read(text: str | None, title: str = "Engineer") -> dict[str, Any]:
    rows = pl.LazyFrame([(title, text)], SCHEMA, orient="row")
    return with_evidence(with_requirements(rows)).collect().row(0, named=True)


def years(text: str | None) -> tuple[int | None, int | None]:
    row = read(text)
    return row["years_experience_min"], row["years_experience_max"]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5+ years of experience in software.", 5, None), ("Experience: 3-5 years", 3, 5),
        ("Experience: 2-7 Yrs", 2, 7), ("- 3 to 5 years of related experience", 3, 5),
        ("at least three years of professional experience", 3, None),
        ("Three (3) years of experience required.", 3, None),
        ("At least 8+ years of experience with 4+ years in DevOps", 8, None),
        ("2 + years of experience in data", 2, None), ("+2 years of experience in PHP", 2, None),
        ("6–10+ years experience in ETL", 6, 10), ("0-3 years of experience", 0, 3),
        ("5 or more years experience", 5, None), ("Proven experience (5+ years) with IAM", 5, None),
        ("What we look for5+ years in software development", 5, None),
        ("- 4+ years in a Software Engineer role", 4, None),
        ("Minimum seven years of enterprise software experience.", 7, None),
        ("Over 5 years of experience building APIs", 5, None),
        ("Our ideal candidate has more than 5 years of experience.", 5, None),
        ("You have over 6 years of experience.", 6, None),
        ("mindestens 3 Jahre Berufserfahrung", 3, None),
        ("Du hast mindestens 2 Jahre relevante Erfahrung gesammelt.", 2, None),
        ("3 ans d'expérience minimum", 3, None), ("une expérience d'au moins 3 ans", 3, None),
        ("2 à 5 ans d’expérience", 2, 5), ("al menos 3 años de experiencia", 3, None),
        ("mínimo de 4 anos de experiência", 4, None),
        ("minimum 2 lata doświadczenia", 2, None), ("almeno 3 anni di esperienza", 3, None),
        ("minimaal 3 jaar ervaring", 3, None), ("minst 3 års erfarenhet", 3, None),
        ("- well written\n- 1+ years of experience", 1, None),
        ("1+ years of sales experience (agency background a plus)", 1, None),
        ("- Certificate preferred\n- 2+ years of experience", 2, None),
        ("up to 3 years of experience", None, 3), ("5 years experience of SQL", 5, None),
        ("You have 0-2 years of experience and 9+ years of curiosity", 0, 2),
        ("Six years of network systems administration.", 6, None),
        ("3+ years shipping firmware", 3, None), ("Initech | 2–4 yrs backend | Oslo", 2, 4),
        ("Initech | Senior (6+ yrs) Tester | Oslo", 6, None),
        ("12+ years securing payment systems", 12, None),
    ],
)  # fmt: skip
def test_experience_that_is_asked_for(text: str, low: int | None, high: int | None) -> None:
    assert years(text) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "With over 25 years of experience, Initech is a leader.", "We have 30 years of history.",
        "Our team has a combined 40 years of experience.", "founded 10 years ago",
        "For more than 12 years, we have built experiences.", "must be 18 years old",
        "You must be at least 18 years of age.", "a contract of 2 years", "a 3 years contract",
        "over the past 5 years we have gained experience", "within the next 2 years",
        "a hardware refresh every 2 years", "for two years running", "25+ years in the market",
        "vests over 4 years with a one year cliff", "4 years of university studies",
        "5 years warranty", "The company has 20 years of experience in payments.",
        "several years of experience", "years of experience", "2019-2024",
        "100 years of experience",
        "5+ years of experience preferred", "Ideally 5+ years of experience",
        "Nice to have\n- 5+ years of experience with Go", "", None,
    ],
)  # fmt: skip
def test_years_of_something_else(text: str | None) -> None:
    assert years(text) == (None, None)


def test_the_total_is_no_less_than_its_parts() -> None:
    text = "Requirements\n- 2+ years of experience with Flutter\n- 5+ years of experience in apps"
    assert years(text) == (5, None)
    assert years("Experience: 4 years\n5+ years of experience with SQL") == (4, None)
    assert years("5 years of experience or 8 years without a degree") == (5, None)
    assert years("Must have\n- 3+ years of experience\nBonus\n- 9+ years of experience") == (
        3,
        None,
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("We sponsor visas.", "yes"), ("Visa sponsorship is available.", "yes"),
        ("Visa sponsorships: yes", "yes"), ("Visa Will sponsor", "yes"),
        ("Visa sponsorship: yes", "yes"), ("We offer relocation & visa support.", "yes"),
        ("We can help you with your work permit.", "yes"), ("- Visa sponsorship", "yes"),
        ("VISA sponsor + relocation support", "yes"),
        ("We provide H-1B sponsorship.", "yes"),
        ("We are unable to sponsor visas at this time.", "no"), ("No visa sponsorship.", "no"),
        ("We do not offer visa sponsorship.", "no"), ("We can’t sponsor visas.", "no"),
        ("Sponsorship is not offered for this role.", "no"),
        ("Must be authorized to work in the U.S. without sponsorship.", "no"),
        ("Working visa is not sponsored.", "no"), ("U.S. citizens only", "no"),
        ("Must be a U.S. citizen.", "no"), ("US citizenship required", "no"),
        ("Candidates must not require sponsorship now or in the future.", "no"),
        ("Unfortunately we cannot provide sponsorship.", "no"),
        ("Will you now or in the future require visa sponsorship?", None),
        ("You have the right to work in the UK.", None), ("We sponsor open source events.", None),
        ("Work with the executive sponsor of the project.", None), ("senior citizens", None),
        ("regardless of citizenship or age", None), ("employer-sponsored health plans", None),
        ("We cannot guarantee visa sponsorship.", None), ("Payments for Visa and Mastercard", None),
        ("Present ideas to potential sponsors.", None),
        ("We provide employment support for citizens.", None),
        ("Experience with Visa payments support teams", None),
        ("US Citizenship Required: No", None),
        ("Visa sponsorship may be available.", None), ("", None), (None, None),
        ("Initech | Oslo | ONSITE | VISA | RELOCATION", "yes"),
        ("Initech | Oslo | ONSITE | NO VISA", "no"),
        ("Visa sponsorship is also a possibility.", "yes"),
        ("We assist candidates in filing for an H1b.", "yes"),
        ("Payments | Visa and others | Acquiring", None),
    ],
)  # fmt: skip
def test_visa_sponsorship(text: str | None, answer: str | None) -> None:
    assert read(text)["visa_sponsorship"] == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Active Secret clearance required.", "yes"), ("Must be SC cleared.", "yes"),
        ("Ability to obtain a TS/SCI clearance", "yes"), ("DV clearance", "yes"),
        ("NV1 clearance is essential", "yes"), ("Baseline clearance", "yes"),
        ("You must hold or be able to obtain a security clearance.", "yes"),
        ("Clearance level must currently possess:\n\nSecret", "yes"),
        ("Requires a Public Trust", "yes"), ("Clearance: Top Secret", "yes"),
        ("Do not apply if you do not currently possess this clearance.", "yes"),
        ("Clearance level to start: None\nMust obtain a Secret clearance.", "yes"),
        ("No security clearance is required.", "no"), ("Security clearance not required", "no"),
        ("Clearance level: None", "no"), ("This role does not require a clearance.", "no"),
        ("A background check is part of hiring.", None), ("customs clearance for freight", None),
        ("An active clearance is a plus.", None), ("Clearance preferred", None),
        ("meet any clearance requirements", None), ("Do you hold a clearance?", None),
        ("clearance sale every Friday", None),
        ("able to obtain FDA clearance for devices", None), ("work with clearance teams", None),
        ("You have a security clearance.", "yes"),
        ("Secret clearance required, polygraph preferred.", "yes"), ("police clearance", None),
        ("", None), (None, None),
    ],
)  # fmt: skip
def test_clearance(text: str | None, answer: str | None) -> None:
    assert read(text)["clearance_required"] == answer


@pytest.mark.parametrize(
    ("title", "visa", "clearance"),
    [("Engineer with Security Clearance", None, "yes"), ("Engineer (TS/SCI required)", None, "yes"),
     ("Developer - US citizens only", "no", None), ("Customs Clearance Agent", None, None),
     ("Visa Payments Engineer", None, None), ("Engineer - no clearance needed", None, "no")],
)  # fmt: skip
def test_titles_say_so_too(title: str, visa: str | None, clearance: str | None) -> None:
    row = read(None, title)
    assert (row["visa_sponsorship"], row["clearance_required"]) == (visa, clearance)


def evidence(row: dict[str, Any]) -> list[Evidence]:
    found: list[Evidence] = json.loads(row["evidence"])
    return found


def test_evidence_quotes_the_sentence() -> None:
    row = read("Hello.\n- 3-5 years of experience with Go.\nWe cannot sponsor visas.")
    assert [(one["field"], one["value"], one["words"]) for one in evidence(row)] == [
        ("years_experience_min", "3", "- 3-5 years of experience with Go."),
        ("years_experience_max", "5", "- 3-5 years of experience with Go."),
        ("visa_sponsorship", "no", "We cannot sponsor visas."),
    ]
    assert all(one["origin"] == "body" and one["decides"] for one in evidence(row))


def test_what_contradicts_is_kept() -> None:
    row = read("We sponsor visas. We cannot sponsor visas for interns.")
    assert row["visa_sponsorship"] == "yes"
    assert [(one["value"], one["decides"]) for one in evidence(row)] == [
        ("yes", True), ("no", False),
    ]  # fmt: skip
    row = read("No clearance is required.", "Engineer with Security Clearance")
    assert row["clearance_required"] == "yes"
    assert [(one["origin"], one["value"], one["decides"]) for one in evidence(row)] == [
        ("title", "yes", True), ("body", "no", False),
    ]  # fmt: skip


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_no_text_raises(text: str) -> None:
    read(f"5+ years of {text} experience, visa {text} clearance {text}", text)


def test_time_grows_with_the_length() -> None:
    def seconds(text: str) -> float:
        start = time.perf_counter()
        read(text, text[:500])
        return time.perf_counter() - start

    for unit in ("5+ years of experience ", "visa ", "clearance not ", "1 ", "5 to ", "or\n"):
        short, long = unit * (5_000 // len(unit)), unit * (100_000 // len(unit))
        read(short)
        fast = min(seconds(short) for _ in range(3))
        assert seconds(long) < 60 * max(fast, 0.002)
