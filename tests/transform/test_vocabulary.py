"""The vocabularies: a mistake in one is refused with the file and the entry."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.transform import vocabulary
from pipeline.transform.understanding.skill_vocabulary import Skills
from pipeline.transform.vocabulary import (
    Pattern,
    PythonPattern,
    Shape,
    VocabularyError,
    Word,
    any_of,
    one_of,
    read,
)


class Words(Shape):
    kinds: dict[Word, list[Pattern]]
    others: tuple[PythonPattern, ...] = ()


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Words]:
    monkeypatch.setattr(vocabulary, "files", lambda _: tmp_path)

    def write(text: str) -> Words:
        (tmp_path / "words.toml").write_text(text, encoding="utf-8")
        return read("words", Words)

    return write


def test_words_are_read(written: Callable[[str], Words]) -> None:
    words = written("others = ['a(?=b)']\n[kinds]\ncloud = ['\\bcloud\\b', '{role} of clouds']")
    assert words.kinds == {"cloud": [r"\bcloud\b", "{role} of clouds"]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kinds = [", "words.toml is no TOML"),
        ("[kinds]\ncloud = 'aws'", r"words.toml, kinds.cloud: .* list"),
        ("[kinds]\ncloud = ['aws', '']", r"words.toml, kinds.cloud.1: .* at least 1"),
        ("[kinds]\ncloud = ['(aws']", r"words.toml, kinds.cloud.0: .*no regular expression"),
        ("[kinds]\ncloud = ['a(?=b)']", r"words.toml, kinds.cloud.0: .*no regular expression"),
        ("others = ['(']\n[kinds]", r"words.toml, others.0: .*no regular expression"),
        ("[kinds]\n[kidns]", r"words.toml, kidns: Extra inputs"),
        ("", "words.toml, kinds: Field required"),
    ],
)
def test_a_mistake_names_file_and_entry(
    written: Callable[[str], Words], text: str, message: str
) -> None:
    with pytest.raises(VocabularyError, match=message):
        written(text)


def test_a_text_that_must_be_one_of_several_is() -> None:
    check = one_of({"cloud", "data"}).func
    assert check("cloud") == "cloud"  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="'sky' is none of cloud, data"):
        check("sky")  # type: ignore[call-arg]


def test_patterns_are_joined_with_the_words_of_a_name() -> None:
    assert any_of(["a|b", "c {role}"], role="(?:x|y)") == "(?:a|b|c (?:x|y))"
    assert any_of([r"\d{4}", "{other}"], role="x") == r"(?:\d{4}|{other})"


def test_no_spelling_is_that_of_two_technologies() -> None:
    of: dict[str, set[str]] = {}
    for names in read("skills", Skills).kinds.values():
        for name, technology in names.items():
            for spelling in {name.lower(), *map(str.lower, technology.spellings)}:
                of.setdefault(spelling, set()).add(name)
    assert {spelling: names for spelling, names in of.items() if len(names) > 1} == {}


def test_every_vocabulary_says_how_it_is_written() -> None:
    folder = Path(str(files(vocabulary)))
    for file in folder.glob("*.toml"):
        assert file.read_text("utf-8").startswith("# "), file.name
        assert f"``{file.name}``" in (vocabulary.__doc__ or ""), file.name
