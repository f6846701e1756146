"""Which words are one word, by examples."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.search_index.analyzer import Analyzer
from pipeline.search_index.names import Names
from serving.search.query import Term, parse

ANALYZER = Analyzer()


def terms(text: str, *, short: bool = True) -> list[tuple[int, str]]:
    """The terms of a text with their positions, in order."""
    found = ANALYZER.terms(text, short=short)
    pairs = zip(found.positions, found.terms, strict=True)
    return sorted((position, term) for position, term in pairs if term)


@pytest.mark.parametrize(
    "spellings",
    [
        ["backend", "back-end", "back end", "Back-Ends", "BACKEND", "Ｂａｃｋｅｎｄ",
         "ⓑackend", "back\u200bend"],
        ["fullstack", "full stack", "Full-Stack"],
        ["devops", "dev ops", "DevOps", "dev-ops"],
        ["kubernetes", "k8s", "K8S", "Kubernetes™"],
        ["postgres", "PostgreSQL", "postgresql"],
        ["senior", "Sr.", "sr", "snr"],
        ["c++", "C++", "cpp", "Ｃ＋＋"],
        ["c#", "C#", "c sharp"],
        [".net", ".NET", "dotnet", "dot net"],
        ["node.js", "Node.js", "nodejs", "node js"],
        ["go", "Golang", "Go"],
        ["développeur", "developpeur", "De\u0301veloppeur", "DÉVELOPPEUR"],
        ["zürich", "Zurich"],
        ["straße", "strasse"],
        ["łódź", "lodz"],
        ["ошибки", "ОШИБКИ"],
        ["engineer", "engineers", "Engineering"],
    ],
)  # fmt: skip
def test_spellings_of_a_word_are_one_term(spellings: list[str]) -> None:
    trees = {parse(spelling, ANALYZER) for spelling in spellings}
    assert len(trees) == 1, trees
    (tree,) = trees
    assert isinstance(tree, Term)
    for spelling in spellings:
        assert tree.term in {term for _, term in terms(f"a {spelling} b")}, spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [("c", "c++"), ("c", "c#"), ("c++", "c#"), (".net", "net"), ("java", "javascript"),
     ("go", "goes"), ("r", "rust"), ("か", "が"), ("sql", "postgresql"), ("node.js", "node")],
)  # fmt: skip
def test_other_words_stay_others(one: str, other: str) -> None:
    assert parse(one, ANALYZER) != parse(other, ANALYZER)


def test_go_is_the_language_but_in_prose() -> None:
    assert terms("Go developer")[0] == (0, "golang")
    assert terms("Ready to go further", short=False) == [(0, "readi"), (2, "go")]
    assert (1, "golang") not in terms("let's go to market")


def test_words_that_are_spelled_as_one_share_a_position() -> None:
    assert terms("senior back-end developer") == [
        (0, "senior"), (1, "back"), (1, "backend"), (1, "end"), (2, "develop"), (65535, "backend"),
    ]  # fmt: skip
    assert terms("the on-call rotation") == [(2, "call"), (3, "rotat"), (65535, "oncal")]


def test_characters_of_a_script_without_blanks_are_pairs() -> None:
    assert terms("北京后端 API") == [(0, "北京"), (1, "京后"), (2, "后端"), (3, "端"), (4, "api")]


def test_marks_that_are_letters_stay() -> None:
    assert terms("हिन्दी में") == [(0, "हिन्दी"), (1, "में")]


@given(st.text(max_size=300) | st.from_regex(re.compile(r'[-"*()a-z+#. \n]{0,60}')))
@example('"')
@example('-""')
@example("or or -")
@example("----")
@example("*")
def test_any_text_can_be_searched_and_indexed(text: str) -> None:
    parse(text, ANALYZER)
    found = ANALYZER.terms(text)
    assert len(found.terms) == len(found.positions)
    assert all(position >= 0 for position in found.positions)


@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_a_text_is_found_by_itself(text: str) -> None:
    tree = parse(f'"{text.replace(chr(34), " ")}"', ANALYZER)
    if isinstance(tree, Term):
        assert tree.term in {term for _, term in terms(text)}


@pytest.mark.parametrize("unit", ["a-", "back end ", "c++", "'", "后", "node.", "\u0301", "go "])
def test_long_texts_take_linear_time(unit: str) -> None:
    def seconds(times: int) -> float:
        text = unit * times
        best = 1e9
        for _ in range(3):
            began = time.process_time()
            ANALYZER.terms(text, short=True)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(40_000) < 12 * seconds(10_000) + 0.05


NAMES = Names(ANALYZER)


def test_a_name_is_compared_without_its_legal_form() -> None:
    same = ["Numera", "Numera, Inc.", "NUMERA S.p.A.", "Númera GmbH", "Numera GmbH & Co. KG",
            "The Numera Company", "ООО «Numera»", "Numera株式会社", "Ｎｕｍｅｒａ"]  # fmt: skip
    assert {NAMES.of_company(name) for name in same} == {"numera"}
    assert NAMES.of_company("Inc") == "inc"
    assert NAMES.of_company("株式会社") == "株式会社"
    assert NAMES.of_name("St.-Denis") == NAMES.of_name("st denis")
    assert NAMES.of_name("???") == "???"
