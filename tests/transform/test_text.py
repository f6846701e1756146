from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.transform import text

PAYLOAD = Path(__file__).parents[3] / "shared" / "payloads" / "remoteok_2024-12-04.json"


def line(value: str) -> str | None:
    cleaned: str | None = pl.select(text.line(pl.lit(value))).item()
    return cleaned


def paragraphs(value: str) -> str | None:
    cleaned: str | None = pl.select(text.paragraphs(pl.lit(value))).item()
    return cleaned


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Gothenburg, VÃ¤stra GÃ¶taland, Sweden", "Gothenburg, Västra Götaland, Sweden"),
        ("FlorianÃ³polis", "Florianópolis"),
        ("BrasÃ\xadlia", "Brasília"),
        ("donâ€™t, weâ\x80\x99re", "don’t, we’re"),
        ("ï¼\x88ç¤¾å\x86\x85é\x80\x9aè¨³ï¼\x89", "（社内通訳）"),
        ("Ünal naïve café Ångström", "Ünal naïve café Ångström"),
        ("CI&amp;T", "CI&T"),
        ("R&amp;amp;amp;D", "R&D"),
        ("AT&T and R&D", "AT&T and R&D"),
        ("Senior <strong>Backend</strong> Engineer", "Senior Backend Engineer"),
        ("&lt;b&gt;Go&lt;/b&gt; developer", "Go developer"),
        ("vector<int> where a < b && c > d", "vector<int> where a < b && c > d"),
        ("  C++\t/  C#\n.NET ", "C++ / C# .NET"),
        ("nul\x00 and zero\u200bwidth and \x1cseparator", "nul and zerowidth and separator"),
    ],
)
def test_a_line_is_cleaned(raw: str, clean: str) -> None:
    assert line(raw) == clean


@pytest.mark.parametrize("raw", ["", " \t\n", "\x00\u200b", "&nbsp;", "<p> </p>", "<!-- x -->"])
def test_nothing_visible_is_null(raw: str) -> None:
    assert line(raw) is None
    assert paragraphs(raw) is None


def test_paragraphs_and_lists_keep_their_shape() -> None:
    raw = "<p>We&rsquo;re hiring.</p><ul><li>Go</li><li>Rust</li></ul><p>Apply<br/>today</p>"
    assert paragraphs(raw) == "We’re hiring.\n- Go\n- Rust\n\nApply\ntoday"


def test_scripts_and_styles_are_not_text() -> None:
    raw = "<style>p{color:red}</style><p>Job</p><script>alert('x')</script>"
    assert paragraphs(raw) == "Job"


@pytest.mark.skipif(not PAYLOAD.exists(), reason="the recorded payloads are not beside the repo")
def test_recorded_descriptions_lose_markup_mojibake() -> None:
    raw = [job["description"] for job in json.loads(PAYLOAD.read_text())[1:]]
    clean = pl.DataFrame({"raw": raw}).select(
        text.paragraphs(pl.col("raw"))
    )["raw"]
    left = r"</?(?:p|li|br|div|strong)\b|&(?:amp|nbsp|#\d+);|â\x80|Ã[¤¶³£©]"
    assert clean.drop_nulls().str.contains(left).sum() == 0
    assert clean.null_count() == 1  # the posting that is empty altogether


FRAGMENTS = st.sampled_from(
    ["<p>", "</p>", "<li>", "<br/>", "<script>", "<!--", "-->", "&", "&amp;", "&lt;", "&#0;",
     "&#x80;", "\x00", "\x1c", "\x85", "\u200b", "\u2028", "\\n", "\n", "\r", " ", "\xa0", "Ã¶",
     "â€™", "amp;",
     "Ã ", "â\x80\x99", "<", ">", "\"", "a", "Go"]
)  # fmt: skip
WILD = st.lists(FRAGMENTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)).map(
    "".join
)


@settings(max_examples=300)
@given(WILD)
def test_cleaning_is_total_idempotent_and_leaves_no_control_characters(raw: str) -> None:
    for clean in (line, paragraphs):
        once = clean(raw)
        if once is None:
            continue
        assert once
        assert once == once.strip()
        assert clean(once) == once
        assert not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in once)
