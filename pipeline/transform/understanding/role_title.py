"""What a title says of the role: a small grammar of jobs, crafts and nouns.

A title is reduced to the words of the vocabulary that it holds: names of whole jobs, crafts, and
the nouns that a craft stands beside. The first job that they name decides; a title that names
none, as "Software Engineer", asks the duties.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import polars as pl

from pipeline.transform.cleaning.text import fold
from pipeline.transform.understanding.role_vocabulary import NOT_TECH, ROLES, Words

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
        plain, alone, weak, person, yields, asks: see ``roles.toml``.
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
    title = ROLES.title
    groups = [
        *((job.any_word, job.words) for job in title.jobs),
        *((craft.any_word, craft.words) for craft in title.crafts),
        (False, title.nouns.leaders),
        (False, title.nouns.others),
        (False, title.nouns.makers),
    ]
    # Of two that begin at one place, the one of several words is the longer.
    ordered = sorted(
        (
            (any_word, " " not in pattern, pattern)
            for any_word, words in groups
            for pattern in words
        ),
        key=lambda one: one[:2],
    )
    patterns = [pattern for *_, pattern in ordered]
    latin = [p for p in patterns if p.isascii()]
    other = [p for p in patterns if not p.isascii()]
    # Without Unicode's classes and boundaries, which cost ten times as much: a folded title has
    # Latin letters without accents, and other scripts stand apart below.
    return rf"{BREAK}|(?-u:\b(?:{'|'.join(map(_whole, latin))}))(?: |$)|{'|'.join(other)}"


_PATTERN = _alternation()
_LAST_OF_COMPOUND = (
    "([a-z])(entwickler|entwicklung|ingenieur|architekt|administrator|analyst|berater|beheerder"
    "|ontwikkelaar|utvecklare|udvikler|utvikler|ingenjor|analist|tester|informatiker)"
)
"""What the last part of a German, Dutch or Scandinavian compound may be."""


_DECLARED: tuple[tuple[Part, list[Words]], ...] = (
    ("job", ROLES.title.jobs),
    ("craft", ROLES.title.crafts),
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
    nouns = ROLES.title.nouns
    yield entry(nouns.leaders, Token("leader", ""))
    yield entry(nouns.others, Token("other", ""))
    yield entry(nouns.makers, Token("maker", ""))


_ENTRIES = tuple(_entries())


@lru_cache(maxsize=1 << 15)
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
    def all_crafts(self) -> list[Token]:
        return [*self.crafts, *self.after]

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
    if any(craft.name == _SOFTWARE for craft in crafts):
        # Who writes software in a language does so for the cloud, or for a platform; and who
        # writes software for Linux does not run it.
        crafts = [craft for craft in crafts if craft.name != _LINUX]
        if any(craft.name == _LANGUAGE for craft in crafts):
            crafts = [craft for craft in crafts if craft.plain or craft.category not in _OPERATED]
    chosen = min((c for c in crafts if not c.weak), key=lambda craft: craft.rank, default=None)
    names = {craft.name for craft in crafts}
    if chosen is not None and any(both <= names and chosen.name in both for both in _BOTH_ENDS):
        return replace(chosen, category="fullstack", name="both ends")
    return chosen


def _of_phrase(phrase: _Phrase) -> Verdict | None:
    """What a phrase says by itself; null where it says nothing."""
    if phrase.head.part == "job":
        return _of_job(phrase)
    if phrase.head.part == "leader":
        return _of_leader(phrase)
    return _of_noun(phrase)


def _of_job(phrase: _Phrase) -> Verdict:
    head, words = phrase.head, phrase.words
    chosen = _technical(phrase.all_crafts)
    other = _other(phrase.all_crafts)
    if head.yields and chosen is not None and chosen.category in _TAKEN:
        return Verdict(chosen.category, words, chosen.name)
    if head.asks is not None:
        if head.category is None and any(_is_of_technology(c) for c in phrase.all_crafts):
            return Verdict("other_tech", words, head.name)
        return Verdict(head.category, words, head.name, asks=head.asks)
    if head.category == "management" and other is not None and chosen is None:
        return Verdict(None, words, other.name)
    if head.category == "frontend" and any(c.name == _LANGUAGE for c in phrase.crafts):
        return Verdict("fullstack", words, "both ends")
    plain = _plain(phrase.crafts if head.person else phrase.all_crafts)
    if head.category not in _FINAL and plain is not None and plain.category in _OVER_JOBS:
        return Verdict(plain.category, words, plain.name)
    return Verdict(None if head.category == NOT_TECH else head.category, words, head.name)


def _of_leader(phrase: _Phrase) -> Verdict | None:
    other = _other(phrase.all_crafts)
    if other is not None and _plain(phrase.all_crafts) is None:
        return Verdict(None, phrase.words, other.name)
    if any(craft.name not in _ANY_FIELD for craft in phrase.all_crafts):
        return Verdict("management", phrase.words, "management of technology")
    return None


def _of_noun(phrase: _Phrase) -> Verdict | None:
    head, crafts, words = phrase.head, phrase.all_crafts, phrase.words
    is_maker = head.part == "maker"
    plain, other, chosen = _plain(crafts), _other(crafts), _technical(crafts)
    is_foreign = other is not None and not other.weak
    if plain is not None and (is_maker or not is_foreign or plain.category in _OVER_JOBS):
        return Verdict(plain.category, words, plain.name)
    if _ANALYST.match(head.text) and any(craft.name == "data" for craft in crafts):
        return Verdict("data_science", words, "data science")
    if other is not None and (is_foreign or not is_maker):
        if is_maker and any(craft.text == "software" for craft in crafts):
            return None
        return Verdict(None, words, other.name)
    if chosen is None or (chosen.category == "platform" and not is_maker):
        return None
    if chosen.name == "data" and not is_maker:
        return Verdict(None, words, chosen.name, asks="data")
    last = phrase.crafts[-1] if phrase.crafts else None
    if last is not None and last is not chosen and last.name in _PLATFORMS:
        if chosen.category in _UNDER_PLATFORM:
            return Verdict("platform", words, last.name)
    elif chosen.name == _PRODUCT and chosen in phrase.after:
        return None
    return Verdict(chosen.category, words, chosen.name, asks=chosen.asks)


def _plain(crafts: Iterable[Token]) -> Token | None:
    return _preferred(craft for craft in crafts if craft.plain)


def _technical(crafts: Iterable[Token]) -> Token | None:
    return _preferred(craft for craft in crafts if craft.category != NOT_TECH)


def _other(crafts: Sequence[Token]) -> Token | None:
    """The word of another occupation, a decisive one before a weak one."""
    others = [craft for craft in crafts if craft.category == NOT_TECH]
    return min(others, key=lambda craft: craft.weak, default=None)


def _is_of_technology(craft: Token) -> bool:
    return craft.name not in _ANY_FIELD and craft.category != NOT_TECH


_LANGUAGE = "server language"
_LINUX = "linux operations"
_BOTH_ENDS = ({"backend by name", "frontend"}, {_LANGUAGE, "client languages"})
_OPERATED = frozenset({"cloud", "devops", "platform"})
_TAKEN = frozenset({"cloud", "devops", "backend", "data_engineering", "ml_ai", "security"})
"""Roles that an architect or an administrator of such things has."""
_ANALYST = re.compile("anal[iy]")
_SOFTWARE = "software"
_SCRIPTS = "scripts of pages"
_SEEKERS = "people who look for work"
_ANY_OF_IT = "it specialists"
_OPERATIONS = "operations"
_RELIABILITY = "reliability"
_ANY_FIELD = frozenset({"words of any field", _OPERATIONS, _RELIABILITY})
_PLATFORM = "platform of something"
_PRODUCT = "platform of a product"
_PLATFORMS = frozenset({_PLATFORM, _PRODUCT})
_FINAL = frozenset({"qa", NOT_TECH, "management"})
_OVER_JOBS = frozenset({"devops", "sre", "backend", "fullstack"})
"""Roles whose plain words are the craft even before the name of another job of technology."""
_UNDER_PLATFORM = frozenset({"platform", "cloud", "devops", "backend"})
"""Roles whose words say of what kind a platform engineer's platform is."""


