"""Which role a posting has, for which reason, and on what evidence."""

from __future__ import annotations

import csv
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fields import CATEGORIES
from pipeline.transform.cleaning import text
from pipeline.transform.understanding.evidence import EVIDENCE
from pipeline.transform.understanding.role import with_category
from pipeline.transform.understanding.role_vocabulary import ASKED, ROLES
from pipeline.transform.understanding.skills import skills_in

REPOSITORY = Path(__file__).parents[2]
PAYLOADS = REPOSITORY.parent / "shared" / "payloads"
FIVE = ("backend", "devops", "sre", "cloud", "platform")
READ = {"title": pl.String, "description": pl.String, "skills": pl.List(pl.String)}


def classified(*adverts: tuple[str, str | None, list[str]]) -> pl.DataFrame:
    frame = pl.DataFrame(list(adverts), READ, orient="row")
    return with_category(frame.lazy()).collect()


def role(title: str, description: str | None = None, skills: list[str] | None = None) -> Any:
    return classified((title, description, skills or []))["category"].item()


def reason(title: str, description: str | None = None, skills: list[str] | None = None) -> str:
    found: str = classified((title, description, skills or []))["category_reason"].item()
    return found


def evidence(
    title: str, description: str | None = None, skills: list[str] | None = None
) -> list[dict[str, Any]]:
    found = classified((title, description, skills or []))["_evidence_role"].to_list()[0]
    return found or []


