"""Which technologies are read from a posting, and what says so."""

from __future__ import annotations

import time
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.understanding.evidence import EVIDENCE
from pipeline.transform.understanding.skills import (
    KINDS,
    MAX_SKILLS,
    skills_in,
    spellings,
    with_skills,
)

TYPES: dict[str, Any] = {
    "title": pl.String,
    "company": pl.String,
    "tags": pl.List(pl.String),
    "description": pl.String,
}


def skills(text: str | None) -> list[str]:
    found: list[str] = pl.select(skills_in(pl.lit(text, pl.String))).item().to_list()
    return found


def understood(*postings: dict[str, Any]) -> pl.DataFrame:
    rows = [dict.fromkeys(TYPES) | posting for posting in postings]
    return with_skills(pl.LazyFrame(rows, schema=TYPES)).collect()


def read(description: str, **fields: Any) -> list[str]:
    found: list[str] = understood({"description": description, **fields})["skills"][0].to_list()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k8s and postgres on amazon web services", ["AWS", "Kubernetes", "PostgreSQL"]),
        ("C++, C#, .NET and Node.js", [".NET", "C#", "C++", "Node.js"]),
        ("C++17, Java17 and HTML5", ["C++", "HTML", "Java"]),
        ("ASP.NET Core, VB.NET", ["ASP.NET", "Visual Basic"]),
        ("Built with C/C++", ["C", "C++"]),
        ("JavaScript only", ["JavaScript"]),
        ("Java, JavaScript", ["Java", "JavaScript"]),
        ("scalable digital laws", []),
        ("mysql", ["MySQL"]),
        ("Golang", ["Go"]),
        ("Python, Go, Rust", ["Go", "Python", "Rust"]),
        ("Senior Go Engineer", ["Go"]),
        ("services written in Go and TypeScript", ["Go", "TypeScript"]),
        ("our go to market team, where we Go to win", []),
        ("Ready, Go live", []),
        ("SQL, R, Python", ["Python", "R", "SQL"]),
        ("R&D at C-level", []),
        ("langage C, statistics in R.", ["C", "R"]),
        ("GitLab CI/CD, REST APIs", ["GitLab CI", "REST"]),
        ("the rest of the team", []),
        ("DNS, DHCP, TCP/IP and BGP over an IPsec VPN",
         ["BGP", "DHCP", "DNS", "IPsec", "TCP/IP", "VPN"]),
        ("SAML 2.0, OIDC and LDAP with Okta",
         ["LDAP", "Okta", "OpenID Connect", "SAML"]),
        ("CSV, XML and Parquet over SFTP", ["CSV", "Parquet", "SFTP", "XML"]),
        ("Transit Gateway, Route 53 and Entra ID",
         ["AWS Transit Gateway", "Amazon Route 53", "Entra ID"]),
        ("Figma, O365 and ServiceNow", ["Figma", "Office 365", "ServiceNow"]),
        ("z/OS, COBOL and CICS", ["CICS", "COBOL", "z/OS"]),
    ],
)  # fmt: skip
def test_names_are_read_as_whole_words(text: str, expected: list[str]) -> None:
    assert skills(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("éjava, javaé, яjava", []),
        ("Pythonの経験、Docker。", ["Docker", "Python"]),
        ("“Kafka” – Redis… Scala’s", ["Kafka", "Redis", "Scala"]),
        ("опыт с Kubernetes и PostgreSQL", ["Kubernetes", "PostgreSQL"]),
        ("RequirementsKubernetes and skillsPython", ["Kubernetes", "Python"]),
        ("MyJava, JavaScripting, notebookpython", []),
    ],
)
def test_other_letters_beside_a_name_make_it_another_word(text: str, expected: list[str]) -> None:
    assert skills(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GitHub Actions", ["GitHub Actions"]),
        ("Azure DevOps and Azure", ["Azure", "Azure DevOps"]),
        ("React Native", ["React Native"]),
        ("Spring Boot", ["Spring Boot"]),
        ("SQL Server", ["SQL Server"]),
        ("Azure Functional", ["Azure"]),
    ],
)
def test_a_longer_name_is_read_as_itself(text: str, expected: list[str]) -> None:
    assert skills(text) == expected


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("React", "React"), ("Spring", "Spring"), ("Rust", "Rust"), ("Swift", "Swift"),
        ("Chef", "Chef"), ("Puppet", "Puppet"), ("Salt", "Salt"), ("Consul", "Consul"),
        ("Vault", "Vault"), ("Rails", "Ruby on Rails"), ("GCP", "Google Cloud"),
    ],
)  # fmt: skip
def test_ordinary_words_count_only_beside_undoubted_skills(word: str, name: str) -> None:
    assert skills(f"{word} is a fine thing") == []
    assert name in skills(f"Docker, Terraform with {word} here")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Word, PowerPoint", ["PowerPoint", "Word"]),
        ("PowerPoint, as in the Word of God", ["PowerPoint"]),
        ("knowledge of Python and/or R", ["Python", "R"]),
        ("Kotlin / Flutter", ["Flutter", "Kotlin"]),
        ("C++ / QT / Python", ["C++", "Python", "Qt"]),
        ("(react native, flutter)", ["Flutter", "React Native"]),
        ("Julia, Rust, Python", ["Julia", "Python", "Rust"]),
        ("Julia knows Python", ["Python"]),
        ("Access to Python", ["Python"]),
        ("SPI, I2C and CAN", ["CAN bus", "I2C", "SPI"]),
        ("we can do I2C", ["I2C"]),
    ],
)
def test_a_list_vouches_for_what_it_holds(text: str, expected: list[str]) -> None:
    assert skills(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Excel and SAP, SOAP", ["Excel", "SAP", "SOAP"]),
        ("you excel at soap, with sap from trees", []),
        ("Excel in a small team", []),
        ("AIX and Linux", ["AIX", "Linux"]),
        ("Lyon, Nice et Aix-en-Provence", []),
        ("a trusted advisor of our clients", []),
        ("SQL Developer", ["SQL"]),
        ("talk to us over Slack", []),
        ("Slack for what is urgent", ["Slack"]),
    ],
)
def test_some_names_count_as_written_only(text: str, expected: list[str]) -> None:
    assert skills(text) == expected


