"""The role of a posting: one of the categories, or none of technology, and why.

The title is reduced to the words of the vocabulary (``roles.toml``) that it holds. They are a
small grammar: names of whole jobs, crafts, and nouns that a craft stands beside. The first job that
they name decides. Where they name none, as in "Software Engineer", the duties of the description
and the technologies decide. ``docs/roles.md`` says the rules in words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

import polars as pl

from pipeline.fields import CATEGORIES
from pipeline.transform.cleaning.distinct import by_distinct
from pipeline.transform.cleaning.text import fold
from pipeline.transform.understanding.evidence import EVIDENCE, MAX_WORDS_CHARS, finding
from pipeline.transform.understanding.skills import KINDS
from pipeline.transform.vocabulary import Pattern, Shape, Word, one_of, read

SHOWN = 6
"""How many duties and how many technologies a reason names."""

NOT_TECH = "none"
"""The category of words that name a job of no technology."""

ASKED = (
    "software", "infrastructure", "platform", "administration", "operations", "data", "engineer",
    "analyst", "leader", "anything",
)  # fmt: skip
"""What a title that decides nothing leaves to the duties: see ``questions`` in ``roles.toml``."""

_Category = Annotated[str, one_of(CATEGORIES)]


class _Words(Shape):
    """An entry of ``title.jobs`` or ``title.crafts``: see ``roles.toml``."""

    name: Word
    words: list[Pattern]
    category: _Category | None = None
    alone: bool = False
    plain: bool = False
    weak: bool = False
    person: bool = False
    like_previous: bool = False
    yields: bool = False
    asks: Annotated[str, one_of(ASKED)] | None = None


class _Nouns(Shape):
    makers: list[Pattern]
    others: list[Pattern]
    leaders: list[Pattern]


class _Title(Shape):
    jobs: list[_Words]
    crafts: list[_Words]
    nouns: _Nouns


class _Duties(Shape):
    strong: list[Pattern]
    words: list[Pattern]
    skills: list[Annotated[str, one_of(set(KINDS.values()))]]
    most: int
    needed: float = 0


class _Question(Shape):
    """See ``questions`` in ``roles.toml``."""

    needed: float
    default: _Category | None = None
    prior: float = 0
    ratio: float = 1
    technologies: int = 0
    only: tuple[_Category, ...] | None = None
    instead: _Category | None = None
    foreign_below: float = 0


class _Named(Shape):
    before: list[Pattern]
    article: list[Pattern]
    nouns: list[Pattern]


class _Roles(Shape):
    title: _Title
    named: _Named
    duties: dict[_Category, _Duties]
    questions: dict[Annotated[str, one_of(ASKED)], _Question]


_vocabulary = read("roles", _Roles)

Part = Literal["job", "craft", "maker", "other", "leader", "break"]


@dataclass(frozen=True)
class Token:
    """A word of the vocabulary that a title holds.

    Attributes:
        part: what the word is in the name of a job; ``break``: the end of a part of the title.
        text: the word, folded.
        name: of the vocabulary's entry.
        category: the role, :data:`NOT_TECH`, or null for a noun.
        rank: among crafts, the smaller the more preferred.
        plain, alone, weak: see ``roles.toml``.
    """

    part: Part
    text: str
    name: str = ""
    category: str | None = None
    rank: int = 0
    plain: bool = False
    alone: bool = False
    weak: bool = False
    person: bool = False
    yields: bool = False
    asks: str | None = None


class Verdict(NamedTuple):
    """What a title says.

    Attributes:
        category: the role; null for none of technology, or where the title leaves it open.
        words: the words that say so, folded.
        rule: the name of the rule or of the vocabulary's entry.
        asks: the question that the duties answer, null where the title decides.
        hints: the roles that its words point at without deciding.
        other: the words of another occupation that were overruled.
    """

    category: str | None
    words: str
    rule: str
    asks: str | None = None
    hints: tuple[str, ...] = ()
    other: str | None = None


BREAK = "ǀ"
"""What stands for the end of a part of a title: a letter, so that folding leaves it."""


def _whole(pattern: str) -> str:
    return f"(?:{pattern})"


def _alternation() -> str:
    title = _vocabulary.title
    groups = [
        *(job.words for job in title.jobs),
        *(craft.words for craft in title.crafts),
        title.nouns.leaders,
        title.nouns.others,
        title.nouns.makers,
    ]
    # Of two that begin at one place, the one of several words is the longer.
    patterns = sorted((p for group in groups for p in group), key=lambda p: " " not in p)
    latin = [p for p in patterns if p.isascii()]
    other = [p for p in patterns if not p.isascii()]
    words = "|".join(map(_whole, latin)).replace(r"\w", "[a-z0-9]")
    return rf"{BREAK}|(?-u:\b)(?:{words})(?: |$)|{'|'.join(other)}"


_PATTERN = _alternation()
_LAST_OF_COMPOUND = (
    "([a-z])(entwickler|entwicklung|ingenieur|architekt|administrator|analyst|berater|beheerder"
    "|ontwikkelaar|utvecklare|udvikler|utvikler|tester|informatiker)"
)
"""What the last part of a German, Dutch or Scandinavian compound may be."""


_DECLARED: tuple[tuple[Part, list[_Words]], ...] = (
    ("job", _vocabulary.title.jobs),
    ("craft", _vocabulary.title.crafts),
)


@dataclass(frozen=True)
class _Entry:
    pattern: re.Pattern[str]
    token: Token


def _entries() -> Iterator[_Entry]:
    def entry(words: Iterable[str], token: Token) -> _Entry:
        return _Entry(re.compile("|".join(map(_whole, words))), token)

    for part, declared in _DECLARED:
        rank = 0
        for one in declared:
            rank += not one.like_previous
            token = Token(
                part=part,
                text="",
                name=one.name,
                category=one.category or (None if one.asks else NOT_TECH),
                rank=rank,
                plain=one.plain,
                alone=one.alone,
                weak=one.weak,
                person=one.person,
                yields=one.yields,
                asks=one.asks,
            )
            yield entry(one.words, token)
    nouns = _vocabulary.title.nouns
    yield entry(nouns.leaders, Token("leader", ""))
    yield entry(nouns.others, Token("other", ""))
    yield entry(nouns.makers, Token("maker", ""))


_ENTRIES = tuple(_entries())


@cache
def _token(text: str) -> Token | None:
    if text == BREAK:
        return Token("break", text)
    for entry in _ENTRIES:
        if entry.pattern.fullmatch(text):
            return replace(entry.token, text=text)
    return None


@dataclass
class _Phrase:
    """A noun or a job with the crafts that stand beside it, in one part of a title."""

    head: Token
    crafts: list[Token] = field(default_factory=list)
    after: list[Token] = field(default_factory=list)

    @property
    def words(self) -> str:
        return " ".join(token.text for token in (*self.crafts, self.head, *self.after))


def _phrases(tokens: Sequence[Token]) -> tuple[list[_Phrase], list[Token]]:
    """The phrases of a title in order, and the crafts that stand in none."""
    phrases: list[_Phrase] = []
    loose: list[Token] = []
    before: list[Token] = []
    last: _Phrase | None = None
    for token in (*tokens, Token("break", BREAK)):
        if token.part == "break":
            person = next((craft for craft in before if craft.person), None)
            if last is not None and all(craft.weak for craft in last.crafts):
                last.after.extend(before)
            elif last is None and person is not None:
                at = before.index(person)
                phrases.append(_Phrase(replace(person, part="job"), before[:at], before[at + 1 :]))
            else:
                loose.extend(before)
            before, last = [], None
        elif token.part == "craft":
            before.append(token)
        else:
            if last is not None and last.head.part == "maker" and not before and _leads(token):
                # "Software Engineer Recruiter": what precedes is whom the job deals with.
                before = [*last.crafts]
                phrases.remove(last)
            last = _Phrase(token, before)
            before = []
            phrases.append(last)
    return phrases, loose


def _leads(token: Token) -> bool:
    return token.part == "leader" or (
        token.part == "job" and token.category in (NOT_TECH, "management")
    )


def _preferred(crafts: Iterable[Token]) -> Token | None:
    """The craft that decides: the narrower one; of two of one entry the first. Both ends are full
    stack."""
    crafts = list(crafts)
    languages = [craft for craft in crafts if craft.name == _LANGUAGE]
    if languages and any(craft.text in _SOFTWARE for craft in crafts):
        # Who writes software in a language does so for the cloud, or for a platform.
        crafts = [craft for craft in crafts if craft.plain or craft.category not in _OPERATED]
    chosen = min((c for c in crafts if not c.weak), key=lambda craft: craft.rank, default=None)
    if chosen is not None and chosen.category == "backend" and chosen.plain:
        other = next((c for c in crafts if c.category == "frontend" and c.plain), None)
        if other is not None:
            return replace(chosen, category="fullstack", name="both ends")
    return chosen


def _of_phrase(phrase: _Phrase) -> Verdict | None:
    """What a phrase says by itself; null where it says nothing."""
    head, words = phrase.head, phrase.words
    crafts = [*phrase.crafts, *phrase.after]
    strong = [craft for craft in crafts if not craft.weak]
    plain = _preferred(craft for craft in strong if craft.plain)
    foreign = _preferred(craft for craft in strong if craft.category == NOT_TECH)
    other = foreign or next((craft for craft in crafts if craft.category == NOT_TECH), None)
    chosen = _preferred(craft for craft in crafts if craft.category != NOT_TECH)
    if head.part == "job":
        if head.yields and chosen is not None and chosen.category in _TAKEN:
            return Verdict(chosen.category, words, chosen.name)
        if head.asks is not None and head.category is not None:
            return Verdict(head.category, words, head.name, asks=head.asks)
        if head.asks is not None:
            if any(craft.name != _ANY_FIELD and craft.category != NOT_TECH for craft in crafts):
                return Verdict("other_tech", words, head.name)
            return Verdict(None, words, head.name, asks=head.asks)
        if head.category == "management" and other is not None and not chosen:
            return Verdict(None, words, other.name)
        if head.category not in _FINAL and plain is not None and plain.category in _OVER_JOBS:
            return Verdict(plain.category, words, plain.name)
        return Verdict(_public(head.category), words, head.name)
    if head.part == "leader":
        if other is not None and not plain:
            return Verdict(None, words, other.name)
        if any(craft.name != _ANY_FIELD for craft in crafts):
            return Verdict("management", words, "management of technology")
        return None
    if plain is not None:
        return Verdict(plain.category, words, plain.name)
    if _ANALYST.match(head.text) and any(craft.name == "data" for craft in strong):
        return Verdict("data_science", words, "data science")
    if head.part == "other" and other is not None:
        return Verdict(None, words, other.name)
    if foreign is not None and any(craft.text == "software" for craft in crafts):
        return None
    if foreign is not None:
        return Verdict(None, words, foreign.name)
    if chosen is None:
        return None
    if head.part == "other" and chosen.category == "platform":
        return None
    if head.part == "other" and chosen.name == "data":
        return Verdict(None, words, chosen.name, asks="data")
    last = phrase.crafts[-1] if phrase.crafts else None
    if (
        chosen.category in _UNDER_PLATFORM
        and chosen is not last
        and last is not None
        and last.name == _SOME_PLATFORM
    ):
        return Verdict("platform", words, last.name)
    if chosen.asks is not None:
        return Verdict(chosen.category, words, chosen.name, asks=chosen.asks)
    if chosen.name != _SOME_PLATFORM:
        return Verdict(chosen.category, words, chosen.name)
    return None


_LANGUAGE = "server language"
_OPERATED = frozenset({"cloud", "devops", "platform"})
_TAKEN = frozenset({"cloud", "devops", "backend", "data_engineering", "ml_ai", "security"})
"""Roles that an architect or an administrator of such things has."""
_ANALYST = re.compile("analy")
_ANY_FIELD = "words of any field"
_SOME_PLATFORM = "platform of something"
_FINAL = frozenset({"qa", NOT_TECH, "management"})
_OVER_JOBS = frozenset({"devops", "sre", "backend", "fullstack"})
"""Roles whose plain words are the craft even before the name of another job of technology."""
_UNDER_PLATFORM = frozenset({"platform", "cloud", "devops", "backend"})
"""Roles whose words say of what kind a platform engineer's platform is."""


