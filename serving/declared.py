"""From the declaration of the fields to the types and models of the API."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    create_model,
)

from pipeline import declaration
from pipeline.declaration import (
    Asks,
    Code,
    Count,
    Day,
    Filter,
    Findings,
    Kind,
    Moment,
    Money,
    Number,
    OfJob,
    OneOf,
    Shown,
    Texts,
    YesNo,
)
from pipeline.fields import filters, shown

MAX_VALUES = 50
"""How often a filter may be repeated."""


class Finding(BaseModel):
    """What a derived field follows from."""

    field: str = Field(description="The derived field.", examples=["seniority"])
    value: str = Field(description="What was found.", examples=["senior"])
    origin: str = Field(
        description="Where the words stand: `field`, `tags`, `title`, `place`, `body`, or `model`: "
        "a language model quoted them.",
        examples=["title"],
    )
    words: str = Field(description="The words that say so.", examples=["Senior"])
    rule: str = Field(description="The rule that found it.", examples=["level in the title"])
    posting_id: str | None = Field(
        None, description="Of a job: the posting that says so.", examples=["adzuna_4711"]
    )
    decides: bool = Field(
        description="Whether the published value follows from it; otherwise a stronger rule "
        "contradicts it.",
        examples=[True],
    )


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


def _split(values: object) -> object:
    if not isinstance(values, list):
        return values
    parts = [part.strip() for value in values for part in str(value).split(",")]
    return [part for part in parts if part]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the first or the last year
        return moment.replace(tzinfo=UTC)


def _day_of(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=UTC)


def _empty_is_absent(value: object) -> object:
    """An empty number is none: OpenAPI has no other way to write null into a URL."""
    return None if value == "" else value


_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}(?:-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}(?:-?[1-7])?))"
    r"(?:[T ](?P<time>[0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2}(?:[.,][0-9]+)?)?)?)"
    r"(?: ?Z|(?P<sign> ?[-+]| )(?P<offset>(?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?)?"
)
_HOW_TO_WRITE = (
    "must be a date (2026-02-06) or a time (2026-02-06T10:30:00Z) that there is; a time zone is "
    "written as its offset, with + as %2B (2026-02-06T10:30:00%2B02:00)"
)


def _moment(text: object) -> datetime:
    """An ISO 8601 date or time. A blank where an offset begins was a plus sign before it was
    decoded."""
    plain = text.upper().replace("\u2212", "-") if isinstance(text, str) else ""
    written = _MOMENT.fullmatch(plain)
    if written is None:
        raise ValueError(_HOW_TO_WRITE)
    offset = (written["sign"].strip() or "+") + written["offset"] if written["offset"] else "Z"
    try:
        return datetime.fromisoformat(f"{written['day']}T{written['time'] or '00'}{offset}")
    except ValueError:
        raise ValueError(_HOW_TO_WRITE) from None


Text = Annotated[
    str,
    AfterValidator(_without_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]*$"}),
]
"""Text that PostgreSQL can hold."""
Name = Annotated[Text, StringConstraints(min_length=1, max_length=200)]
Split = BeforeValidator(_split)
"""Of a list: values may be separated by commas as well as repeated."""
Values = Field(max_length=MAX_VALUES)
Since = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_utc)]

OnDay = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_day_of)]
"""The day that a date or a time names as it is written, as its beginning in UTC."""

Time = Annotated[datetime, Field(examples=["2026-02-06T10:30:00Z"])]
Salary = Annotated[
    str, Field(description="A decimal number, as text to keep it exact.", examples=["42766.78"])
]


def _asked(field: declaration.Field, asks: Filter) -> Any:
    """The type and the default of the query parameter that asks for a field."""
    described: dict[str, Any] = {
        "description": asks.description or field.explained,
        "examples": None if asks.example is None else [asks.example],
    }
    one: Any = _one_asked(field.kind)
    match asks.asks:
        case Asks.ANY_OF:
            if asks.example is not None:
                described["examples"] = [[asks.example]]
            if asks.default and isinstance(field.kind, OneOf):
                one = Literal[*field.kind.values, "all"]
            many = (Split, Values) if asks.splits else (Values,)
            return Annotated[list[one], *many], Field([], **described)
        case Asks.TRUE:
            return bool, Field(False, **described)
        case Asks.IS | Asks.SINCE:
            return one | None, Field(None, **described)
        case Asks.AT_LEAST:
            return Annotated[one | None, BeforeValidator(_empty_is_absent)], Field(
                None, **described
            )


def _one_asked(kind: Kind) -> Any:
    match kind:
        case OneOf(values):
            return Literal[*values]
        case Code(letters):
            pattern = f"^[A-Za-z]{{{letters}}}$"
            return Annotated[str, StringConstraints(pattern=pattern, to_upper=True)]
        case Moment():
            return Since
        case Day():
            return OnDay
        case Money() | Number() | Count():
            return Annotated[float, Field(ge=0, le=10**11, allow_inf_nan=False)]
        case YesNo():
            return bool
        case declaration.Text() | Texts():
            return Name
        case Findings():
            raise TypeError("Nothing can be asked of findings.")


def asking(base: type[BaseModel]) -> Any:
    """The model ``base`` with the query parameters that ask for fields."""
    parameters = {field.parameter: _asked(field, asks) for field, asks in filters()}
    return create_model("Filters", __base__=base, **parameters)


def answered(where: Shown, **objects: type[BaseModel]) -> Any:
    """A model of what the API shows there.

    Args:
        objects: the models of the fields that are put in an object, by its name.
    """
    parts: dict[str, Any] = {}
    for field in shown(where):
        if not field.within:
            parts[field.shown_as] = _part(field, where)
        elif field.within not in parts:
            parts[field.within] = objects[field.within], ...
    return create_model("Answer", **parts)


def within(name: str, where: Shown) -> Any:
    """A model of the object that the API puts fields in there."""
    parts = {field.shown_as: _part(field, where) for field in shown(where) if field.within == name}
    return create_model("Part", **parts)


def _part(field: declaration.Field, where: Shown) -> Any:
    described = Field(description=field.explained, examples=[field.example])
    read = Shown.DETAIL in where and field.job is OfJob.READ
    one = _one_answered(field.kind)
    return one | None if field.nullable or read else one, described


def _one_answered(kind: Kind) -> Any:
    match kind:
        case OneOf(values):
            return Literal[*values]
        case Texts():
            return list[str]
        case YesNo():
            return bool
        case Number():
            return float
        case Count():
            return int
        case Moment():
            return datetime
        case Day():
            return date
        case Findings():
            return list[Finding]
        case Money():
            return Salary
        case declaration.Text() | Code():
            return str
