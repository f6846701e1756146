from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from pipeline.transform.cleaning import markup, text

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
def test_recorded_descriptions_lose_markup_and_mojibake() -> None:
    raw = [job["description"] for job in json.loads(PAYLOAD.read_text())[1:]]
    clean = pl.DataFrame({"raw": raw}).select(text.paragraphs(pl.col("raw")))["raw"]
    left = r"</?(?:p|li|br|div|strong)\b|&(?:amp|nbsp|#\d+);|â\x80|Ã[¤¶³£©]"
    assert clean.drop_nulls().str.contains(left).sum() == 0


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ('<a title="a > b">Link</a> x', "Link x"),
        ("<p style='font-family:\"A > B\"'>q</p>", "q"),
        ('text <a href="https://acme.example/jo', "text"),
        ('<P>UP</P><BR>x<Br />y<br clear="all">z', "UP\n\nx\ny\nz"),
        ("<o:p>word</o:p> <x-tag a=1>t</x-tag>", "word t"),
        ("<![CDATA[<p>Hi</p>]]>", "Hi"),
        ("a <!-- b --> c <!-- d", "a c d"),
        ("<?xml version='1.0'?><!DOCTYPE html>x<![if !supportLists]>y<![endif]>", "xy"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<ul><li>a<ul><li>b</li></ul></li><li><p>c</p></li><li></li></ul>", "- a\n- b\n- c"),
        ("<p>a</p>\\n<p>b</p> C:\\new", "a\n\nb\n\nC:\\new"),
        ("<b>Know the &lt;script&gt; tag</b> and more", "Know the tag and more"),
        ("R&D&nbsp;and AT&T&nbsp more &copy x", "R&D and AT&T more &copy x"),
    ],
)
def test_markup_is_undone(raw: str, clean: str) -> None:
    assert paragraphs(raw) == clean


@pytest.mark.parametrize(
    "prose",
    [
        "experience < 5 years", "a <b and c> d", "I <3 Go", "latency <100ms", "List<String> names",
        "Map<String, List<Integer>> x = y;", "if a<b then", "List<Object> all",
        "x <- y -> z --> w <= 3 <> 4", "mail <jobs@acme.example> or <https://acme.example/x>",
    ],
)  # fmt: skip
def test_prose_with_angle_brackets_stays(prose: str) -> None:
    assert paragraphs(prose) == prose
    assert line(prose.replace("<", "&amp;lt;")) == prose


HOSTILE = [
    "<script>alert(1)</script>", "<script>alert(1)", "<scr<b>ipt>x</scr</b>ipt>", "<\u200dscript>x",
    "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)", "<svg/onload=alert(1)>",
    "x <foo onclick=alert(1)>", "<x a=< onclick=alert(1)>", '<x a="<" onclick=alert(1)>',
    "<x < onclick=alert(1)>", "<form x action=javascript:y>", "<a b href=javascript:x>k</a>",
    "&lt;img src=x onerror=y&gt;", "&amp;lt;iframe src=x&amp;gt;", "<iframe x src=y>",
    "<math><mi xlink:href=x>", "<b/onmouseover=x>", '<p/x="">', "<details open ontoggle=x>",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE)
def test_nothing_is_left_that_a_browser_would_run(raw: str) -> None:
    for clean in (line(raw), paragraphs(raw), line(f"Job {raw} end")):
        _runs_nothing(clean)


def _runs_nothing(clean: str | None) -> None:
    for node in LexborHTMLParser(f"<body>{clean or ''}\n<p title=' >").css("body *"):
        assert node.tag not in {
            "script",
            "img",
            "svg",
            "iframe",
            "math",
            "object",
            "embed",
            "style",
        }
        assert not any(name.startswith("on") for name in node.attributes), clean
        assert not {"href", "src", "action"} & node.attributes.keys(), clean


# One line a language: realistic words that are written as they should be.
WORDS = [
    "Φαντασία Μηχανικός Αθήνα Ομάδα Έλληνες", "מערכות מהנדס תוכנה", "مهندس برمجيات الشركة",
    "می‌خواهیم", "Разработчик Москва Инженер", "Київ Львів розробник", "Timiș Iași București Țara",
    "Phần mềm Việt Nam Đà Nẵng kỹ sư", "백엔드 개발자 서울", "北京软件 工程师 上海",
    "アクメ株式会社 エンジニア",
    "วิศวกร กรุงเทพ", "इंजीनियर मुंबई", "தமிழ்", "İstanbul Şirketi Müşteri ığdır",
    "Kraków Łódź żółć inżynier",
    "Škoda Příbram Žižkov Děčín", "Rīga Ķekava Šķēde", "Café Zürich l’équipe œuvre",
    "Größe MÜLLER Straße",
    "España ¿Qué? Ñandú", "São Paulo ação não", "Győr fejlesztő", "Malmö Ångström Åre", "Þór Æsir",
    "Gəncə", "თბილისი", "Հայաստան", "🚀 🔥 👩‍💻 ❤️ ✅", "“quoted” – it’s • 10 € £5 ® ™ … ½",
]  # fmt: skip