def _public(category: str | None) -> str | None:
    return None if category == NOT_TECH else category


def judge(tokens: Sequence[Token]) -> Verdict:
    """What the words of a title say, in order."""
    phrases, loose = _phrases(tokens)
    said = [(phrase, verdict) for phrase in phrases if (verdict := _of_phrase(phrase))]
    makers = [phrase for phrase in phrases if phrase.head.part == "maker"]
    everywhere = [
        *loose,
        *(token for phrase in phrases for token in (*phrase.crafts, *phrase.after)),
    ]
    general = _general(phrases, everywhere)
    if said:
        first = said[0][1]
        sure = next((v for _, v in said if v.category is not None and v.asks is None), None)
        taken = _preferred(craft for craft in loose if craft.category in _TAKEN)
        if said[0][0].head.yields and taken is not None:
            return Verdict(taken.category, f"{first.words} {taken.text}", taken.name)
        if first.asks is not None:
            if first.asks == "analyst" and sure is not None:
                return sure
            return first._replace(hints=_hints(everywhere))
        if first.category is not None:
            trailing = said[0][0].head.part == "maker" and not any(
                craft.category == first.category for craft in said[0][0].crafts
            )
            named = next((craft for craft in loose if craft.plain), None)
            if (
                trailing
                and named is not None
                and not any(craft.plain for craft in said[0][0].after)
            ):
                words = f"{said[0][0].words} {named.text}"
                return Verdict(named.category, words, named.name)
            return first
        # A word of another occupation beats no plain name of a role.
        for phrase, verdict in said[1:]:
            if verdict.category is not None and phrase.head.part == "maker":
                return verdict._replace(other=first.words)
        if general != "software" or all(phrase is not said[0][0] for phrase in makers):
            if not makers or general != "software":
                return first
        elif said[0][0] in makers:
            return first
    strong = [craft for craft in everywhere if not craft.weak and craft.category != NOT_TECH]
    foreign = next((craft for craft in everywhere if craft.category == NOT_TECH), None)
    other = foreign.text if foreign else said[0][1].words if said else None
    words = " ".join(
        token.text for token in tokens if token.part != "break" and token.category != NOT_TECH
    )
    hints = _hints(everywhere)
    if makers or general == "software":
        chosen = next((craft for craft in strong if craft.plain), None) or _preferred(
            craft
            for craft in everywhere
            if craft.category != NOT_TECH and craft.name != _SOME_PLATFORM
        )
        if chosen is not None:
            return Verdict(chosen.category, words, chosen.name, asks=chosen.asks, other=other)
        if any(_is_alone(craft, tokens) for craft in strong):
            return Verdict("platform", words, "platform", other=other)
        return Verdict(None, words, "general title", asks=general, hints=hints, other=other)
    if any(phrase.head.part == "leader" for phrase in phrases):
        if foreign is None and any(craft.name != _ANY_FIELD for craft in everywhere):
            return Verdict("management", words, "management of technology")
        if foreign is not None:
            return Verdict(None, foreign.text, foreign.name)
        return Verdict(None, words, "general title", asks="leader", hints=hints)
    chosen = _preferred(c for c in strong if c.alone or c.name == "platform" or phrases)
    if chosen is not None and foreign is None:
        return Verdict(chosen.category, words, chosen.name)
    if foreign is not None and not strong:
        return Verdict(None, foreign.text, foreign.name)
    return Verdict(None, words, "no name of a job", asks="anything", hints=hints, other=other)


