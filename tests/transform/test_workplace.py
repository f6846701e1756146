from __future__ import annotations

import json
import re
import time
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands.understand import understood
from pipeline.transform.understanding.windows import MAX_WINDOWS, of_plain, plain, windows
from pipeline.transform.understanding.workplace import _words, with_workplace

_SCHEMA: dict[str, Any] = {
    "title": pl.String,
    "location_text": pl.String,
    "description": pl.String,
    "tags": pl.List(pl.String),
    "remote": pl.Boolean,
    "cities": pl.List(pl.String),
}


def _read(*postings: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        {name: [] if name in ("tags", "cities") else None for name in _SCHEMA} | posting
        for posting in postings
    ]
    frame = pl.DataFrame(rows, schema=_SCHEMA)
    return with_workplace(frame.lazy()).collect().to_dicts()


def _of_text(text: str) -> str | None:
    workplace: str | None = _read({"title": "Engineer", "description": text})[0]["workplace"]
    return workplace


@pytest.mark.parametrize(
    ("text", "workplace"),
    [
        # English
        ("This is a hybrid role.", "hybrid"),
        ("We work 3 days a week in the office.", "hybrid"),
        ("You are in our Leeds office two days per week.", "hybrid"),
        ("Expect 2-3 days per week onsite.", "hybrid"),
        ("Lyon or Paris, 3-days in office.", "hybrid"),
        ("You can work from home 2 days a week.", "hybrid"),
        ("Apply now! #LI-Hybrid", "hybrid"),
        ("We are not a fully remote company.", "hybrid"),
        ("Roughly half of your working week is spent in the office.", "hybrid"),
        ("This is a fully remote position.", "remote"),
        ("We have been a remote-first company since 2014.", "remote"),
        ("Work from anywhere in the United States.", "remote"),
        ("Based in our Oslo office or remote.", "remote"),
        ("You join us for one day per month in the office.", "remote"),
        ("Location: Remote", "remote"),
        ("#LI-Remote", "remote"),
        ("This is an on-site role.", "onsite"),
        ("You are expected in the office 5 days a week.", "onsite"),
        ("This is not a remote position.", "onsite"),
        ("Remote work is not possible.", "onsite"),
        ("Strictly in-person.", "onsite"),
        ("You are in the office at least twice a week.", "hybrid"),
        ("Acme | Engineer | Remote (EU) | Full-time", "remote"),
        ("Work setting: remote", "remote"),
        ("A 4-day work week. Location: remote", "remote"),
        ("Office-based role, onsite or hybrid", "hybrid"),
        ("Acme | Tester | ONSITE + PART REMOTE", "hybrid"),
        ("Acme | Tester | Hybrid (Lyon) or REMOTE | Full-time", "remote"),
        ("Hybrid work policy: work from wherever you feel well.", "remote"),
        ("Our hybrid model combines clinics and virtual visits. The role is remote.", "remote"),
        ("We are open to remote candidates. In Oslo, it is 2 days a week in the office.", "remote"),
        ("We are not open to remote candidates.", "onsite"),
        ("You will work with our team in person in Oslo.", "onsite"),
        # German
        ("Remote-Arbeit möglich", "remote"),
        ("Teilweise Homeoffice ist möglich.", "hybrid"),
        ("Hybrides Arbeiten: 2 Tage pro Woche Homeoffice.", "hybrid"),
        ("Du kannst zu 100 % remote arbeiten.", "remote"),
        ("Die Arbeit findet ausschließlich vor Ort statt.", "onsite"),
        # French
        ("Télétravail : 2 jours par semaine.", "hybrid"),
        ("2 à 3 jours de télétravail", "hybrid"),
        ("Un mode de travail hybride", "hybrid"),
        ("Poste en full remote", "remote"),
        ("Télétravail complet", "remote"),
        ("Poste en présentiel", "onsite"),
        # Spanish, Portuguese, Italian
        ("Modalidad híbrida en Valencia", "hybrid"),
        ("3 días de teletrabajo", "hybrid"),
        ("Trabajo 100% remoto", "remote"),
        ("Modalidad presencial", "onsite"),
        ("Modelo de trabalho híbrido", "hybrid"),
        ("Vaga 100% home office", "remote"),
        ("Lavoro da remoto", "remote"),
        ("2 giorni a settimana in smart working", "hybrid"),
        ("Sede: Torino (ibrido)", "hybrid"),
        ("Trabajo en remoto", "remote"),
        # Dutch, Polish
        ("Praca w biurze 2 dni w tygodniu", "hybrid"),
        ("Hybride werken is bij ons normaal.", "hybrid"),
        ("2 dagen per week thuis werken", "hybrid"),
        ("Praca zdalna", "remote"),
        ("Tryb pracy: praca hybrydowa", "hybrid"),
        ("Praca stacjonarna w Krakowie", "onsite"),
    ],
)
def test_the_text_says_where_one_works(text: str, workplace: str) -> None:
    assert _of_text(text) == workplace


