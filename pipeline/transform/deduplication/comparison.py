"""The forms of company, title and place that are compared when postings are deduplicated.

One opening is "Sr. Backend Engineer (Payments) - Remote" of "Acme Inc." at one source and
"Senior Backend Engineer, Payments" of "ACME" at another. A title is read as a *head* (the
occupation, its words in alphabetical order), a *seniority* and a *qualifier* (the team, product
or programme after a dash, a comma or in parentheses), so that each can be compared by its own
rule.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from pipeline.transform.cleaning.text import fold
from pipeline.transform.deduplication.apply_url import apply_target
from pipeline.transform.deduplication.requisition_number import comparable_number, read_numbers
from pipeline.transform.understanding.gazetteer import OTHER_CITY_NAMES
from pipeline.transform.vocabulary import Pattern, Shape, Word, any_of, read


class _CompanyWords(Shape):
    legal_forms_before: list[Pattern]
    eastern_legal_forms: list[Pattern]
    branches: list[Pattern]
    decoration: list[Pattern]


class _Companies(Shape):
    """See ``companies.toml``."""

    legal_forms: dict[Word, list[Pattern]]
    words: _CompanyWords


class _TitleWords(Shape):
    seasons: list[Pattern]
    terms: list[Pattern]
    noise: list[Pattern]


class _Titles(Shape):
    """See ``titles.toml``."""

    seniority: dict[Word, list[Pattern]]
    synonyms: dict[Word, list[Pattern]]
    words: _TitleWords


_companies = read("companies", _Companies)
_titles = read("titles", _Titles)

_EASTERN_LEGAL_FORM = any_of(_companies.words.eastern_legal_forms)
_LEGAL_FORM_BEFORE = any_of(_companies.words.legal_forms_before)
_DECORATION = any_of(_companies.words.decoration)
_DROPPED_BEHIND = any_of([*chain(*_companies.legal_forms.values()), *_companies.words.branches])
_SENIORITY = {level: any_of(words) for level, words in _titles.seniority.items()}
_SYNONYMS = {word: any_of(variants) for word, variants in _titles.synonyms.items()}
_SEASON = any_of(_titles.words.seasons)
_TERM = any_of(_titles.words.terms, seasons=_SEASON)
_NOISE = any_of(_titles.words.noise, terms=_TERM)
_CITIES = dict(
    pl.DataFrame(list(OTHER_CITY_NAMES.items()), ["other", "city"], orient="row")
    .select(fold(pl.all()))
    .iter_rows()
)
"""Another name of a city → the name that is compared, both folded."""

WITH_STATES = ["US", "CA"]
"""Countries whose addresses name the state. Elsewhere each source has regions of its own."""

COMPARED = [
    "company_core", "head", "seniority", "qualifier", "wording", "years", "seasons", "numbers",
    "city_core", "state", "area", "apply_keys", "requisitions",
]  # fmt: skip


def with_compared_forms(postings: pl.DataFrame) -> pl.DataFrame:
    """The postings with the columns ``COMPARED``, each from the row alone.

    ``company_core``, ``city_core``, ``state`` and ``area`` are null where unknown; ``area`` is the
    free location text of a posting that has neither city nor country. ``wording`` is head and
    qualifier in their order, as a source that drops the punctuation writes them. ``seniority``
    and ``qualifier`` are empty where the title states none, and so are ``years`` and ``seasons``,
    the words of the title that say when a programme begins. ``numbers`` are the requisition
    numbers that the title states, or that an apply URL shows as employers write them in titles.
    ``apply_keys`` and ``requisitions`` (``SYSTEM:NUMBER``) are those of all addresses that the
    advert can be applied at.
    """
    return (
        postings.with_columns(
            company_core=_company(pl.col("company")),
            city_core=fold(pl.col("city")).replace(_CITIES).replace("", None),
            state=pl.when(pl.col("country").is_in(WITH_STATES)).then(
                fold(pl.col("region")).replace("", None)
            ),
            area=pl.when(pl.col("city").is_null() & pl.col("country").is_null())
            .then(
                fold(pl.col("location_text"))
                .str.replace_all(rf"\b{_NOISE}\b", " ")
                .pipe(_single_blanks)
                .replace("", None)
            )
            .otherwise(None),
        )
        .pipe(_with_addresses)
        .pipe(_with_title_parts)
    )


def same_company(one: str | None, other: str | None) -> bool:
    """Whether two ``company_core`` may name one company: one is unknown, they differ in blanks
    alone, or the words of one stand within the other's ("optio", "optio labs")."""
    if one is None or other is None or one.replace(" ", "") == other.replace(" ", ""):
        return True
    shorter, longer = sorted((one, other), key=len)
    return f" {shorter} " in f" {longer} "


def check_comparable(postings: pl.DataFrame) -> None:
    """Ask of postings what Python is asked for their compared forms: where that raises, so does
    this. The rest are expressions of Polars, which take any text."""
    _read_by_python(postings)


class _Read(NamedTuple):
    """What Python reads of postings, a value for each."""

    apply_keys: list[list[str]]
    requisitions: list[list[str]]
    numbers: list[str]
    titles: list[str]


def _read_by_python(postings: pl.DataFrame) -> _Read:
    given = postings.select(
        "title",
        # A requisition number has a digit; most titles have none.
        may_have_number=pl.col("title").str.contains(r"\d"),
        urls=pl.concat_list(pl.concat_list("apply_url").list.drop_nulls(), "apply_urls"),
    )
    read = _Read([], [], [], [])
    for title, may_have_number, urls in given.iter_rows():
        targets = [apply_target(url) for url in urls]
        without, said = read_numbers(title) if may_have_number else (title, ())
        named = {comparable_number(target.number) for target in targets if target.number}
        read.apply_keys.append(sorted({target.key for target in targets if target.key}))
        read.requisitions.append(
            sorted({f"{target.system}:{target.requisition}" for target in targets if target.system})
        )
        read.numbers.append(" ".join(sorted(named.union(said))))
        read.titles.append(without)
    return read