def _hints(crafts: Iterable[Token]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            craft.category
            for craft in crafts
            if craft.category not in (None, NOT_TECH, "other_tech")
        )
    )


def _is_alone(craft: Token, tokens: Sequence[Token]) -> bool:
    """Whether a craft is a part of the title by itself."""
    at = tokens.index(craft)
    before = tokens[at - 1].part if at else "break"
    after = tokens[at + 1].part if at + 1 < len(tokens) else "break"
    return before == after == "break"


def _general(phrases: Sequence[_Phrase], crafts: Sequence[Token]) -> str:
    """Which kind of general title it is."""
    words = {craft.text for craft in crafts}
    heads = {phrase.head.text for phrase in phrases if phrase.head.part == "maker"}
    if words & _SOFTWARE or any(_DEVELOPER.match(head) for head in heads):
        return "software"
    if words & _OPERATIONS:
        return "operations"
    return "engineer"


_SOFTWARE = frozenset(
    {"software", "logiciel", "logiciels", "web", "javascript", "typescript", "c++", "founding",
     "forward deployed", "sdk"}
)  # fmt: skip
_OPERATIONS = frozenset(
    {"system", "systems", "sistemas", "systemes", "systeme", "production", "reliability",
     "operations", "automation", "it", "ops", "release", "build"}
)  # fmt: skip
_DEVELOPER = re.compile(
    r"dev|develop|coder|program|swe|sde|.?mts|member|technical staff|entwickl|ontwikk|desarroll"
    r"|desenvolv|svilupp|utvikler|utvecklare|udvikler|kehittaja|vyvojar|gelistirici|concepteu"
)

