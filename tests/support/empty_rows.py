"""Rows that say nothing, for tests that write down only what matters."""

from __future__ import annotations

from typing import Any

import dataframely as dy

from pipeline.declaration import Findings, Texts
from pipeline.fields import FIELDS


def empty_row(schema: type[dy.Schema]) -> dict[str, Any]:
    """The columns of the schema: lists are empty, nothing is found, all else is null."""
    nothing: dict[str, Any] = dict.fromkeys(schema.column_names())
    for field in FIELDS:
        if field.name in nothing and isinstance(field.kind, Texts):
            nothing[field.name] = []
        if field.name in nothing and isinstance(field.kind, Findings):
            nothing[field.name] = "[]"
    return nothing