def misread(word: str, encoding: str, times: int = 1) -> str:
    for _ in range(times):
        word = word.encode().decode(encoding)
    return word


@pytest.mark.parametrize("encoding", ["latin-1", "sloppy-windows-1252", "sloppy-windows-1254"])
@pytest.mark.parametrize("words", WORDS)
def test_utf_8_that_was_misread_is_decoded(words: str, encoding: str) -> None:
    for word in words.split(" "):
        damaged = misread(word, encoding)
        assert line(damaged) == word
        assert line(f"The {damaged} team") == f"The {word} team"
    assert line(misread(words, encoding)) == words


@pytest.mark.parametrize("encoding", ["latin-1", "sloppy-windows-1252"])
@pytest.mark.parametrize("words", [words for words in WORDS if words != "Հայաստան"])
def test_what_was_misread_twice_is_decoded_twice(words: str, encoding: str) -> None:
    assert line(misread(words, encoding, 2)) == words


@pytest.mark.parametrize(
    ("damaged", "clean"),
    [
        ("KrakĂłw", "Kraków"), ("StraĂźe", "Straße"), ("Ĺkoda".replace("Ĺ", "Ĺ\xa0"), "Škoda"),
        ("РњРѕСЃРєРІР°", "Москва"), ("TimiИ™oara", "Timișoara"), ("Universit√§t", "Universität"),
        ("S√£o", "São"), ("‚Ç¨", "€"),
    ],
)  # fmt: skip
def test_other_encodings_are_known(damaged: str, clean: str) -> None:
    assert line(damaged) == clean


UNDAMAGED = [
    "Ã", "Ñ", "naïve", "10 Â", "São Paulo", "« café »", "«\xa0café\xa0»", "«CAFÉ»", "“MENÚ”",
    "MENÜ”", "CAFÉ®", "SMÅ”", "“AMANHÔ", "“AMANHÃ”", "voilà…", "É»", "Größe”", "CAFÉ’S",
    "SOCIÉTÉ\xa0: x",
    "où\xa0?", "Æ€", "ingénieur·e·s DIPLÔMÉ·E·S", "“Straß”", "É¿", "50£", "Привет™", "СІРІ",
    "РІЗНІ",
    "TGFβ 5 µm",
    "Ångström Åre Ä–Ö", "ÇA «VA»", "été…", "«\xa0où\xa0»", "Zürich–Genève", "3½ × 4² m³",
]  # fmt: skip


@pytest.mark.parametrize("clean", [*WORDS, *UNDAMAGED])
def test_undamaged_text_stays(clean: str) -> None:
    assert line(clean) == clean.replace("\xa0", " ")


ALPHABETS = [
    "aàâæçéèêëîïôùûüÿ", "aäöüß", "aáéíñóúü", "aãáàâçéêíóõôú", "aąćęłńóśźż", "aáčďéěíňóřšťúůýž",
    "aăâîșț", "aåäöøæ", "açğıiöşü", "αβγδεζηθικλμνξοπρστυφχψω", "абвгдежзийклмнопрстуфхцчшщыьэюя",
    "אבגדהוזחטיכלמנסעפצקרשת", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "가나다라마바사아자차카타파하",
    "北京软件工程师上海",
    "アイウエオカキクケコ", "กขคงจฉชซ", "अआइईउऊकखग",
]  # fmt: skip
CLEAN = st.sampled_from(ALPHABETS).flatmap(
    lambda letters: st.lists(st.text(letters, min_size=3, max_size=9), min_size=1, max_size=4)
).map(" ".join)  # fmt: skip


@settings(max_examples=300)
@given(CLEAN, st.sampled_from(["", "’", "…", ".", "!", "™", "”"]), st.booleans())
def test_words_of_any_script_stay(words: str, end: str, is_title: bool) -> None:
    clean = (words.title() if is_title else words) + end
    assert line(clean) == clean


@settings(max_examples=300)
@given(CLEAN, st.sampled_from(["latin-1", "sloppy-windows-1252"]))
def test_words_of_any_script_are_decoded(words: str, encoding: str) -> None:
    assert line(misread(words, encoding)) == words


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3", "👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f x\U000e0061",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f x",
        ),
        ("می\u200cخواهیم", "می\u200cخواهیم"),
        ("<b>می\u200c</b>خواهیم", "می\u200cخواهیم"),
        ("നന്\u200d", "നന്\u200d"),
        ("क्\u200dष क्\u200cष", "क्\u200dष क्\u200cष"),
        ("Back\u200bend\u2060 \ufeffEngi\u00adneer\u200d", "Backend Engineer"),
        ("\u200f\u202bמהנדס\u202c Backend", "מהנדס Backend"),
        ("Go\ufe0f\u200c Developer\u3164", "Go Developer"),
        ("\u200c\u200d\ufe0f", None),
    ],
)
def test_joiners_stay_where_they_belong(raw: str, clean: str | None) -> None:
    assert line(raw) == clean


