"""The role of a posting: one of the categories, or none of technology, and why.

The title decides (:mod:`pipeline.transform.understanding.role_title`); where it names no role, the
duties and the technologies of the posting do
(:mod:`pipeline.transform.understanding.role_duties`). The words are data, ``roles.toml``;
``docs/roles.md`` says the rules in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from pipeline.fields import CATEGORIES
from pipeline.transform.cleaning.distinct import by_distinct
from pipeline.transform.understanding.evidence import (
    EVIDENCE,
    MAX_WORDS_CHARS,
    Evidence,
    Origin,
    finding,
)
from pipeline.transform.understanding.evidence_lists import of_rows
from pipeline.transform.understanding.role_duties import (
    DUTIES,
    MAX_MATCHES,
    MAX_NAMED,
    NAMED,
    SHOWN,
    Answer,
    answer,
)
from pipeline.transform.understanding.role_openings import (
    MAX_OPENINGS,
    OPENINGS,
    SEEKS_WORK,
    names_of_openings,
)
from pipeline.transform.understanding.role_title import Verdict, judged, words_of
from pipeline.transform.understanding.role_vocabulary import NOT_TECH, ROLES


def with_category(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``category``, null where the job is none of technology, ``category_reason`` and the
    evidence of it.

    The reason names the field and the words that decided, for example ``title: backend engineer``
    or ``title: software engineer; duties: REST APIs; skills: Kotlin, PostgreSQL``; where there is
    no category, why not: ``title: account executive (sales and recruiting people)``. Reads
    ``title``, ``description`` and ``skills``; a row's result depends on that row alone.
    """
    verdict, answered = pl.col("_verdict").struct, pl.col("_answer").struct
    is_open = verdict.field("is_open")
    body = pl.when(verdict.field("asks").is_not_null()).then(pl.col("description"))
    named = body.str.extract_all(NAMED).list.head(MAX_NAMED)
    offers = pl.when(verdict.field("asks").is_in(_NAMELESS) & ~body.str.contains(SEEKS_WORK)).then(
        body
    )
    asked = pl.struct(
        "title",
        "_verdict",
        description=body,
        duties=body.str.extract_all(DUTIES).list.head(MAX_MATCHES),
        named=named,
        named_words=named.list.eval(words_of(pl.element())),
        openings=offers.str.extract_all(OPENINGS).list.head(MAX_OPENINGS),
        skills="skills",
    )
    return (
        postings.with_columns(_verdict=by_distinct(words_of(pl.col("title")), _verdicts, _VERDICT))
        .with_columns(_answer=asked.map_batches(_answers, return_dtype=_ANSWER))
        .with_columns(
            category=pl.when(is_open)
            .then(answered.field("category"))
            .otherwise(verdict.field("category"))
            .cast(pl.Enum(CATEGORIES)),
            category_reason=pl.when(is_open)
            .then(answered.field("reason"))
            .otherwise(verdict.field("reason")),
            _evidence_role=pl.when(is_open)
            .then(answered.field("found"))
            .otherwise(
                finding(
                    "category",
                    verdict.field("category"),
                    "title",
                    _as_written(verdict.field("words")),
                    verdict.field("rule"),
                )
            ),
        )
        .drop("_verdict", "_answer")
    )


def relevant(postings: pl.DataFrame) -> pl.DataFrame:
    """``Posting`` → ``RelevantPosting``: those that have a category."""
    return postings.filter(pl.col("category").is_not_null())


_VERDICT = pl.Struct(
    {
        "category": pl.String,
        "words": pl.String,
        "rule": pl.String,
        "asks": pl.String,
        "reason": pl.String,
        "is_open": pl.Boolean,
        "title_words": pl.String,
    }
)


def _verdicts(words: pl.Series) -> pl.Series:
    return pl.Series([_of_title(text) for text in words], dtype=_VERDICT)


def _of_title(words: str) -> dict[str, object]:
    """What the words of a title say. It leaves something open where it asks the duties, and where
    it overrules a word of another occupation."""
    verdict = judged(words)
    return {
        "category": verdict.category,
        "words": verdict.words,
        "rule": verdict.rule,
        "asks": verdict.asks,
        "reason": _reason(verdict, Answer(verdict.category)),
        "is_open": verdict.asks is not None or verdict.other is not None,
        "title_words": words,
    }


_ANSWER = pl.Struct({"category": pl.String, "reason": pl.String, "found": EVIDENCE})


def _answers(rows: pl.Series) -> pl.Series:
    """The answers for the rows whose title leaves something open; null for the others."""
    frame = rows.struct.unnest().with_row_index("row")
    open_ = frame.filter(pl.col("_verdict").struct.field("is_open")).with_columns(
        pl.col("_verdict").struct.field("title_words")
    )
    offered = _offered(open_.select("row", "openings").drop_nulls())
    answers: dict[int, dict[str, Any]] = {}
    for row in open_.select(_READ).iter_rows():
        number, title, words, description, duties, named, named_words, skills = row
        verdict = judged(words)
        given = Answer(verdict.category)
        bare = _bare(title) if verdict.asks is not None and not description else None
        if bare is not None:
            verdict = Verdict(bare, title, "a title by itself")
            given = Answer(bare)
        elif verdict.asks is not None:
            names = [
                (text, judged(its_words))
                for text, its_words in zip(named or (), named_words or (), strict=True)
            ]
            if verdict.asks == "engineer" and any(name.asks == "software" for _, name in names):
                verdict = verdict._replace(asks="software")
            opening = offered.get(number)
            if opening is None:
                given = answer(verdict, description, duties or (), skills or (), _first(names))
            else:
                given = _of_opening(opening, description, duties or (), skills or ())
        answers[number] = {
            "category": given.category,
            "reason": _reason(verdict, given, description),
            "found": list(_findings(verdict, given, title, description or "")),
        }
    return of_rows(answers, len(frame), _ANSWER).alias(rows.name)