def _with_addresses(postings: pl.DataFrame) -> pl.DataFrame:
    """With what the apply URLs say, and the title read as ``_title`` and ``numbers``."""
    keys, requisitions, numbers, titles = _read_by_python(postings)
    lists = pa.list_(pa.large_string())  # Arrow builds columns of lists several times as fast.
    read = postings.with_columns(
        apply_keys=pl.Series(pa.array(keys, lists)),
        requisitions=pl.Series(pa.array(requisitions, lists)),
        numbers=pl.Series(numbers, dtype=pl.String),
        _title=pl.Series(titles, dtype=pl.String),
    )
    return _with_terms(read)


def _with_terms(postings: pl.DataFrame) -> pl.DataFrame:
    terms = fold(pl.col("_title")).str.extract_all(rf"\b{_TERM}\b").list.join(" ")
    return postings.with_columns(
        years=_sorted_words(terms.str.extract_all(r"20\d\d").list.join(" ")),
        seasons=_sorted_words(
            terms.str.replace_all("autumn", "fall").str.extract_all(_SEASON).list.join(" ")
        ),
    )


def _with_title_parts(postings: pl.DataFrame) -> pl.DataFrame:
    marks = (
        pl.col("_title")
        .str.replace_all(r"(?i)\b(?:c\+\+)", "cpp")
        .str.replace_all(r"[(\[{]", " | ")
        .str.replace_all(r"[)\]}]", " | ")
        .str.replace_all(r"\s[-–—:•·/]+\s*|\s*[–—|•,;]\s*|:\s", " | ")
        .str.replace_all(r"(?i)(\p{L}{3,})-(\d)\b", "${1} ${2}")
    )
    parts = (
        marks.str.split("|")
        .list.eval(_plain(pl.element()), parallel=False)
        .list.eval(pl.element().filter(pl.element() != ""))
    )
    return (
        postings.with_columns(_parts=parts, _whole=_plain(pl.col("_title")))
        .with_columns(
            _words=pl.col("_parts").list.join(" "),
            _place=pl.concat_list(
                *[fold(pl.col(name)).fill_null("") for name in ("city", "region")], "city_core"
            ).list.drop_nulls(),
        )
        .with_columns(
            seniority=pl.concat_str(
                [
                    pl.when(pl.col("_words").str.contains(rf"\b{words}\b"))
                    .then(pl.lit(f"{level} "))
                    .otherwise(pl.lit(""))
                    for level, words in _SENIORITY.items()
                ]
            ).str.strip_chars(),
            _parts=pl.col("_parts")
            .list.eval(_without_seniority(pl.element()))
            .list.eval(pl.element().filter(pl.element() != ""))
            .list.set_difference("_place"),
        )
        .with_columns(_head=pl.col("_parts").list.first().replace("", None))
        .with_columns(
            head=_sorted_words(pl.coalesce("_head", pl.col("_whole").replace("", None), "title")),
            qualifier=_sorted_words(pl.col("_parts").list.slice(1).list.join(" ")),
            wording=pl.col("_parts").list.join(" ").replace("", None),
        )
        .drop("_title", "_parts", "_whole", "_words", "_place", "_head")
    )


def _plain(text: pl.Expr) -> pl.Expr:
    return _with_synonyms(fold(text)).str.replace_all(rf"\b{_NOISE}\b", " ").pipe(_single_blanks)


def _without_seniority(text: pl.Expr) -> pl.Expr:
    words = any_of(_SENIORITY.values())
    return text.str.replace_all(rf"\b{words}\b", " ").pipe(_single_blanks)


def _sorted_words(text: pl.Expr) -> pl.Expr:
    return text.str.split(" ").list.unique().list.sort().list.join(" ")


def _company(company: pl.Expr) -> pl.Expr:
    written = (
        company.str.normalize("NFC")
        .str.replace_all("&amp;", "&", literal=True)
        .str.replace_all(r"[®™©℠]", "")
        .str.replace_all(rf"(?i)\s*[(\[]\s*{_DECORATION}\s*[)\]]", "")
        .str.replace(rf"(?i)(?:\s*[|·•–—]\s*|\s+-\s+){_DECORATION}\s*$", "")
        .str.replace(r"(?i)^careers at (.)", "${1}")
        .str.replace(rf"^\s*{_EASTERN_LEGAL_FORM}|{_EASTERN_LEGAL_FORM}\s*$", "")
        .str.replace_all(r"(?i)\.(?:com|io|ai|net|org)\b", "")
    )
    name = (
        fold(pl.when(written.str.strip_chars() == "").then(company).otherwise(written))
        .str.replace(r"^the ", "")
        .str.replace(rf"^{_LEGAL_FORM_BEFORE} (.)", "${1}")
    )
    without = name.str.replace_all(rf"(?:\s+{_DROPPED_BEHIND})+$", "")
    return pl.when(without == "").then(name).otherwise(without).replace("", None)


def _with_synonyms(text: pl.Expr) -> pl.Expr:
    for word, variants in _SYNONYMS.items():
        text = text.str.replace_all(rf"\b{variants}\b", word)
    return text


def _single_blanks(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r" {2,}", " ").str.strip_chars()