# A duty stands in the description as written; folding 2 KB would cost more than all else here.


def _bounded(pattern: str) -> str:
    return rf"\b(?:{pattern})\b"


def _patterns_of_duties() -> str:
    duties = _vocabulary.duties.values()
    strong = (pattern for one in duties for pattern in one.strong)
    words = (pattern for one in duties for pattern in one.words)
    return f"(?i-u:{'|'.join(map(_bounded, (*strong, *words)))})"


_DUTIES = _patterns_of_duties()
_NAMED = (
    rf"(?i)(?-u:\b)(?:{'|'.join(_vocabulary.named.before)})"
    rf"(?: (?:{'|'.join(_vocabulary.named.article)}))?"
    rf" (?:[^\s.!?:;]{{1,20}} ){{0,5}}?(?:{'|'.join(_vocabulary.named.nouns)})(?-u:\b)"
)
"""What a description calls the job: a few words up to a noun."""

_MAX_NAMED = 4
_STRONG = 3
_DUTY_ENTRIES = [
    (re.compile(pattern, re.IGNORECASE | re.ASCII), category, weight)
    for category, duties in _vocabulary.duties.items()
    for weight, patterns in ((_STRONG, duties.strong), (1, duties.words))
    for pattern in patterns
]
_MAX_MATCHES = 400
"""How many duties of a description are read: more than any real one has."""