TITLES = {
    "backend": """
        Senior Backend-Entwickler (m/w/d) Java – Team Checkout; Softwareentwickler:in Java
        Développeur back-end Node.js (H/F); Desarrollador/a Backend PHP; Desenvolvedor Back-end
        Programista Java / Spring; Backend-ontwikkelaar .NET; Sviluppatore Backend Python
        Sales platform: Backend Engineer; Backend Engineer, Partner Integrations (Marketing)
        Software Engineer; Ingénieur logiciel; Ingeniero de software; Inżynier oprogramowania
        (Senior) Golang Developer | Remote EU; Software Engineer (Python, Kubernetes, AWS)
        Backend Engineer - Oil & Gas; Senior Java Developer (Rail); Game Server Developer; SDE II
        Software Engineer - Payments Platform; Software Engineer with Security Clearance
        Software Engineer, Linux; JavaScript Developer; Senior Principal Engineer; Staff Engineer
        IT Specialist (SYSAPP) Software Engineer""",
    "devops": """
        DevOps-Ingenieur (m/w/d); Consultant DevOps H/F; DevOps Architect - Azure
        Senior Build Engineer - games; Release Engineer, Mobile Platform; Engenheiro DevOps Pleno
        DevOps / Cloud Engineer; Salesforce DevOps Engineer; Linux-Systemadministrator (m/w/d)
        Administrateur systèmes Linux; DevSecOps Engineer; DevOps/SRE Lead; Terraform Engineer""",
    "sre": """
        Site Reliability Engineer (SRE) - Kubernetes; Ingénieur SRE; SRE/DevOps Engineer
        Database Reliability Engineer; Principal Engineer, Site Reliability
        SREs, Cloud Security Engineers and Backend Engineers; Production Engineer""",
    "cloud": """
        Cloud-Architekt (m/w/d); Ingénieur Cloud AWS H/F; Arquitecto Cloud; Azure Cloud Engineer
        Solutions Architect, AWS; Cloud Consultant; Cloud Administrator; Cloud Network Engineer""",
    "platform": """
        Platform Engineer; Senior Platform Engineer (Kubernetes); Infrastructure Engineer
        Software Engineer, Developer Platform; Software Engineer - Platform; Ingénieur plateforme
        Kubernetes Platform Engineer; Plattform-Ingenieur (m/w/d); Developer Experience Engineer""",
    "frontend": """
        Frontend Engineer - Platform; Angular-Entwickler (m/w/d); Développeur Front-End React
        React Developer; Software Engineer, Frontend; UI Engineer""",
    "fullstack": """
        Full Stack React Engineer; Full-Stack-Entwickler; Développeur Fullstack PHP; Full Stack
        Frontend/Backend Engineer; Product Engineer; Senior Product Engineer, Bakeries""",
    "mobile": """
        iOS Engineer, Cloud Sync; Android-Entwickler; Software Engineer, Cross-Platform Mobile
        RN Developer""",
    "data_engineering": """
        Data Engineer (AWS); Dateningenieur; Ingeniero de Datos; Engenheiro de Dados
        Power BI Developer (PowerShell & DevOps); Data Platform Engineer; Snowflake Developer
        ETL Developer; Big Data Architect""",
    "data_science": """
        Data Scientist - Platform; Datenanalyst (m/w/d); Analista de Datos; HR Data Analyst
        BI Analyst; Analyste de données""",
    "ml_ai": """
        Machine Learning Engineer; MLOps Engineer; AI Engineer (LLM); ML Platform Engineer
        Research Engineer (Speech AI/ML)""",
    "security": """
        Cloud Security Engineer; Application Security Engineer; IT-Security Analyst
        Ingénieur cybersécurité; Penetration Tester; Software Engineer, Security""",
    "qa": """
        QA Automation Engineer - AWS; Softwaretester (m/w/d); SDET; Backend Test Engineer
        Software Engineer in Test""",
    "embedded": """
        Embedded Platform Engineer - Automotive; Firmware Engineer, Platform; Linux Kernel Developer
        Développeur logiciel embarqué""",
    "management": """
        Engineering Manager, Backend; Head of Platform; VP of Engineering; DevOps Manager
        Technical Product Manager; Chef de projet informatique; IT-Projektleiter (m/w/d)
        Cloud Program Manager; Scrum Master; Enterprise Applications Manager""",
    "support_it": """
        IT Support Specialist; Technical Support Engineer, Kubernetes; Help Desk Analyst
        Systemadministrator (m/w/d); Fachinformatiker Systemintegration""",
    "other_tech": """
        Network Engineer; Salesforce Platform Developer; SAP Consultant; Database Administrator
        Software Architect; Game Developer - Unity C#; Smart Contract Engineer
        Informatiker (m/w/d); Splunk Engineer; Integrations Engineer; Developer Relations Engineer
        Engineer - Language and Runtime; Senior Systems Engineer""",
    "none": """
        Sales Engineer; Solutions Engineer; Cloud Account Executive; DevOps Recruiter
        Technical Recruiter - Backend & DevOps; Business Development Manager, Cloud
        Mechanical Engineer; Civil Engineer - Infrastructure; Oil Platform Production Engineer
        Rail Infrastructure Engineer; Ingénieur commercial logiciel; Bauingenieur (m/w/d)
        Marketing Manager - Developer Platform; Product Designer; HGV Driver; Nurse; Accountant
        Customer Success Manager, Platform; Developer Advocate, Cloud; DevOps Trainer
        Maintenance Technician; Java Barista; Server (Restaurant); Cloud Kitchen Manager
        Platform Lift Engineer; Data Entry Clerk; Security Guard; Mobile Crane Operator
        Software Engineer Recruiter; Quality Engineer - Manufacturing; Post Production Manager
        SEEKING WORK | Backend Engineer | Remote; AI Chat Evaluator; Staff Engineer - Bridges
        AI Prompt and Language Specialist; AI Model Assessment Specialist
        Production Engineer, Moulds; Mechanical Product Engineer; Staff Nurse""",
}
LISTED = [
    (category, title.strip())
    for category, titles in TITLES.items()
    for line in titles.strip().splitlines()
    for title in line.split(";")
]


@pytest.mark.parametrize(("category", "title"), LISTED)
def test_a_title_alone_tells_the_role(category: str, title: str) -> None:
    assert role(title) == (None if category == "none" else category)