def judge(tokens: Sequence[Token]) -> Verdict:
    """What the words of a title say, in order."""
    seeks = next((token for token in tokens if token.name == _SEEKERS), None)
    if seeks is not None:
        return Verdict(None, seeks.text, seeks.name)
    phrases, loose = _phrases(tokens)
    if phrases and phrases[0].head.name == _ANY_OF_IT and _has_maker(phrases):
        # A grade of public service, with the name of the job behind it.
        phrases.pop(0)
    said = [(phrase, verdict) for phrase in phrases if (verdict := _of_phrase(phrase))]
    everywhere = [*loose, *(craft for phrase in phrases for craft in phrase.all_crafts)]
    general = _general(phrases, everywhere)
    other = None
    leads = bool(phrases) and phrases[0].head.part == "leader"
    if leads and said and said[0][1].category is not None and phrases[0] is not said[0][0]:
        # "Director, Site Reliability Engineering"
        words = f"{phrases[0].words} {said[0][1].words}"
        return Verdict("management", words, "management of technology")
    if said:
        phrase, first = said[0]
        if first.category is not None or first.asks is not None:
            return _first_named(phrase, [verdict for _, verdict in said], loose, everywhere)
        # A word of another occupation beats no plain name of a role.
        for later, verdict in said[1:]:
            if verdict.category is not None and later.head.part == "maker":
                return verdict._replace(other=first.words)
        if general != "software" or not _has_maker(phrases) or phrase.head.part == "maker":
            return first
        other = first.words
    foreign = next((craft for craft in everywhere if craft.category == NOT_TECH), None)
    verdict = _of_all(tokens, phrases, everywhere, foreign, general)
    if verdict.category is None and verdict.asks is None:
        return verdict
    return verdict._replace(other=foreign.text if foreign is not None else other)