@cache
def _duty(text: str) -> tuple[tuple[str, int], ...]:
    """The roles that a duty (in lower case) speaks for, each with its weight."""
    weights: dict[str, int] = {}
    for pattern, category, weight in _DUTY_ENTRIES:
        if pattern.fullmatch(text):
            weights[category] = max(weight, weights.get(category, 0))
    return tuple(weights.items())


@dataclass(frozen=True)
class Answer:
    """The role that the duties tell, null for none, and what speaks for it."""

    category: str | None
    duties: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()


def answer(
    verdict: Verdict,
    description: str | None,
    matches: Sequence[str],
    skills: Sequence[str],
    named: Verdict | None = None,
) -> Answer:
    """What the duties and the technologies make of a title that leaves the role open."""
    question = _vocabulary.questions[verdict.asks or "anything"]
    default = verdict.category or question.default
    scores = _scores(verdict, matches, skills, named.category if named else None)
    technologies = sum(KINDS.get(skill) in _KINDS_OF_ROLES for skill in skills)
    best = max(scores.values(), default=0)
    if description is None:
        return Answer(default)
    if len(description) >= LONG_DESCRIPTION_CHARS and best < question.foreign_below:
        return Answer(None)
    if default is not None:
        scores[default] += question.prior
    allowed = question.only if question.instead is None else None
    against = question.ratio * scores[default] if default is not None else 0
    candidates = [
        category
        for category, score in scores.items()
        if (allowed is None or category in allowed)
        and score >= max(question.needed, _vocabulary.duties[category].needed, against)
        and technologies >= question.technologies
    ]
    chosen = max(candidates, key=lambda category: scores[category], default=default)
    if chosen in _SOFTWARE_ROLES and verdict.category is None and _both_ends(scores):
        chosen = "fullstack"
    if chosen is None:
        return Answer(None)
    if question.only is not None and chosen not in question.only:
        return replace(_with_reasons(chosen, matches, skills, named), category=question.instead)
    return _with_reasons(chosen, matches, skills, named)


LONG_DESCRIPTION_CHARS = 800
"""From this length on, a description of technology names some."""

_SOFTWARE_ROLES = frozenset({"backend", "frontend"})


def _both_ends(scores: Mapping[str, float]) -> bool:
    said = scores.get("fullstack", 0) >= _STRONG
    front, back = scores.get("frontend", 0), scores.get("backend", 0)
    return (said and front >= 1) or (front >= 2 * _STRONG and back >= 2 * _STRONG)


_KINDS_OF = {category: frozenset(one.skills) for category, one in _vocabulary.duties.items()}
_KINDS_OF_ROLES = frozenset().union(*_KINDS_OF.values())


