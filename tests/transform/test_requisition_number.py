"""Which numbers in titles are requisition numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.deduplication.requisition_number import comparable_number, read_numbers


@pytest.mark.parametrize(
    ("title", "number"),
    [
        ("Cloud Engineer (Req #1311)", "1311"),
        ("Backend Engineer - Job ID 20481", "20481"),
        ("Platform Engineer (R0012345)", "12345"),
        ("R0012345: Platform Engineer", "12345"),
        ("DevOps Engineer JR25919", "25919"),
        ("DevOps Engineer REQ-2024-001", "2024001"),
        ("Cloud Engineer #4471", "4471"),
        ("SRE, Ref: ABC-123", "ABC123"),
        ("Requisition 123 - SRE", "123"),
        ("SRE (ID: 99)", "99"),
        ("SRE - 20481", "20481"),
        ("20481 - SRE", "20481"),
        ("SRE [4471]", "4471"),
        ("Entwickler (m/w/d) Kennziffer 123/24", "12324"),
        ("Referenznummer: IT-2024-17 Entwickler", "IT202417"),
        ("Développeur Backend (réf : 2025-118)", "2025118"),
        ("Ingeniero de plataforma Ref. 8834", "8834"),
        ("Programmer Analyst - ABC23104", "ABC23104"),
        ("Vacature 4455: DevOps", "4455"),
        ("Développeur (Réf. 12345)", "12345"),
        ("Sviluppatore Rif. 4455", "4455"),
        ("Programista (nr ref. ABC/2024/11)", "ABC202411"),
        ("Desenvolvedor - Cód. 4455", "4455"),
        ("バックエンドエンジニア（求人番号：4455）", "4455"),
        ("백엔드 개발자 (채용번호: 4455)", "4455"),
        ("SRE (Announcement 24-118)", "24118"),
        ("SRE_R0012345", "12345"),
        ("SRE / JR_25919", "25919"),
        ("SRE | R-2024-0081", "20240081"),
        ("20481 Cloud Engineer", "20481"),
        ("Cloud Engineer - 20481BR", "20481"),
    ],
)
def test_a_requisition_number_is_read_and_taken_out(title: str, number: str) -> None:
    without, numbers = read_numbers(title)
    assert numbers == (number,)
    assert not any(digit in without for digit in "0123456789")


@pytest.mark.parametrize(
    "title",
    [
        "Intern, Summer 2026", "Graduate Programme (2026)", "SRE - 2026", "SRE 24/7 Operations",
        "C++17 Developer", "C# 12 Developer", "Engineer Level 3", "Web 3 Engineer",
        "Dynamics 365 Developer", "SRE $120,000 - $150,000", "SRE - 100000", "SRE (80-100%)",
        "SRE 100%", "SRE (m/f/d)", "ISO27001 Engineer", "Engineer (ISO-27001)", "AS400 Developer",
        "Cloud Engineer - S3, EC2, K8s", "SRE, Austin TX 78701", "Refactoring Engineer 10",
        "Top 100 Employer: SRE", "Fortune 500 SRE", "SRE €65,000", "SRE - up to 85500",
        "SRE 65k-80k",
        "Safety Engineer - IEC 61508", "RHEL 8 Engineer", ".NET 8 Developer", "SQL Server 2019",
        "SRE (12 month contract)", "GS-13 Engineer", "AZ-104 Engineer", "SRE W2/1099", "SRE (HL7)",
        "SRE 2026-01-15", "SRE (01/2026)", "Engineer #1", "Reference Data Engineer", "R 4 Analyst",
    ],
)  # fmt: skip
def test_other_numbers_are_none(title: str) -> None:
    assert read_numbers(title) == (title, ())


def test_one_number_has_one_writing() -> None:
    writings = ["R0012345", "r-12345", "JR-12345", "REQ 12345", "12345", "0012345", "12345BR"]
    assert {comparable_number(number) for number in writings} == {"12345"}


@given(st.text(max_size=60) | st.from_regex(r"(Req|Job ID|#|- |\()[ #:A-Z0-9/-]{0,20}\)?"))
def test_no_title_raises_and_what_is_left_states_no_other_number(title: str) -> None:
    without, numbers = read_numbers(title)
    assert all(numbers)
    if not numbers:
        assert without == title
