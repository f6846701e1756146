"""Values for the declared fields, so that each can be told from another."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.declaration import (
    Code,
    Compared,
    Count,
    Day,
    Field,
    Findings,
    Moment,
    Money,
    Number,
    OneOf,
    Text,
    Texts,
    YesNo,
)
from pipeline.fields import FIELDS

_DAY = datetime(2026, 2, 6, 10, 30, 0, 123456, tzinfo=UTC)


def value(field: Field, number: int) -> Any:
    """A value that the field may have, as in a frame; another one for each number from 0 to 1,
    and where its kind has enough of them, another one than that of any other field."""
    place = FIELDS.index(field)
    if one := next((each for each in FIELDS if each.every == field.name), None):
        return [value(one, number)]
    if field.filter and field.filter.compared is Compared.COUNTRY_OR_ANY:
        return [f"A{'AB'[number]}"]
    match field.kind:
        case Text(pattern=None):
            return f"{field.name} {number}"
        case Text():
            return f"https://example.com/{field.name}/{number}"
        case Code(letters):
            return chr(65 + place % 26) * (letters - 1) + "AB"[number]
        case OneOf(values):
            return values[number]
        case Texts(pattern=None):
            return [f"{field.name} {number}", field.name]
        case Texts():
            return [f"https://example.com/{field.name}/{number}"]
        case YesNo():
            return number == 0
        case Number():
            return (1 + number) / (place + 3)
        case Money():
            return place + number + 0.25
        case Count():
            return place + number + 1
        case Moment():
            return _DAY + timedelta(days=place, hours=number)
        case Day():
            return _DAY.date() + timedelta(days=place + number)
        case Findings():
            finding = {
                # In the order in which PostgreSQL keeps the keys of a jsonb.
                "rule": "level in the title", "field": "seniority", "value": f"senior {number}",
                "words": "Sr.", "origin": "title", "decides": number == 0,
            }  # fmt: skip
            return json.dumps([finding])