def _scores(
    verdict: Verdict,
    matches: Sequence[str],
    skills: Sequence[str],
    named: str | None = None,
) -> dict[str, float]:
    """How much speaks for each role: what is said again weighs half, a third time at most."""
    scores: dict[str, float] = defaultdict(float)
    for text, times in Counter(match.lower() for match in matches).items():
        for category, weight in _duty(text):
            scores[category] += weight * (2 if times > 2 else times)
    kinds = Counter(KINDS.get(skill) for skill in skills)
    for category, of_role in _KINDS_OF.items():
        most = _vocabulary.duties[category].most
        scores[category] += min(sum(kinds[kind] for kind in of_role), most)
    for hint in verdict.hints:
        scores[hint] += HINT
    if named is not None:
        scores[named] += NAMED
    return scores


NAMED = 8
"""How much it weighs that the description calls the job so."""

HINT = 5
"""How much a word of the title weighs that points at a role without deciding."""


def _with_reasons(
    category: str, matches: Sequence[str], skills: Sequence[str], named: Verdict | None
) -> Answer:
    duties: dict[str, tuple[int, str]] = {}
    for match in matches:
        text = match.lower()
        weight = dict(_duty(text)).get(category)
        if weight is not None and text not in duties:
            duties[text] = (-weight, match)
    shown = [match for _, match in sorted(duties.values(), key=lambda duty: duty[0])]
    kinds = _KINDS_OF[category]
    return Answer(
        category,
        (*((named.words,) if named and named.category == category else ()), *shown)[:SHOWN],
        tuple(skill for skill in skills if KINDS.get(skill) in kinds)[:SHOWN],
    )


def with_category(postings: pl.LazyFrame) -> pl.LazyFrame:
    """With ``category``, null where the job is none of technology, ``category_reason`` and the
    evidence of it.

    The reason names the field and the words that decided, for example ``title: backend engineer``
    or ``title: software engineer; duties: REST APIs; skills: Kotlin, PostgreSQL``; where there is
    no category, why not: ``title: account executive (sales and recruiting people)``. Reads
    ``title``, ``description`` and ``skills``; a row's result depends on that row alone.
    """
    verdict, answered = pl.col("_verdict").struct, pl.col("_answer").struct
    is_open = verdict.field("asks").is_not_null()
    body = pl.when(is_open).then(pl.col("description"))
    return (
        postings.with_columns(
            by_distinct(_parts(pl.col("title")), _verdicts, _VERDICT).alias("_verdict")
        )
        .with_columns(
            _duties=body.str.extract_all(_DUTIES).list.head(_MAX_MATCHES),
            _named=body.str.extract_all(_NAMED).list.head(_MAX_NAMED),
        )
        .with_columns(
            _answer=pl.struct(
                "_verdict",
                "_duties",
                "_named",
                _words_of_named().alias("words_of_named"),
                "skills",
                is_open.alias("is_open"),
                description=body,
            ).map_batches(_answers, return_dtype=_ANSWER)
        )
        .with_columns(
            category=pl.when(is_open)
            .then(answered.field("category"))
            .otherwise(verdict.field("category"))
            .cast(pl.Enum(CATEGORIES)),
            category_reason=pl.when(is_open)
            .then(answered.field("reason"))
            .otherwise(verdict.field("reason")),
        )
        .with_columns(_evidence_role=_evidence())
        .drop("_verdict", "_duties", "_named", "_answer")
    )


def relevant(postings: pl.DataFrame) -> pl.DataFrame:
    """``Posting`` → ``RelevantPosting``: those that have a category."""
    return postings.filter(pl.col("category").is_not_null())


_GENDERED = r"[:*_](?:in|innen|r|e)\b|/(?:in|a|se|euse|trice)\b"
_ENDS_OF_PARTS = r"\s[-‐‑]+\s?|[-‐‑]+\s|[-‐‑]{2,}|[‒–—―−,;|()\[\]{}•·@→»]|:\s"


def _words_of_named() -> pl.Expr:
    """The title's vocabulary in what the description calls the job, a line for each name."""
    return pl.col("_named").list.eval(_parts(pl.element()))


def _parts(text: pl.Expr) -> pl.Expr:
    """The words of the vocabulary in a title, with :data:`BREAK` between its parts."""
    parts = text.str.replace_all(_GENDERED, "").str.replace_all(_ENDS_OF_PARTS, f" {BREAK} ")
    apart = fold(parts).str.replace_all(_LAST_OF_COMPOUND, "$1 $2")
    return apart.str.extract_all(_PATTERN).list.join("\n")


