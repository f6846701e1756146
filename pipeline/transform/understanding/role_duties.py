"""What the duties and technologies of a description say of the role."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.transform.understanding.role_title import Verdict
from pipeline.transform.understanding.role_vocabulary import ROLES
from pipeline.transform.understanding.skill_vocabulary import KINDS, SKILLS, TECHNOLOGIES

SHOWN = 6
"""How many duties and how many technologies a reason names."""


def _bounded(pattern: str) -> str:
    return rf"\b(?:{pattern})\b"


def _patterns_of_duties() -> str:
    duties = ROLES.duties.values()
    strong = (pattern for one in duties for pattern in one.strong)
    words = (pattern for one in duties for pattern in one.words)
    return f"(?i-u:{'|'.join(map(_bounded, (*strong, *words)))})"


DUTIES = _patterns_of_duties()
NAMED = (
    rf"(?i)(?-u:\b)(?:{'|'.join(ROLES.named.before)})"
    rf"(?: (?:{'|'.join(ROLES.named.article)}))?"
    rf" (?:[^\s.!?:;]{{1,20}} ){{0,5}}?(?:{'|'.join(ROLES.named.nouns)})(?-u:\b)"
)
"""What a description calls the job: a few words up to a noun."""

MAX_NAMED = 4
_STRONG = 3
_DUTY_ENTRIES = [
    (re.compile(pattern, re.IGNORECASE | re.ASCII), category, weight)
    for category, duties in ROLES.duties.items()
    for weight, patterns in ((_STRONG, duties.strong), (1, duties.words))
    for pattern in patterns
]
MAX_MATCHES = 400
"""How many duties of a description are read: more than any real one has."""


class _Duty(NamedTuple):
    """A duty in lower case, the roles that it speaks for with its weight, and the practice that it
    names, which counts as a technology does."""

    text: str
    weights: tuple[tuple[str, int], ...]
    practice: str | None


_PRACTICES = [
    (spelling.lower(), name)
    for name in SKILLS.context.practices
    for spelling in (name, *TECHNOLOGIES[name].spellings)
]


@lru_cache(maxsize=1 << 14)
def _duty(words: str) -> _Duty:
    weights: dict[str, int] = {}
    for pattern, category, weight in _DUTY_ENTRIES:
        if pattern.fullmatch(words):
            weights[category] = max(weight, weights.get(category, 0))
    text = words.lower()
    practice = next((name for spelling, name in _PRACTICES if spelling in text), None)
    return _Duty(text, tuple(weights.items()), practice)


def _practices(matches: Iterable[str]) -> set[str]:
    return {practice for match in matches if (practice := _duty(match).practice) is not None}


class Answer(NamedTuple):
    """The role that the duties tell, null for none, and what speaks for it."""

    category: str | None
    duties: Sequence[str] = ()
    skills: Sequence[str] = ()


def answer(
    verdict: Verdict,
    description: str | None,
    matches: Sequence[str],
    skills: Sequence[str],
    named: Verdict | None = None,
) -> Answer:
    """What the duties and the technologies make of a title that leaves the role open.

    Args:
        verdict: what the title says.
        description: the description; null leaves the role at the question's default.
        matches: what of it :data:`DUTIES` finds.
        skills: the technologies that the posting names.
        named: the role that the description calls the job by.
    """
    question = ROLES.questions[verdict.asks or "anything"]
    default = verdict.category or question.default
    if description is None:
        return Answer(default)
    counted = {*skills, *_practices(matches)}
    scores = _scores(verdict, matches, counted, named.category if named else None)
    is_silent = max(scores.values(), default=0) < question.foreign_below
    if is_silent and len(description) >= LONG_DESCRIPTION_CHARS:
        return Answer(None)
    technologies = sum(skill in _ROLES_OF_SKILL for skill in counted)
    chosen = default
    if technologies >= question.technologies:
        best = max(question.needed, 0)
        if default is not None:
            best = max(best, question.ratio * (scores.get(default, 0) + question.prior))
        allowed = question.only if question.instead is None else None
        for category, score in scores.items():
            if (
                category != default
                and score >= max(best, _NEEDED[category])
                and (allowed is None or category in allowed)
            ):
                chosen, best = category, score
    if chosen in _SOFTWARE_ROLES and verdict.category is None and _both_ends(scores):
        chosen = "fullstack"
    if chosen is None:
        return Answer(None)
    given = _with_reasons(chosen, matches, skills, named)
    if question.only is not None and chosen not in question.only:
        return given._replace(category=question.instead)
    return given


LONG_DESCRIPTION_CHARS = 800
"""From this length on, a description of technology names some."""

_SOFTWARE_ROLES = frozenset({"backend", "frontend"})


def _both_ends(scores: Mapping[str, float]) -> bool:
    said = scores.get("fullstack", 0) >= _STRONG
    front, back = scores.get("frontend", 0), scores.get("backend", 0)
    return (said and front >= 1) or (front >= 2 * _STRONG and back >= 2 * _STRONG)


_NEEDED = {category: duties.needed for category, duties in ROLES.duties.items()}
_MOST = {category: duties.most for category, duties in ROLES.duties.items()}
_ROLES_OF_KIND = {
    kind: tuple(category for category, duties in ROLES.duties.items() if kind in duties.skills)
    for kind in set(KINDS.values())
}
_ROLES_OF_SKILL = {
    skill: _ROLES_OF_KIND[kind] for skill, kind in KINDS.items() if _ROLES_OF_KIND[kind]
}


def _scores(
    verdict: Verdict, matches: Sequence[str], skills: Iterable[str], named: str | None
) -> dict[str, float]:
    """How much speaks for each role. What is said again counts twice, and no more."""
    scores: dict[str, float] = defaultdict(float)
    said: dict[str, int] = {}
    for match in matches:
        text, weights, _ = _duty(match)
        times = said.get(text, 0)
        if times < MOST_TIMES:
            said[text] = times + 1
            for category, weight in weights:
                scores[category] += weight
    shown: dict[str, int] = defaultdict(int)
    for skill in skills:
        for category in _ROLES_OF_SKILL.get(skill, ()):
            shown[category] += 1
    for category, number in shown.items():
        scores[category] += min(number, _MOST[category])
    for hint in verdict.hints:
        scores[hint] += HINT
    if named is not None:
        scores[named] += NAMED_WEIGHS
    return scores


MOST_TIMES = 2
NAMED_WEIGHS = 8
"""How much it weighs that the description calls the job so."""

HINT = 5
"""How much a word of the title weighs that points at a role without deciding."""


_SHOWS = {"fullstack": {"fullstack", *_SOFTWARE_ROLES}}
"""The roles whose duties and technologies are the reasons of a role, where not of itself alone."""


def _with_reasons(
    category: str, matches: Sequence[str], skills: Sequence[str], named: Verdict | None
) -> Answer:
    """The role with what is shown of its reasons: its name, then the stronger duties."""
    shows = _SHOWS.get(category, {category})
    strong: dict[str, str] = {}
    other: dict[str, str] = {}
    for match in matches:
        text, weights, _ = _duty(match)
        for role, weight in weights:
            if role in shows:
                (strong if weight == _STRONG else other).setdefault(text, match)
    name = [named.words] if named is not None and named.category == category else []
    shown = [skill for skill in skills if not shows.isdisjoint(_ROLES_OF_SKILL.get(skill, ()))]
    duties = [*name, *strong.values(), *other.values()]
    return Answer(category, duties[:SHOWN], shown[:SHOWN])