BODIES = [
    ("Software Engineer", "backend", "You build REST APIs and microservices in Kotlin."),
    (
        "Software Engineer",
        "frontend",
        "You own our design system: user interfaces in React, a component library, responsive and "
        "pixel-perfect pages. You are a front-end developer at heart.",
    ),
    (
        "Software Engineer",
        "fullstack",
        "A full-stack role across the entire stack: React in the browser, REST APIs behind it.",
    ),
    (
        "Software Engineer",
        "platform",
        "Join the platform team: our internal developer platform, self-service on Kubernetes "
        "clusters, golden paths and developer productivity for all engineers.",
    ),
    ("Software Engineer", "mobile", "As an Android developer you ship mobile apps: Android, iOS."),
    ("Software Engineer", "backend", "A fast company with free lunch in the cloud. " * 30),
    (
        "Staff Engineer",
        "devops",
        "We are looking for a Senior DevOps Engineer. CI/CD pipelines with Jenkins, "
        "infrastructure as code with Terraform.",
    ),
    ("Engineer", None, "You plan bridges and roads, with much travel. " * 30),
    (
        "Infrastructure Engineer",
        "other_tech",
        "Enterprise network infrastructure: BGP, OSPF, SD-WAN, routing and switching, Cisco "
        "switches, network automation.",
    ),
    ("Infrastructure Engineer", "platform", "Kubernetes clusters and internal tooling for all."),
    ("Infrastructure Engineer", None, "Drainage and highways, a degree in civil works. " * 30),
    (
        "Production Engineer",
        "sre",
        "On-call for production, SLOs, error budgets, post-mortems; Kubernetes, Prometheus.",
    ),
    ("Production Engineer", None, "Injection moulding of parts in three shifts. " * 30),
    (
        "Systems Engineer",
        "devops",
        "CI/CD pipelines and infrastructure as code with Terraform and Ansible, deployments.",
    ),
    ("Consultant", None, "You advise our clients on strategy. " * 30),
    (
        "Business Analyst",
        "other_tech",
        "Requirements for our ERP, SAP and Salesforce, with the software architects.",
    ),
    ("Business Analyst", None, "You know markets and report to the board. " * 30),
    (
        "System Administrator",
        "devops",
        "CI/CD pipelines, infrastructure as code in Terraform and Ansible on AWS and Kubernetes, "
        "configuration management, build automation, continuous delivery.",
    ),
    (
        "JavaScript Developer",
        "frontend",
        "You know the DOM, CSS and HTML, and make pages responsive in all browsers.",
    ),
    (
        "Platform Software Engineer",
        "embedded",
        "C++ on embedded platforms, with Modbus, CAN bus and other fieldbus protocols; Docker.",
    ),
    ("Product Engineer", None, "You choose plastics for bottles and talk to suppliers. " * 30),
    ("System Administrator", "support_it", "You keep printers, VMware and Active Directory."),
]


@pytest.mark.parametrize(("title", "category", "description"), BODIES)
def test_the_duties_tell_what_the_title_leaves_open(
    title: str, category: str | None, description: str
) -> None:
    skills = pl.select(skills_in(pl.lit(description))).item().to_list()

    assert role(title, description, skills) == category


OPENINGS = [
    (
        "Acme (Berlin)",
        "backend",
        "We bake.\n\nHiring for:\n\n- Senior Backend Engineer (Go)\n- SRE",
    ),
    ("Acme (Berlin)", "devops", "Open roles\n• Account Executive\n• DevOps Engineer, full-time"),
    (
        "Several",
        "frontend",
        "Roles:\n- Frontend: https://acme.example/1\n- Design: https://x.example",
    ),
    ("Staff Engineer", "backend", "Acme is hiring! Looking for a Python developer to help bakers."),
    ("Acme | Berlin", "backend", "We are looking for strong software engineers."),
    ("Acme | Berlin", "ml_ai", "We bake.\nMachine Learning Engineer - https://acme.example/jobs/7"),
    ("Several", None, "Open roles:\n- Account Executive\n- Nurse"),
    ("Hello", None, "I am looking for a job.\nBackend Engineer with seven years in Go."),
    ("Storyteller", None, "You are looking for stories with software engineers who bake."),
    ("Storyteller", None, "In this role\n- you work with software engineers\n- you travel"),
    ("Storyteller", None, "We are looking for:\n- Python\n- AWS\n- Frontend"),
]


@pytest.mark.parametrize(("title", "category", "description"), OPENINGS)
def test_the_first_opening_names_the_role_where_the_title_does_not(
    title: str, category: str | None, description: str
) -> None:
    assert role(title, description) == category
    for one in evidence(title, description):
        assert one["words"] in description


@pytest.mark.parametrize(
    ("title", "category"),
    [("QA Engineer", "qa"), ("Accountant", None), ("Backend Engineer", "backend")],
)
def test_duties_do_not_outweigh_a_title_that_names_a_role(title: str, category: str | None) -> None:
    body = "CI/CD pipelines, infrastructure as code, SLOs, on-call, Kubernetes clusters."

    assert role(title, body, ["Kubernetes", "Terraform", "AWS", "Jenkins"]) == category