def _has_maker(phrases: Iterable[_Phrase]) -> bool:
    return any(phrase.head.part == "maker" for phrase in phrases)


def _first_named(
    phrase: _Phrase, verdicts: Sequence[Verdict], loose: Sequence[Token], everywhere: list[Token]
) -> Verdict:
    """The verdict of the first phrase, where it names a role or leaves one open: with what the
    other parts of the title add."""
    first = verdicts[0]
    taken = _preferred(craft for craft in loose if craft.category in _TAKEN)
    if phrase.head.yields and taken is not None:
        return Verdict(taken.category, f"{first.words} {taken.text}", taken.name)
    if first.asks is not None:
        sure = (one for one in verdicts if one.category is not None and one.asks is None)
        if first.asks == "analyst" and (named := next(sure, None)):
            return named
        hints = tuple(one for one in _hints(everywhere) if one != first.category)
        return first._replace(hints=hints)
    # What stands behind a maker is weaker than a plain word in another part: "Software Engineer
    # Big Data - Backend".
    is_behind = phrase.head.part == "maker" and not any(
        craft.category == first.category for craft in phrase.crafts
    )
    plain = next((craft for craft in loose if craft.plain), None)
    if is_behind and plain is not None and _plain(phrase.after) is None:
        return Verdict(plain.category, f"{first.words} {plain.text}", plain.name)
    return first


def _of_all(
    tokens: Sequence[Token],
    phrases: Sequence[_Phrase],
    crafts: Sequence[Token],
    foreign: Token | None,
    general: str,
) -> Verdict:
    """What the parts of a title say together where no phrase names a role by itself."""
    strong = [craft for craft in crafts if not craft.weak and craft.category != NOT_TECH]
    words = " ".join(
        token.text for token in tokens if token.part != "break" and token.category != NOT_TECH
    )
    heads = {phrase.head.part for phrase in phrases}
    if "maker" in heads or general == "software":
        chosen = next((craft for craft in strong if craft.plain), None) or _technical(
            [craft for craft in crafts if craft.name not in _PLATFORMS]
        )
        if chosen is not None:
            return Verdict(chosen.category, words, chosen.name, asks=chosen.asks)
        if any(_is_alone(craft, tokens) for craft in strong if craft.name == _PLATFORM):
            return Verdict("platform", words, "platform")
        return Verdict(None, words, "general title", asks=general, hints=_hints(crafts))
    if foreign is not None and (not strong or "leader" in heads):
        return Verdict(None, foreign.text, foreign.name)
    if "leader" in heads:
        if any(craft.name not in _ANY_FIELD for craft in crafts):
            return Verdict("management", words, "management of technology")
        return Verdict(None, words, "general title", asks="leader", hints=_hints(crafts))
    chosen = _preferred(c for c in strong if c.alone or c.name == "platform" or phrases)
    if chosen is not None and foreign is None:
        return Verdict(chosen.category, words, chosen.name)
    return Verdict(None, words, "no name of a job", asks="anything", hints=_hints(crafts))


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
    names = {craft.name for craft in crafts}
    makers = [phrase for phrase in phrases if phrase.head.part == "maker"]
    heads = {phrase.head.text for phrase in makers}
    if any(_is_of_product(phrase) for phrase in makers):
        return "product"
    if names & {_SOFTWARE, _SCRIPTS} or any(_DEVELOPER.match(head) for head in heads):
        return "software"
    if names & {_OPERATIONS, _RELIABILITY, "technology"}:
        return "operations"
    return "engineer"


def _is_of_product(phrase: _Phrase) -> bool:
    """Whether it is a product engineer, who is not said to make software."""
    texts = {craft.text for craft in phrase.crafts}
    return "product" in texts and "software" not in texts and phrase.head.text.startswith("eng")


_DEVELOPER = re.compile(
    r"tech lead|dev|develop|coder|program|swe|sde|.?mts|member|technical staff|entwickl|ontwikk"
    r"|desarroll|desenvolv|svilupp|utvikler|utvecklare|udvikler|kehittaja|vyvojar|gelistirici|concepteu"
)

_GENDERED = r"[:*_](?:in|innen|r|e)\b|/(?:in|a|se|euse|trice)\b"
_ENDS_OF_PARTS = r"\s[-‐‑]+\s?|[-‐‑]+\s|[-‐‑]{2,}|[‒–—―−,;|()\[\]{}•·@→»]|:\s"


def words_of(text: pl.Expr) -> pl.Expr:
    """The words of the vocabulary in a title, one a line, with :data:`BREAK` between its parts."""
    parts = text.str.replace_all(_GENDERED, "").str.replace_all(_ENDS_OF_PARTS, f" {BREAK} ")
    apart = fold(parts).str.replace_all(_LAST_OF_COMPOUND, "$1 $2")
    return apart.str.extract_all(_PATTERN).list.join("\n")


@lru_cache(maxsize=1 << 15)
def judged(words: str) -> Verdict:
    """The verdict on what :func:`words_of` finds."""
    return judge([token for word in words.split("\n") if (token := _token(word.strip()))])
