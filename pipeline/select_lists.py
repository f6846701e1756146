"""The select lists of all who show published fields, from the declaration of these.

A line ``--> name`` in one stands for the statement of that name in ``serving/queries``, for a field
that has no column; the list of jobs has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.declaration import Field, Moment, Money, OfJob, Shown, Stage
from pipeline.fields import shown


def _stored(field: Field, where: Shown) -> str:
    """The column, or the statement that reads what has none."""
    if Shown.POSTING in where:
        if field.posting is Stage.READ:
            return f"(\n    --> posting_{field.name}\n)"
        return f"posting.{field.name}"
    if field.job is OfJob.READ:
        return f"(\n    --> job_{field.name}\n)"
    return field.name


def _in_json(field: Field, where: Shown) -> str:
    """As the API writes it."""
    match field.kind:
        case Money():
            return f"trim_scale({_stored(field, where)})::text"
        case Moment():
            return f"iso_utc({_stored(field, where)})"
        case _:
            return _stored(field, where)


def _in_rows(field: Field, where: Shown) -> str:
    """As the writers of the exports take it."""
    value = _stored(field, where)
    return f"trim_scale({value})" if isinstance(field.kind, Money) else value


def _json_columns(where: Shown) -> Iterator[str]:
    fields = shown(where)
    told = set()
    for field in fields:
        if not field.within:
            yield f"{_in_json(field, where)} as {field.shown_as}"
        elif field.within not in told:
            told.add(field.within)
            members = ", ".join(
                f"'{member.shown_as}', {_in_json(member, where)}"
                for member in fields
                if member.within == field.within
            )
            yield f"json_build_object({members}) as {field.within}"


def _row_columns(where: Shown) -> Iterator[str]:
    for field in shown(where):
        yield f"{_in_rows(field, where)} as {field.shown_as}"


COMPOSED = {
    name: ",\n".join(columns)
    for name, columns in {
        "list_columns": _json_columns(Shown.LIST),
        "detail_columns": _json_columns(Shown.DETAIL),
        "posting_columns": _json_columns(Shown.POSTING),
        "export_columns": _row_columns(Shown.EXPORT),
    }.items()
}
"""By the name that a statement includes it under."""