def test_the_reason_names_the_words_or_why_there_is_no_role() -> None:
    body = "We build REST APIs."

    assert reason("Senior Backend Engineer (m/w/d)") == "title: backend engineer"
    assert (
        reason("Software Engineer", body, ["Kotlin", "PostgreSQL"])
        == "title: software engineer; duties: REST APIs; skills: Kotlin, PostgreSQL"
    )
    assert reason("Account Executive") == "title: account executive (sales and recruiting people)"
    assert reason("Engineer", "Free lunch.") == "title: engineer; the duties tell no role"
    assert reason("Engineer") == "title: engineer; no description tells the role"
    assert reason("Hello") == "title: no word of a role; no description tells the role"


def test_the_title_is_evidence_as_it_is_written() -> None:
    assert evidence("Senior DevOps Engineer") == [
        {
            "field": "category",
            "value": "devops",
            "origin": "title",
            "words": "DevOps Engineer",
            "rule": "devops",
            "decides": True,
        }
    ]
    assert evidence("Accountant") == []


def test_a_title_that_the_duties_overrule_is_evidence_that_does_not_decide() -> None:
    body = "We are looking for an Android developer: mobile apps, Android, Jetpack Compose."

    first, *others = evidence("Software Engineer", body, ["Kotlin"])

    assert (first["value"], first["origin"], first["decides"]) == ("backend", "title", False)
    assert {(one["value"], one["origin"], one["decides"]) for one in others} == {
        ("mobile", "body", True)
    }
    assert all(one["words"] in body for one in others)
    assert "mobile apps" in {one["words"] for one in others}


def test_an_overruled_occupation_is_evidence_that_does_not_decide() -> None:
    found = evidence("Account Manager / Backend Engineer")

    assert [(one["value"], one["words"], one["decides"]) for one in found] == [
        ("backend", "Backend Engineer", True),
        ("none", "Account Manager", False),
    ]


def test_a_row_is_judged_alone() -> None:
    adverts = [(title, None, []) for _, title in LISTED]
    adverts += [(title, description, []) for title, _, description in BODIES]
    columns = ["title", "category", "category_reason", "_evidence_role"]

    together = classified(*adverts).select(columns)

    assert together.rows() == classified(*adverts[::-1]).select(columns).rows()[::-1]
    assert together.schema["category"] == pl.Enum(CATEGORIES)
    assert together.schema["_evidence_role"] == EVIDENCE
    assert together["category_reason"].null_count() == 0


def test_no_posting_is_no_posting() -> None:
    assert classified().is_empty()


TITLE_WORDS = st.sampled_from(
    ["Software", "Engineer", "Developer", "Staff", "Platform", "Infrastructure", "Systems", "iOS",
     "Product", "Business", "Analyst", "Manager", "Administrator", "Data", "Consultant", "AI",
     "React", "Sales", ",", "/", "-", "("]
)  # fmt: skip
BODY_WORDS = st.sampled_from(
    ["full-stack", "React", "front-end", "REST APIs", "CI/CD", "Kubernetes", "on-call", "LLMs",
     "looking for a", "Roles:\n-", "backend engineer", "data pipelines", "firmware", "SAP", "."]
)  # fmt: skip
SKILLS = st.lists(st.sampled_from(["React", "Vue.js", "Go", "Java", "PostgreSQL", "Kafka", "AWS",
                                   "Terraform", "Kubernetes", "Grafana", "Power BI", "Angular",
                                   "Next.js", "Svelte", "Django", "MySQL", "Redis"]),
                  unique=True)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(TITLE_WORDS, max_size=5), st.none() | st.lists(BODY_WORDS, max_size=25), SKILLS)
def test_every_category_has_a_finding_that_decides(
    title: list[str], body: list[str] | None, skills: list[str]
) -> None:
    advert = " ".join(title), None if body is None else " ".join(body), skills
    category = role(*advert)

    decisive = {one["value"] for one in evidence(*advert) if one["decides"]}
    assert decisive == ({category} - {None})


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=80), st.none() | st.text(max_size=300))
def test_any_text_has_a_reason(title: str, description: str | None) -> None:
    rows = [(f"{words}{title}", description, ["Go", "?"]) for words in ("", "Engineer ", "SRE/")]

    assert classified(*rows)["category_reason"].null_count() == 0