def fold(value: str) -> str:
    folded: str = pl.select(text.fold(pl.lit(value))).item()
    return folded


@pytest.mark.parametrize(
    "same",
    ["𝐁𝐚𝐜𝐤𝐞𝐧𝐝 𝐄𝐧𝐠𝐢𝐧𝐞𝐞𝐫", "Ｂａｃｋｅｎｄ Ｅｎｇｉｎｅｅｒ", "ⓑⓐⓒⓚⓔⓝⓓ ⓔⓝⓖⓘⓝⓔⓔⓡ", "ʙᴀᴄᴋᴇɴᴅ ᴇɴɢɪɴᴇᴇʀ",
     "🅑🅐🅒🅚🅔🅝🅓 🄴🄽🄶🄸🄽🄴🄴🅁", "Back\u200dend En\u200cgineer\ufe0f", "BÀCKÉND-ENGINÉER"],
)  # fmt: skip
def test_what_reads_alike_folds_alike(same: str) -> None:
    assert fold(same) == "backend engineer"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("アクメ株式会社", "グロベックス合同会社"),
        ("バンド", "ハンド"),
        ("राम", "रोम"),
        ("กา", "กี"),
        ("한", "하"),
    ],
)
def test_names_of_other_scripts_keep_their_letters(one: str, other: str) -> None:
    assert fold(one)
    assert fold(one) != fold(other)


@settings(max_examples=300)
@given(CLEAN)
def test_no_word_folds_to_nothing(words: str) -> None:
    assert len(fold(words).split()) == len(words.split())


FRAGMENTS = st.sampled_from(
    ["<p>", "</p>", "<li>", "<br/>", "<script>", "<!--", "-->", "&", "&amp;", "&lt;", "&#0;",
     "&#x80;", "\x00", "\u200d", "👩", "<x ", "onload=",
     "<img ", "='", "é", "م", "\x1c", "\x85",
     "\u200b", "\u2028", "\\n", "\n", "\r", " ", "\xa0", "Ã¶",
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
        _runs_nothing(once)
        assert not any((ord(char) < 32 and char != "\n") or 127 <= ord(char) < 160 for char in once)


@pytest.mark.parametrize(
    ("title", "whole"),
    [
        ("東京の仕事", "東京の仕事"),
        ("Инженер платформы", "Инженер платформы"),
        ("백엔드 엔지니어", "백엔드 엔지니어"),
    ],
)
def test_a_letter_that_was_cut_in_two_at_the_end_is_dropped(title: str, whole: str) -> None:
    for cut in (1, 2):
        damaged = title.encode()[:-cut].decode("latin-1")
        assert line(damaged) == whole[:-1].strip()
    assert line(whole) == whole
    assert line("São Paulo, Brasil Â") == "São Paulo, Brasil Â"


ORDINARY = [
    "<p>", "</p>", "<P CLASS='x'>", '<div style="a>b">', "</div>", "<b>", "</b>", "<li>", "</li>",
    "<ul type=disc>", "</ul>", "<br>", "<br/>", "<BR />", "<td>", "</td>", "<h2\n>", "</h2>",
    '<a href="https://acme.example/?a=1&amp;b=2">', "</a>", "<img src=x.png alt='a b'>",
    "<input disabled>", "<span data-x>", "word", " ", "\n", "\\n", "a < b", "c > d", "&amp;",
    "é", "-",
]  # fmt: skip
ODD = ["<x-tag>", "<script>", "</script>", "<!-- x -->", "<p", "</b ", "]]>", "<a b c>", "<o:p/>"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*ORDINARY, *ODD]), max_size=12))
def test_ordinary_markup_is_read_by_expressions_as_by_the_careful_reader(parts: list[str]) -> None:
    raw = "".join(parts)
    rows = pl.DataFrame({"text": [raw]}).with_row_index("row")
    tidy = text._tidy_lines(pl.col("text"))
    at_once = rows.pipe(markup.without_tags).select(tidy).item()
    careful = markup._without_markup(raw) if re.search(markup.MARKUP, raw) else raw
    assert at_once == pl.select(pl.lit(careful).alias("text")).select(tidy).item()


def test_texts_of_a_column_do_not_depend_on_one_another() -> None:
    raw = ["<p>a</p>", "plain", None, "&amp;lt;b&amp;gt;x", "<p>a</p>", "Ã¶", "👩\u200d💻", ""]
    together = pl.DataFrame({"raw": raw}).select(text.paragraphs(pl.col("raw")))["raw"].to_list()
    assert together == [None if value is None else paragraphs(value) for value in raw]
