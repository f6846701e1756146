"""The columns of the frames, from the declaration of the fields."""

from __future__ import annotations

from collections.abc import Iterable

import dataframely as dy

from pipeline.declaration import (
    Code,
    Count,
    Day,
    Field,
    Findings,
    Kind,
    Mapped,
    Moment,
    Money,
    Number,
    OneOf,
    Text,
    Texts,
    YesNo,
)


def columns(fields: Iterable[Field], primary_key: str = "") -> dict[str, dy.Column]:
    """The columns of the fields by name, with all that is declared of their values."""
    return {
        field.name: column(
            field.kind, nullable=field.nullable, primary_key=field.name == primary_key
        )
        for field in fields
    }


def mapped_columns(fields: Iterable[Field]) -> dict[str, dy.Column]:
    """The columns of the fields as a source's mapping gives them: of the declared type alone,
    and vocabularies in the source's own words."""
    return {
        field.name: column(_as_mapped(field.kind), nullable=field.mapped is Mapped.OPTIONAL)
        for field in fields
    }


def column(kind: Kind, *, nullable: bool = False, primary_key: bool = False) -> dy.Column:
    """A column of values of this kind."""
    match kind:
        case Text(min_chars, max_chars, pattern):
            # dataframely's own max_length counts bytes.
            bound = {"is_bounded": lambda text: text.str.len_chars() <= max_chars}
            return dy.String(
                nullable=nullable,
                primary_key=primary_key,
                min_length=min_chars or None,
                regex=pattern,
                check=bound if max_chars is not None else None,
            )
        case Code():
            return dy.String(nullable=nullable, regex=kind.pattern)
        case OneOf(values):
            return dy.Enum(list(values), nullable=nullable)
        case Texts(pattern):
            element = dy.String(nullable=nullable, regex=pattern)
            return dy.List(element, nullable=nullable)
        case YesNo():
            return dy.Bool(nullable=nullable)
        case Number(minimum, maximum):
            return dy.Float64(nullable=nullable, min=minimum, max=maximum)
        case Money(above):
            return dy.Float64(nullable=nullable, min_exclusive=above)
        case Count(minimum):
            return dy.Int64(nullable=nullable, min=minimum)
        case Moment():
            return dy.Datetime(nullable=nullable, time_zone="UTC", time_unit="us")
        case Day():
            return dy.Date(nullable=nullable)
        case Findings():
            return dy.String(nullable=nullable)


def _as_mapped(kind: Kind) -> Kind:
    match kind:
        case Text() | Code() | OneOf():
            return Text()
        case Texts():
            return Texts()
        case Number() | Money():
            return Number()
        case _:
            return kind