@pytest.mark.parametrize(
    "phrase",
    ["react to change", "Salt Lake City", "Head Chef", "Veeva Vault", "Spring 2025", "Rust Belt",
     "Hong Kong", "American Express", "an Apache License", "Elastic Compute Cloud"],
)  # fmt: skip
def test_misleading_phrases_mean_nothing_even_beside_skills(phrase: str) -> None:
    assert set(skills(f"Docker, Terraform; {phrase}.")) - {"Veeva"} == {"Docker", "Terraform"}


@pytest.mark.parametrize(
    "address",
    ["jobs@python.org", "python@acme.example", "https://docker.com/careers", "www.kafka.com",
     "acme.com/python?x=redis", "redis.io", "see https://acme.example/a/terraform-b", "@golang"],
)  # fmt: skip
def test_names_in_addresses_are_none(address: str) -> None:
    assert skills(f"Write to {address} soon") == []


@pytest.mark.parametrize(
    "text", ["C/C++/Python.", "Node.js/Express/MongoDB", "Socket.IO", "python/docker-compose"]
)
def test_slashes_and_dots_alone_make_no_address(text: str) -> None:
    assert skills(text)


@pytest.mark.parametrize(
    "text",
    [
        "customers such as Snowflake and Shopify", "Companies like Datadog, Stripe and Notion",
        "built by ex-GitHub engineers", "Jo Doe (CEO of Datadog)", "founders from Stripe",
        "previously built infrastructure at Meta, Google, Datadog", "backed by GitHub",
        "alternatives to Okta", "link to your GitHub profile", "nos partenaires Salesforce et SAP",
        "Unsere Kunden: Zendesk",
    ],
)  # fmt: skip
def test_other_companies_are_none(text: str) -> None:
    assert skills(text) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("APIs backed by PostgreSQL", "PostgreSQL"), ("code on GitHub", "GitHub"),
        ("experience with customer data in Snowflake", "Snowflake"),
        ("For customers.\nDatadog, Grafana", "Datadog"), ("administer Okta", "Okta"),
    ],
)  # fmt: skip
def test_the_same_names_in_use_are_skills(text: str, name: str) -> None:
    assert name in skills(text)