_READ = (
    "row", "title", "title_words", "description", "duties", "named", "named_words", "skills",
)  # fmt: skip


def _offered(openings: pl.DataFrame) -> dict[int, Verdict]:
    """Row → the first role of technology that the openings of its description name, with its words
    as they are written."""
    names = pl.DataFrame(
        [(row, name) for row, found in openings.iter_rows() for name in names_of_openings(found)],
        schema={"row": pl.Int64, "name": pl.String},
        orient="row",
    ).with_columns(words=words_of(pl.col("name")))
    offered: dict[int, Verdict] = {}
    for row, name, words in names.iter_rows():
        verdict = judged(words)
        if _default(verdict) is not None:
            offered.setdefault(row, verdict._replace(words=name))
    return offered


def _default(verdict: Verdict) -> str | None:
    """The role of a title where no description says otherwise."""
    if verdict.category is not None or verdict.asks is None:
        return verdict.category
    return ROLES.questions[verdict.asks].default


def _of_opening(
    opening: Verdict, description: str | None, duties: Sequence[str], skills: Sequence[str]
) -> Answer:
    """The role that the name of an opening tells, or the duties where it leaves it open."""
    if opening.asks is None:
        return Answer(opening.category, (opening.words,))
    given = answer(opening, description, duties, skills)
    return given._replace(duties=(opening.words, *given.duties)[:SHOWN])


_NAMELESS = ("anything", "engineer", "operations")
"""The questions of titles that name no role."""

_BARE = {
    category: re.compile("|".join(patterns)) for category, patterns in ROLES.bare.titles.items()
}
_LEVELS = frozenset(ROLES.bare.levels)


def _bare(title: str | None) -> str | None:
    """The role of a title that says no more than a name that most often has it."""
    words = re.findall(r"\w+", (title or "")[:100].lower())
    name = " ".join(word for word in words if word not in _LEVELS)
    return next((role for role, pattern in _BARE.items() if pattern.fullmatch(name)), None)


def _first(names: Sequence[tuple[str, Verdict]]) -> Verdict | None:
    """What the description calls the job first, of the names that tell a role."""
    for text, verdict in names:
        if verdict.category is not None and verdict.asks is None:
            return verdict._replace(words=text)
    return None


def _reason(verdict: Verdict, given: Answer, description: str | None = None) -> str:
    if verdict.asks is None:
        unsaid = f" ({verdict.rule})" if verdict.category is None else ""
        return f"title: {verdict.words}{unsaid}"
    title = f"title: {verdict.words or 'no word of a role'}"
    if given.category is None:
        silent = "the duties tell no role" if description else "no description tells the role"
        other = f" ({verdict.other})" if verdict.other else ""
        return f"{title}{other}; {silent}"
    duties = f"; duties: {', '.join(given.duties)}" if given.duties else ""
    skills = f"; skills: {', '.join(given.skills)}" if given.skills else ""
    return title + duties + skills


def _findings(verdict: Verdict, given: Answer, title: str, description: str) -> Iterator[Evidence]:
    """What the title says, decisive or not, the word of another occupation that it overrules, and
    what the duties say."""
    decided = given.category
    says = _default(verdict)
    if says is not None:
        words = _written(verdict.words, title)
        yield _found(says, "title", words, verdict.rule, decides=says == decided)
    if decided is None:
        return
    shown = [skill for skill in given.skills if skill in description]
    if says != decided and not given.duties and not shown:
        # Nothing stands in the description as it would be shown: the technologies have other
        # spellings there, or a word of the title pointed at the role.
        yield _found(decided, "title", title, "title and technologies")
    if verdict.other is not None:
        other = _written(verdict.other, title)
        yield _found(NOT_TECH, "title", other, "another occupation", decides=False)
    for duty in given.duties:
        yield _found(decided, "body", duty, "duties")
    for skill in shown:
        yield _found(decided, "body", skill, "technologies")


def _found(value: str, origin: Origin, words: str, rule: str, *, decides: bool = True) -> Evidence:
    return {
        "field": "category",
        "value": value,
        "origin": origin,
        "words": words[:MAX_WORDS_CHARS],
        "rule": rule,
        "decides": decides,
    }


def _written(words: str, title: str) -> str:
    """Folded words as the title has them; the whole title where they are not side by side."""
    start = title.lower().find(words) if title.isascii() else -1
    return title[start : start + len(words)] if words and start >= 0 else title


def _as_written(words: pl.Expr) -> pl.Expr:
    """As :func:`_written`."""
    title = pl.col("title")
    start = title.str.to_lowercase().str.find(words, literal=True)
    is_ascii = title.str.len_chars() == title.str.len_bytes()
    return (
        pl.when(start.is_not_null() & is_ascii)
        .then(title.str.slice(start, words.str.len_chars()))
        .otherwise(title)
    )
