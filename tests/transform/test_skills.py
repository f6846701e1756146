"""Which technologies are read from a posting."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.transform.understanding.skills import KINDS, MAX_SKILLS, skills_in, with_skills


def skills(text: str | None) -> list[str]:
    found: list[str] = pl.select(skills_in(pl.lit(text, pl.String))).item().to_list()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k8s and postgres on amazon web services", ["AWS", "Kubernetes", "PostgreSQL"]),
        ("C++, C#, .NET and Node.js", [".NET", "C#", "C++", "Node.js"]),
        ("ASP.NET Core", ["ASP.NET"]),
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
        ("GitLab CI/CD, REST APIs", ["GitLab CI", "REST"]),
        ("the rest of the team", []),
    ],
)
def test_names_are_read_as_whole_words(text: str, expected: list[str]) -> None:
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
    "phrase",
    ["react to change", "Salt Lake City", "Head Chef", "Veeva Vault", "Spring 2025", "Rust Belt"],
)
def test_misleading_phrases_mean_nothing_even_beside_skills(phrase: str) -> None:
    assert skills(f"Docker, Terraform; {phrase}.") == ["Docker", "Terraform"]


def test_all_three_texts_are_read_and_nulls_are_nothing() -> None:
    frame = pl.LazyFrame(
        {
            "title": ["Kafka Engineer", "Nurse"],
            "tags": [["terraform", "go"], []],
            "description": ["PostgreSQL", None],
            "skills": [[], []],
        },
        schema_overrides={"skills": pl.List(pl.String), "tags": pl.List(pl.String)},
    )

    result = with_skills(frame).collect()

    assert result["skills"].to_list() == [["Kafka", "PostgreSQL", "Terraform"], []]
    assert skills(None) == []


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_name_can_be_read_among_other_skills(name: str) -> None:
    assert name in skills(f"Docker, Terraform, C++, {name}, Java") or name in {
        "Assembly", "Phoenix",
    }  # fmt: skip


def test_a_list_of_everything_is_bounded() -> None:
    assert len(skills(", ".join(KINDS))) == MAX_SKILLS


@given(st.lists(st.sampled_from([*sorted(KINDS), "Go to", "é", "\n", "(", "🦀", "C"]), max_size=30))
def test_names_are_sorted_unique_and_known(words: list[str]) -> None:
    found = skills(" ".join(words))

    assert found == sorted(set(found))
    assert set(found) <= KINDS.keys()