@pytest.mark.parametrize(
    "text",
    [
        "You lead remote teams.",
        "You know remote debugging and remote desktops.",
        "Remote sensing of crops from satellites.",
        "Experience with hybrid cloud and on-premises systems.",
        "Azure and hybrid environments.",
        "You give on-site support to our customers.",
        "Our office has a dog and a table for ping pong.",
        "We pay a home office stipend of 500 EUR.",
        "A remote working allowance of 40 pounds.",
        "Work from anywhere for four weeks a year.",
        "Up to 20 days a year of work from abroad.",
        "Microsoft Office, back office systems.",
        "Free on-site parking and an on-site gym.",
        "Interviews are held remotely.",
        "The annual on-site retreat is in May.",
        "Our customers live at a distance from the network.",
        "",
        "Our hybrid model of care mixes visits at home and telehealth.",
        "The team meets in person in spring.",
    ],
)
def test_other_words_say_nothing(text: str) -> None:
    assert _of_text(text) is None


@pytest.mark.parametrize(
    ("posting", "workplace"),
    [
        ({"location_text": "Remote, US"}, "remote"),
        ({"location_text": "Berlin (Hybrid)"}, "hybrid"),
        ({"location_text": "NYC (In-Office 3 days)"}, "hybrid"),
        ({"title": "Engineer (onsite, 3-4 days)"}, "hybrid"),
        ({"title": "Engineer (onsite, 5 days)"}, "onsite"),
        ({"location_text": "Onsite (Boston) + Remote"}, "remote"),
        ({"location_text": "Lisbon | ONSITE"}, "onsite"),
        ({"location_text": "Remote or In-Office NYC"}, "remote"),
        ({"location_text": "Remote/Hybrid"}, "hybrid"),
        ({"location_text": "Virtual - US"}, "remote"),
        ({"location_text": "Telecommute"}, "remote"),
        ({"location_text": "Télétravail hybride à Lyon"}, "hybrid"),
        ({"location_text": "Austin, TX"}, None),
        ({"location_text": "Home Office, London"}, "remote"),
        ({"title": "Backend Engineer (Hybrid)", "remote": True}, "hybrid"),
        ({"title": "Backend Engineer (no remote)", "remote": True}, "onsite"),
        ({"title": "Backend Engineer, Remote Sensing"}, None),
        ({"title": "Hybrid Cloud Engineer"}, None),
        ({"title": "Développeur - 100% télétravail"}, "remote"),
        ({"title": "Entwickler (m/w/d) Homeoffice"}, "remote"),
        ({"title": "Engineer", "remote": True}, "remote"),
        ({"title": "Engineer", "tags": ["python", "remote"]}, "remote"),
        ({"title": "Engineer", "tags": ["remote", "hybrid"]}, "hybrid"),
        ({"title": "Engineer", "remote": False}, None),
        (
            {"location_text": "Remote,Oslo", "cities": ["Oslo"], "description": "Hybrid role"},
            "hybrid",
        ),
        (
            {
                "location_text": "Remote,Lyon",
                "cities": ["Lyon"],
                "description": "Un accord télétravail",
            },
            "hybrid",
        ),
        ({"location_text": "Remote - Spain", "description": "We are a hybrid company"}, "remote"),
        ({"remote": True, "description": "The role is hybrid: 3 days at the office."}, "hybrid"),
        (
            {
                "remote": False,
                "description": "In our Rome office, three days a week.\n"
                "Benefits: work from anywhere for up to four weeks a year, fully remote.",
            },
            "hybrid",
        ),
    ],
)
def test_title_text_place_tags_and_flag_in_this_order(
    posting: dict[str, Any], workplace: str | None
) -> None:
    read = _read(posting)[0]
    assert read["workplace"] == workplace
    assert read["remote"] is (workplace == "remote")


