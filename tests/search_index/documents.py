"""Documents of chance for the index, and a search that reads each of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipeline.search_index.analyzer import LAST_POSITION, Analyzer
from pipeline.search_index.builder import BETWEEN_TEXTS, Document, _texts, place_in_list
from pipeline.search_index.names import Names
from pipeline.search_index.schema import KEYWORDS, NUMBERS
from serving.search.query import Both, Either, Node, Phrase, Prefix, Term, Without
from serving.search.searcher import Conditions

TITLES = ["Back-End Engineer", "Senior backend developer", "Site Reliability Engineer",
          "C++ / Go Developer", "Ingénieur DevOps", "バックエンド", "On-call SRE",
          "Node.js"]  # fmt: skip
WORDS = ["kubernetes", "k8s", "the", "site", "reliability", "back", "end", "café", "go", "to",
         "market", "C#", "dev ops", "on-call", "后端工程师", "engineers"]  # fmt: skip
COMPANIES = [None, "Initech", "Initech, Inc.", "Zürich GmbH", "Hooli"]


def document(number: int, chance: random.Random) -> Document:
    """A job of chance, the same for the same state of ``chance``."""
    sources = chance.choice([["adzuna"], ["jsearch", "remoteok"], ["adzuna", "jsearch"]])
    skills = chance.sample(["Go", "C++", "Kubernetes", "Kafka"], chance.randrange(3))
    values: dict[str, Any] = {
        "sources": sources,
        "company": chance.choice(COMPANIES),
        "cities": chance.choice([[], ["Zürich"], ["ZURICH"], ["Leeds", "Zürich"]]),
        "countries": chance.choice([[], ["US"], ["CH", "US"]]),
        "remote": chance.choice(["true", "false"]),
        "employment_type": chance.choice([None, "FULLTIME"]),
        "category": chance.choice(["backend", "sre"]),
        "skills": skills,
        "salary_currency": chance.choice([None, "USD", "EUR"]),
        "status": chance.choice(["open", "closed"]),
        "workplace": chance.choice([None, "remote", "hybrid"]),
        "eligible_countries": chance.choice([[], ["DE", "FR"], ["*"]]),
        "seniority": chance.choice([None, "senior"]),
        "visa_sponsorship": chance.choice([None, "no"]),
        "clearance_required": None,
        "salary_kind": chance.choice([None, "stated"]),
    }
    newest = chance.choice([None, chance.randrange(5), chance.randrange(1_000_000)])
    numbers = {
        "newest": newest,
        "created_version": 1,
        "moved_version": chance.choice([None, 2, 3]),
        "salary_min": chance.choice([None, 5_000_000, 10_000_001]),
        "yearly_in_dollars": chance.choice([None, 5_000_000, 10_000_001]),
        "posted_since": newest or 3,
        "first_seen_since": chance.randrange(100),
        "deadline_since": chance.choice([None, 7]),
    }
    job_id = f"a_{number}"
    return Document(
        job_id,
        f'{{"id":"{job_id}"}}',
        chance.choice(TITLES),
        values["company"],
        skills,
        chance.sample(["k8s", "front-end"], chance.randrange(2)),
        " ".join(chance.choices(WORDS, k=chance.randrange(12))) or None,
        {keyword.column: values.get(keyword.column) for keyword in KEYWORDS},
        {number.name: numbers.get(number.name) for number in NUMBERS},
    )


def changed(before: Document, chance: random.Random) -> Document:
    return replace(document(0, chance), job_id=before.job_id, stored=before.stored)


class Naive:
    """Finds in a list of documents what the index finds in its segments."""

    def __init__(self, documents: Sequence[Document], analyzer: Analyzer) -> None:
        self.documents = sorted(documents, key=place_in_list)
        self._names = Names(analyzer)
        self._places = [dict(_places(each, analyzer)) for each in self.documents]

    def search(self, node: Node | None, conditions: Conditions) -> list[Document]:
        """What matches, the newest first."""
        return [
            each
            for each, places in zip(self.documents, self._places, strict=True)
            if node is not None and _matches(node, places) and self._meets(each, conditions)
        ]

    def filter(self, conditions: Conditions) -> list[Document]:
        return [each for each in self.documents if self._meets(each, conditions)]

    def facets(self, found: Sequence[Document], column: str) -> dict[str | None, int]:
        counts: dict[str | None, int] = {}
        of = next(keyword for keyword in KEYWORDS if keyword.name == column)
        for each in found:
            value = each.values[of.column]
            values = value if isinstance(value, list) else [value]
            if not values and of.counts_none:
                values = [None]
            for one in values:
                counts[one] = counts.get(one, 0) + 1
        return counts

    def _meets(self, each: Document, conditions: Conditions) -> bool:
        columns = {keyword.name: keyword for keyword in KEYWORDS}
        for name, wanted in conditions.any_of.items():
            key = columns[name].key(self._names) or str
            value = each.values[columns[name].column]
            values = value if isinstance(value, list) else [value] if value is not None else []
            if not {key(one) for one in values} & set(wanted):
                return False
        least_of = dict(conditions.at_least)
        if paid := conditions.paid:
            if each.values["salary_currency"] == paid.currency:
                least_of[paid.column] = paid.least
            elif paid.dollars is None:
                return False
            else:
                least_of["yearly_in_dollars"] = paid.dollars
        numbers = ((each.numbers[name], least) for name, least in least_of.items())
        return all(number is not None and number >= least for number, least in numbers)


def _places(each: Document, analyzer: Analyzer) -> Iterator[tuple[str, set[int]]]:
    found: dict[str, set[int]] = {}
    begin = 0
    for _, text, short in _texts(each):
        analyzed = analyzer.terms(text, short=short)
        for term, position in zip(analyzed.terms, analyzed.positions, strict=True):
            if term:
                found.setdefault(term, set()).add(min(begin + position, LAST_POSITION))
        begin += analyzed.end + BETWEEN_TEXTS
    yield from found.items()


def _matches(node: Node, places: dict[str, set[int]]) -> bool:
    match node:
        case Term(term):
            return term in places
        case Prefix(letters):
            return any(term.startswith(letters) for term in places)
        case Phrase(terms, offsets):
            pairs = list(zip(terms, offsets, strict=True))
            return any(
                all(at + offset in places.get(term, ()) for term, offset in pairs)
                for at in places.get(terms[0], set()) - {LAST_POSITION}
            )
        case Both(operands):
            return all(_matches(operand, places) for operand in operands)
        case Either(operands):
            return any(_matches(operand, places) for operand in operands)
        case Without(operand):
            return not _matches(operand, places)