_VERDICT = pl.Struct(
    {
        "category": pl.String,
        "words": pl.String,
        "rule": pl.String,
        "asks": pl.String,
        "hints": pl.List(pl.String),
        "other": pl.String,
        "reason": pl.String,
    }
)


def _verdicts(words: pl.Series) -> pl.Series:
    return pl.Series([_verdict(text) for text in words], dtype=_VERDICT)


def _judged(words: str) -> Verdict:
    """The verdict on the words that a title holds, one a line."""
    return judge([token for word in words.split("\n") if (token := _token(word.strip()))])


def _verdict(words: str) -> dict[str, object]:
    verdict = _judged(words)
    reason = f"title: {verdict.words}"
    if verdict.category is None:
        reason = f"{reason} ({verdict.rule})"
    return verdict._asdict() | {"reason": reason}


_ANSWER = pl.Struct({"category": pl.String, "reason": pl.String, "found": EVIDENCE})


def _answers(rows: pl.Series) -> pl.Series:
    """The answers for the rows whose title leaves the role open; null for the others."""
    is_open = rows.struct.field("is_open")
    answers = iter([_of_row(row) for row in rows.filter(is_open).to_list()])
    return pl.Series(rows.name, [next(answers) if one else None for one in is_open], dtype=_ANSWER)


def _first_name(texts: Sequence[str], words: Sequence[str]) -> Verdict | None:
    """What the description calls the job first, of the names that tell a role."""
    for text, its_words in zip(texts, words, strict=True):
        verdict = _judged(its_words)
        if verdict.category is not None and verdict.asks is None:
            return verdict._replace(words=text)
    return None


def _of_row(row: dict[str, Any]) -> dict[str, object]:
    told = row["_verdict"]
    verdict = Verdict(**{name: told[name] for name in Verdict._fields})
    description, skills = row["description"], row["skills"] or []
    named = _first_name(row["_named"] or [], row["words_of_named"] or [])
    given = answer(verdict, description, row["_duties"] or [], skills, named)
    reason = f"title: {verdict.words}" if verdict.words else "title: no word of a role"
    said = [
        f"{what}: {', '.join(words)}"
        for what, words in (("duties", given.duties), ("skills", given.skills))
        if words
    ]
    if given.category is None and verdict.other:
        reason = f"title: {verdict.other}, no role"
    if given.category is None:
        said = ["the duties tell no role" if description else "no description tells the role"]
    found = [
        {
            "field": "category",
            "value": given.category,
            "origin": "body",
            "words": words[:MAX_WORDS_CHARS],
            "rule": rule,
            "decides": True,
        }
        for rule, words in (
            *(("duties", duty) for duty in given.duties),
            *(("technologies", skill) for skill in given.skills if skill in (description or "")),
        )
        if given.category is not None
    ]
    return {"category": given.category, "reason": "; ".join([reason, *said]), "found": found}


def _evidence() -> pl.Expr:
    """What the title says, and for an open title what the duties do."""
    verdict = pl.col("_verdict").struct
    asks = verdict.field("asks")
    defaults = {name: one.default for name, one in _vocabulary.questions.items() if one.default}
    says = pl.coalesce(
        verdict.field("category"),
        asks.replace_strict(list(defaults), list(defaults.values()), default=None),
    )
    decides = (says == pl.col("category").cast(pl.String)).fill_null(value=False)
    empty = pl.lit([], dtype=EVIDENCE)
    title = finding(
        "category",
        says,
        "title",
        _as_written(verdict.field("words")),
        verdict.field("rule"),
        decides,
    )
    other = finding(
        "category",
        pl.when(verdict.field("other").is_not_null() & pl.col("category").is_not_null()).then(
            pl.lit(NOT_TECH)
        ),
        "title",
        _as_written(verdict.field("other")),
        "another occupation",
        pl.lit(value=False),
    )
    return pl.concat_list(
        part.fill_null(empty) for part in (title, other, pl.col("_answer").struct.field("found"))
    )


def _as_written(words: pl.Expr) -> pl.Expr:
    """Folded words as the title has them; the whole title where they do not stand side by side."""
    title = pl.col("title")
    start = title.str.to_lowercase().str.find(words, literal=True)
    plain = title.str.len_chars() == title.str.len_bytes()
    return (
        pl.when(start.is_not_null() & plain)
        .then(title.str.slice(start, words.str.len_chars()))
        .otherwise(title)
    )
