"""What the index keeps of a document beside its words, from the declaration of the fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.declaration import Asks, Compared, Field, Texts
from pipeline.fields import FIELDS
from pipeline.search_index.names import Names

TEXT_FIELDS = ("title", "company", "skills", "description")
"""The fields of the text in which words are looked for, each a bit of a posting's mask; ``skills``
are the tags, too."""
TITLE, COMPANY, SKILLS, DESCRIPTION = (1 << place for place in range(len(TEXT_FIELDS)))

ANY_COUNTRY = "*"
"""Among the countries of a document: any."""

MISSING = -(2**63)
"""In a column of numbers: the document has none."""


@dataclass(frozen=True)
class Keyword:
    """A column of values that documents are filtered and counted by.

    Attributes:
        name: in the segment.
        column: of the table ``jobs``.
        many: a document has any number of values; otherwise one or none.
        counts_none: the documents without a value are counted too.
        compared: as what values are compared.
    """

    name: str
    column: str
    many: bool
    compared: Compared = Compared.VALUE
    counts_none: bool = True

    def key(self, names: Names) -> Callable[[str], str] | None:
        """What makes equal values equal; None where they are compared as they are."""
        match self.compared:
            case Compared.NAME:
                return names.of_name
            case Compared.COMPANY:
                return names.of_company
            case _:
                return None


@dataclass(frozen=True)
class Number:
    """A column of 64-bit integers, ``expression`` of the table ``jobs``: times in microseconds
    since 1970, money in hundredths."""

    name: str
    expression: str


def _keywords() -> list[Keyword]:
    found: dict[str, Keyword] = {}
    for field in FIELDS:
        column = field.every or field.name
        many = bool(field.every) or isinstance(field.kind, Texts)
        if field.facet:
            counts_none = not isinstance(field.kind, Texts)
            found[field.name] = Keyword(field.name, column, many, counts_none=counts_none)
        if field.filter and field.filter.asks in (Asks.ANY_OF, Asks.IS, Asks.TRUE):
            name = keyword_of(field)
            found[name] = Keyword(name, column, many, field.filter.compared)
    return list(found.values())


def keyword_of(field: Field) -> str:
    """The name of the column that the filter of a field looks at."""
    assert field.filter is not None  # noqa: S101 - only fields with a filter are asked for
    return field.name if field.filter.compared is Compared.VALUE else f"{field.name}_key"


_TIME = "(extract(epoch from {}) * 1000000)::bigint"
_OF_COMPARED = {
    Compared.POSTED_OR_FOUND: _TIME.format("coalesce(posted_at, first_seen_at)"),
    Compared.YEARLY: "(yearly_salary(salary_min, salary_max, salary_period) * 100)::bigint",
}


YEARLY_IN_DOLLARS = "yearly_in_dollars"
"""The column of numbers of the upper end of the salary a year at the reference rates."""


def _numbers() -> list[Number]:
    found = [
        # A job without a date comes last.
        Number("newest", f"case when isfinite(posted_at) then {_TIME.format('posted_at')} end"),
        Number("created_version", "created_version"),
        Number("moved_version", "moved_version"),
    ]
    for field in FIELDS:
        if field.filter and field.filter.asks in (Asks.SINCE, Asks.AT_LEAST):
            if field.filter.compared is Compared.YEARLY:
                dollars = "coalesce(salary_usd_yearly_max, salary_usd_yearly_min)"
                found.append(Number(YEARLY_IN_DOLLARS, f"({dollars} * 100)::bigint"))
            expression = _OF_COMPARED.get(field.filter.compared) or _TIME.format(field.name)
            found.append(Number(field.filter.parameter or field.name, expression))
    return found


KEYWORDS = _keywords()
NUMBERS = _numbers()
FACETS = {field.facet: field.name for field in FIELDS if field.facet}
"""The column that is counted, by the name of the facet."""