@pytest.mark.parametrize(
    ("company", "text", "expected"),
    [
        ("Datadog", "Datadog helps everyone", []),
        ("GitLab Inc.", "Join GitLab, we use Ruby", ["Ruby"]),
        ("MongoDB, Inc", "Experience with MongoDB", ["MongoDB"]),
        ("Datadog", "Grafana, Datadog, Prometheus", ["Datadog", "Grafana", "Prometheus"]),
        ("Acme", "Datadog helps everyone", ["Datadog"]),
        ("Go", "Python", ["Python"]),
        ("Inc", "Python", ["Python"]),
        (None, "Python", ["Python"]),
    ],
)
def test_the_employer_is_none_unless_used_as_a_tool(
    company: str | None, text: str, expected: list[str]
) -> None:
    assert read(text, company=company) == expected


def test_all_three_texts_are_read_and_nulls_are_nothing() -> None:
    result = understood(
        {"title": "Kafka Engineer", "tags": ["terraform", "go", "react"], "company": "Acme",
         "description": "PostgreSQL"},
        {"title": "Nurse", "tags": []},
        {},
    )  # fmt: skip

    assert result["skills"].to_list() == [
        ["Go", "Kafka", "PostgreSQL", "React", "Terraform"], [], [],
    ]  # fmt: skip
    assert skills(None) == []
    assert understood().height == 0


def test_each_skill_has_the_words_that_say_it_first() -> None:
    result = understood(
        {"title": "Puppet Developer", "tags": ["excel"],
         "description": "Puppet; k8s, Redis with Vault. Also SOAP, kubernetes; written in Go."}
    )  # fmt: skip

    assert result.schema["_evidence_skills"] == EVIDENCE
    found = result["_evidence_skills"][0].to_list()
    assert [(each["value"], each["origin"], each["words"], each["rule"]) for each in found] == [
        ("Puppet", "title", "Puppet", "with a role"),
        ("Kubernetes", "body", "k8s", "name"),
        ("Redis", "body", "Redis", "name"),
        ("Vault", "body", "Vault", "ordinary word beside others"),
        ("SOAP", "body", "SOAP", "name as written"),
        ("Go", "body", "Go", "in context"),
        ("Excel", "tags", "excel", "tag"),
    ]
    assert {each["field"] for each in found} == {"skills"}
    assert all(each["decides"] for each in found)


def test_a_practice_is_evidence_and_no_skill() -> None:
    result = understood({"description": "CI/CD with Jenkins"})

    assert result["skills"].to_list() == [["Jenkins"]]
    found = result["_evidence_skills"][0].to_list()
    assert [(each["value"], each["decides"]) for each in found] == [
        ("CI/CD", False),
        ("Jenkins", True),
    ]


LONG = "We make software for bakeries, and bakers like it, for it knows their ovens. " * 4


@pytest.mark.parametrize(
    ("title", "tags", "body", "expected"),
    [
        ("Software Engineer", ["golang", "docker"], LONG, ["Docker", "Go"]),
        ("Software Engineer", ["golang", "go", "rails"], LONG + "Rails, Docker.",
         ["Docker", "Go", "Ruby on Rails"]),
        ("Software Engineer", ["excel", "spark"], LONG, []),
        ("Software Engineer", ["spark"], "", ["Apache Spark"]),
        ("Nurse", ["golang", "docker"], LONG, []),
        ("Nurse", ["golang", "docker"], LONG + "Docker", ["Docker"]),
        ("Software Engineer", ["golang", *map(str, range(15))], LONG + "Docker", ["Docker"]),
        ("Software Engineer", ["golang", *map(str, range(14))], LONG + "Docker", ["Docker", "Go"]),
    ],
)  # fmt: skip
def test_tags_count_where_they_are_few_and_of_the_job(
    title: str, tags: list[str], body: str, expected: list[str]
) -> None:
    assert read(body, title=title, tags=tags) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Angels: the fund of Ada Muster (Slack CEO) and others", []),
        ("a database backed by AWS, Google Cloud, and Oracle", []),
        ("funded by the founders of Slack and Stripe", []),
        ("services backed by PostgreSQL on AWS", ["AWS", "PostgreSQL"]),
        ("we are the Hugging Face for bridges", []),
        ("You know the Hugging Face libraries", ["Hugging Face"]),
        ("a Lua-like language of our own", []),
        ("scripts in Lua", ["Lua"]),
        ("GitHub: https://github.com/example", []),
        ("Message me on our Slack", []),
        ("an Ethernet connection at home", []),
        ("switches, Ethernet and VLANs", ["Ethernet", "VLAN"]),
        ("Figma. Sketch and prototype ideas with HTML and CSS", ["CSS", "Figma", "HTML"]),
        ("Figma, Sketch and HTML", ["Figma", "HTML", "Sketch"]),
        ("Modbus RTU/TCP", ["Modbus"]),
        ("Python here. NOT YOUR TECH STACK? Java and PHP jobs are open", ["Python"]),
    ],
)
def test_names_that_are_not_the_jobs(text: str, expected: list[str]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("company", "text", "expected"),
    [
        ("Amplify Bakeries", "At Amplify: Python, Docker. Amplify bakes.", ["Docker", "Python"]),
        ("Bakeries", "Python, Docker and Amplify", ["AWS Amplify", "Docker", "Python"]),
        ("Go Bakeries", "Go, Python", ["Go", "Python"]),
    ],
)
def test_a_company_may_begin_with_the_name(company: str, text: str, expected: list[str]) -> None:
    assert read(text, company=company) == expected


