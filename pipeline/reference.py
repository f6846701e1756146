"""``docs/fields.md``, from the declaration of the fields:

python -m pipeline.reference > docs/fields.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator

from pipeline.declaration import Asks, Field, OfJob, OneOf, Shown, Stage
from pipeline.fields import FIELDS, of_table

_HEAD = """# Fields

What is published of jobs and of postings, from the declaration in
[`pipeline/fields.py`](../pipeline/fields.py), by which this page is written:
`python -m pipeline.reference > docs/fields.md`. [How to add one](adding-a-field.md).

- **of its postings**: how a job takes it from the postings that advertise it.
- **since**: the step of the transform that brings it to a posting.
- **shown**: by the API, in lists of jobs, in the detail of a job, in exports, of each posting.
"""
_TAKEN = {
    OfJob.FOUNDING: "of the first seen",
    OfJob.BEST_TEXT: "of the best text",
    OfJob.BEST_TEXT_THAT_HAS_IT: "of the best text that has it",
    OfJob.BEST_PLACE: "of the one that says most of the place",
    OfJob.BEST_SALARY: "of the best salary",
    OfJob.BEST_DATE: "the earliest exact one, else the earliest",
    OfJob.LATEST: "the latest",
    OfJob.ANY: "true if any says so",
    OfJob.UNION: "of all, sorted",
    OfJob.COMPUTED: "by a rule of its own",
    OfJob.PUBLISHED: "written by the publish",
    OfJob.READ: "read from other tables",
}
_ASKED = {
    Asks.ANY_OF: "any of",
    Asks.IS: "is",
    Asks.TRUE: "is true",
    Asks.SINCE: "since",
    Asks.AT_LEAST: "at least",
}


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_of_jobs(), "", *_of_postings(), ""])


def _of_jobs() -> Iterator[str]:
    yield "## Of a job\n"
    yield from _table(
        ("field", "type", "says", "of its postings", "shown", "parameter", "facet", "example"),
        (
            (*_said(field, "jobs"), _TAKEN[field.job], _where(field, but=Shown.POSTING),
             _asked(field), _code(field.facet), _example(field))
            for field in FIELDS
            if field.job is not None
        ),
    )  # fmt: skip


def _of_postings() -> Iterator[str]:
    yield "## Of a posting\n"
    yield from _table(
        ("field", "type", "says", "since", "shown", "example"),
        (
            (*_said(field, "job_postings"), _since(field.posting),
             "posting" if Shown.POSTING in field.shown else "", _example(field))
            for field in FIELDS
            if field.posting is not None
        ),
    )  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _said(field: Field, table: str) -> tuple[str, str, str]:
    types = {column.name: column.type for column in of_table(table)}
    kind = types.get(field.name, "")
    name = f"`{field.name}`"
    if field.shown_as != field.name:
        name += f" (API: `{field.shown_as}`)"
    if field.within:
        name += f" (API: in `{field.within}`)"
    vocabulary = (
        " One of " + ", ".join(f"`{value}`" for value in field.kind.values) + "."
        if isinstance(field.kind, OneOf)
        else ""
    )
    return name, kind + (", null" if field.nullable else ""), field.explained + vocabulary


def _where(field: Field, but: Shown) -> str:
    return ", ".join(
        str(where.name).lower() for where in Shown if where in field.shown and where is not but
    )


def _since(stage: Stage) -> str:
    return stage.name.lower()


def _asked(field: Field) -> str:
    return f"`{field.parameter}`: {_ASKED[field.filter.asks]}" if field.filter else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _example(field: Field) -> str:
    return _code(json.dumps(field.example, ensure_ascii=False))


if __name__ == "__main__":
    sys.stdout.write(reference())