def test_what_is_contradicted_is_kept() -> None:
    read = _read(
        {"location_text": "Remote", "description": "A hybrid role", "remote": True, "title": "x"}
    )[0]
    evidence = [
        (each["origin"], each["value"], each["words"], each["decides"])
        for each in read["_evidence_workplace"]
    ]
    assert evidence == [
        ("body", "hybrid", "hybrid role", True),
        ("place", "remote", "Remote", False),
        ("field", "remote", "remote: true", False),
    ]


def test_words_stand_as_they_are_written() -> None:
    read = _read({"description": "Bref\n– Télétravail : 2 JOURS par semaine –"})[0]
    (evidence,) = read["_evidence_workplace"]
    assert evidence["words"] == "Télétravail : 2 JOURS"
    assert evidence["rule"] == "days at the office"


def test_each_row_is_read_alone() -> None:
    both = _read(
        {"description": "Fully remote"}, {"description": None}, {"description": "Hybrid role"}
    )
    assert [row["workplace"] for row in both] == ["remote", None, "hybrid"]


@given(st.lists(st.text(max_size=300), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_text_can_be_read(texts: list[str]) -> None:
    _read(*({"title": text, "location_text": text, "description": text} for text in texts))


@given(st.text(max_size=200))
def test_a_plain_text_has_as_many_characters(text: str) -> None:
    assert len(plain(text)) == len(text.lower()) or not text.isascii()
    assert plain(text).isascii()


_TEXTS = st.lists(
    st.sampled_from(["remote", "office ", "é", "\n", " ", "x" * 130, "word " * 30]), max_size=30
).map("".join)


@given(st.lists(_TEXTS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_the_windows_of_a_text_are_its_own(texts: list[str]) -> None:
    cues = ["remote", "office"]
    together = windows(pl.Series(texts), cues)
    for row, text in enumerate(texts):
        alone = windows(pl.Series([text]), cues)
        assert together.filter(pl.col("row") == row)["window"].equals(alone["window"])
        assert all(window in text and "\n" not in window for window in alone["window"])
        assert sum(window.count("remote") for window in alone["window"]) <= text.count("remote")
        assert all(any(cue in window for cue in cues) for window in alone["window"])


def test_expressions_of_plain_texts_may_be_written_with_other_letters() -> None:
    pattern = of_plain("(?:für|naïve)[ –-]{1,3}[^.–]x.")
    assert pl.Series([plain("FÜR – äx!"), plain("naïve -–x?")]).str.contains(pattern).to_list() == [
        True,
        False,
    ]


@pytest.mark.filterwarnings("ignore:Possible nested set")
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_pattern_fits_without_the_words_it_is_asked_with(data: st.DataObject) -> None:
    guarded = [each for each in (*_words.rules, *_words.not_meant.body) if each.only_with]
    each = data.draw(st.sampled_from(guarded))
    pattern = data.draw(st.sampled_from(each.patterns))
    fitting = data.draw(st.from_regex(re.compile(pattern, re.ASCII), alphabet=_LETTERS))
    assert any(word in fitting for word in each.only_with), fitting


_LETTERS = st.characters(min_codepoint=32, max_codepoint=126)


def test_there_are_only_so_many_windows() -> None:
    text = ("remote" + " " * 400) * 1_000
    assert windows(pl.Series([text]), ["remote"]).height == MAX_WINDOWS


@pytest.mark.parametrize("unit", ["remote ", "hybrid 2 days ", "office or ", "télétravail, ", "\n"])
def test_long_texts_take_linear_time(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        best = 9.0
        for _ in range(3):
            start = time.perf_counter()
            _of_text(text)
            best = min(best, time.perf_counter() - start)
        return best

    _of_text(unit)
    assert seconds(100_000) < 100 * max(seconds(1_000), 0.002)


def test_the_words_are_those_of_the_posting_itself() -> None:
    texts = ["Apply now. #LI-Remote", "Apply now. #li-remote", "Apply now. #LI-REMOTE"]
    lines = [
        json.dumps({"id": text, "title": "Go Developer", "description": text}).encode()
        for text in texts
    ]
    for row in understood(lines):
        words = [one["words"] for one in row["evidence"] if one["field"] == "workplace"]
        assert words, row
        assert all(one in row["id"] for one in words), (row["id"], words)