def test_a_row_depends_on_itself_alone() -> None:
    postings: list[dict[str, Any]] = [
        {"title": "a", "tags": ["word", "x"], "description": "word, PowerPoint and Word"},
        {"title": "Go", "description": "Word, word, access"},
        {"title": "é", "tags": [], "description": "PowerPoint, word"},
    ]
    alone = [understood(posting)["skills"][0].to_list() for posting in postings]
    assert understood(*postings)["skills"].to_list() == alone


def test_every_technology_can_be_read_among_others() -> None:
    of: dict[str, list[str]] = {}
    for spelling, name in spellings().items():
        of.setdefault(name, []).append(spelling)
    assert of.keys() == KINDS.keys()
    texts = [
        f"Docker, Terraform, C++, {written}, Java"
        for name in KINDS
        for written in (name, *of[name], *(spelling.upper() for spelling in of[name]),
                        *(spelling.capitalize() for spelling in of[name]))
    ]  # fmt: skip
    found = pl.DataFrame({"text": texts}).select(skills_in(pl.col("text"))).to_series()
    assert KINDS.keys() - set(found.explode()) == {"CI/CD"}


def test_the_vocabulary_is_large_and_keeps_its_kinds() -> None:
    assert len(KINDS) >= 1000
    assert {
        KINDS[name]
        for name in ("Go", "Django", "PostgreSQL", "Kafka", "AWS", "Kubernetes", "Terraform",
                     "CI/CD", "Grafana")
    } == {
        "server language", "server framework", "database", "messaging", "cloud", "orchestration",
        "infrastructure as code", "ci/cd", "observability",
    }  # fmt: skip
    assert spellings()["k8s"] == "Kubernetes"
    assert spellings()["rails"] == "Ruby on Rails"


def test_a_list_of_everything_is_bounded() -> None:
    result = understood({"description": ", ".join(KINDS)})
    assert len(result["skills"][0]) == MAX_SKILLS == len(result["_evidence_skills"][0])


PIECES = [
    *sorted(KINDS), "Go to", "é", "\n", "(", "🦀", "C", "@", "https://", "customers such as", ",",
    "\0", "の", "R&D", "go", "word",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.sampled_from(["", " ", ", "]))
def test_names_are_sorted_unique_and_known(words: list[str], between: str) -> None:
    found = skills(between.join(words))

    assert found == sorted(set(found))
    assert set(found) <= KINDS.keys()


@given(st.text(max_size=200), st.text(max_size=30), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_can_be_read(text: str, company: str, tags: list[str]) -> None:
    result = understood(
        {"title": text[:50], "description": text, "company": company, "tags": tags},
        {"title": "Java", "description": text},
    )
    assert "Java" in result["skills"][1]


@pytest.mark.parametrize(
    "unit",
    ["Java@", "go or ", "React ", "C,", "R ", "Slack, customers ", "a.java.", "Word, ",
     "at Slack, ", "JavaJava", "management (IAM) ", "é", ", " * 3, "https://java "],
)  # fmt: skip
def test_time_grows_with_the_length(unit: str) -> None:
    def seconds(length: int) -> float:
        posting = {"title": "x", "description": (unit * length)[:length], "company": "Slack"}
        started = time.process_time()
        understood(posting)
        return time.process_time() - started

    least = min(seconds(50_000) for _ in range(3))
    assert least < 0.5 or least < 6 * min(seconds(12_500) for _ in range(3))