@pytest.mark.parametrize(
    "part",
    [
        "as a very good ",
        "CI/CD pipelines ",
        "looking for ",
        "a",
        "front-end and ",
        "é ",
        "roles\n- ",
        "hiring an ",
    ],
)
def test_time_grows_with_the_length_alone(part: str) -> None:
    def seconds(chars: int) -> float:
        row = ("Software Engineer", (part * chars)[:chars], [])
        best = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            classified(row)
            best = min(best, time.perf_counter() - begin)
        return best

    # Ten times the text, with room for a busy machine; a square would be a hundred times.
    assert seconds(100_000) < 30 * max(seconds(10_000), 0.002)


def _labels() -> list[dict[str, str]]:
    with (Path(__file__).parent / "labelled_titles.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_precision_and_recall_on_labelled_titles() -> None:
    labels = [r for r in _labels() if r["sample"] in {"simplify", "simplify_technical", "written"}]
    found = classified(*((row["key"], None, []) for row in labels))["category"].to_list()
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    for row, category in zip(labels, found, strict=True):
        if category == row["category"]:
            right[category] += 1
        elif category in FIVE or row["category"]:
            wrong[category or ""] += category in FIVE
            missed[row["category"]] += 1

    for category in (*FIVE, "fullstack"):
        precision = right[category] / max(right[category] + wrong[category], 1)
        recall = right[category] / (right[category] + missed[category])
        assert (precision >= 0.95, recall >= 0.93) == (True, True), (
            f"{category}: precision {precision:.3f}, recall {recall:.3f}"
        )


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recorded answers are not beside the repo")
def test_recorded_postings_of_the_five_are_found() -> None:
    remoteok = json.loads((PAYLOADS / "remoteok_2024-12-04.json").read_text())[1:]
    adzuna = json.loads((PAYLOADS / "adzuna_gb_2022-06.json").read_text())["results"]
    raw = [(j["id"], j["position"], j["description"]) for j in remoteok]
    raw += [(j["id"], j["title"], j["description"]) for j in adzuna]
    cleaned = (
        pl.DataFrame(raw, ["key", "title", "description"], orient="row")
        .select("key", text.line(pl.col("title")), text.paragraphs(pl.col("description")))
        .filter(pl.col("title").is_not_null())
        .with_columns(skills=skills_in(pl.concat_str("title", "description", separator="\n")))
    )
    expected = {row["key"]: row["category"] for row in _labels()}

    rows = with_category(cleaned.lazy()).collect().select("key", "category", "title").rows()

    in_scope = (*FIVE, "fullstack")
    differing = {
        (key, title, category)
        for key, category, title in rows
        if (category in in_scope) != bool(expected[key])
    }
    assert len(differing) <= 0.05 * len(rows), differing


def _documented(heading: str) -> list[str]:
    document = (REPOSITORY / "docs" / "roles.md").read_text()
    section = document.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line[:1] == "|"][2:]


def test_the_documentation_lists_every_rule() -> None:
    assert _documented("Roles") == list(CATEGORIES)
    jobs = [job.name for job in ROLES.title.jobs if job.category is None and job.asks is None]
    crafts = [craft.name for craft in ROLES.title.crafts if craft.category is None]
    assert _documented("Other occupations") == [*jobs, *crafts]
    assert _documented("Open titles") == list(ROLES.questions)


def test_every_question_is_asked_and_every_role_has_duties() -> None:
    assert set(ROLES.questions) == set(ASKED)
    assert set(ROLES.duties) == set(CATEGORIES) - {"management"}


def test_the_entries_that_the_rules_name_exist() -> None:
    """The grammar treats some entries of the vocabulary by name."""
    named = {
        "software", "operations", "reliability", "technology", "words of any field", "data",
        "server language", "client languages", "backend by name", "frontend", "linux operations",
        "platform", "platform of something", "platform of a product", "scripts of pages",
    }  # fmt: skip

    assert named <= {craft.name for craft in ROLES.title.crafts}
    assert {"people who look for work", "it specialists"} <= {job.name for job in ROLES.title.jobs}
