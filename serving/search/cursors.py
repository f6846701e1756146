"""Where to read on in a list, as an opaque text that fits into a URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from serving.problems import InvalidParameter, ProblemError

T = TypeVar("T")


def identity(name: str, query: Mapping[str, Any] | None = None) -> str:
    """What the cursors of a list belong to: the list of this name, as ``query`` filters and sorts
    it. The order of parameters and of their values, and values that are repeated, do not count."""
    distinct = {
        parameter: sorted(set(value)) if isinstance(value, list) else value
        for parameter, value in (query or {}).items()
    }
    text = orjson.dumps([name, distinct], option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.blake2b(text, digest_size=9).digest()).decode()


def write(of: str, *place: Any) -> str:
    """The cursor of the place after these values, by which the list ``of`` is ordered."""
    return base64.urlsafe_b64encode(orjson.dumps([of, place])).rstrip(b"=").decode()


def read(cursor: str, of: str, kind: TypeAdapter[tuple[str, T]]) -> T:
    """The values in ``cursor``.

    Args:
        of: the list that it must belong to.
        kind: of the pair of a list and the values.

    Raises:
        ProblemError: 422, the cursor is none or belongs to another list or query.
    """
    try:
        place = base64.b64decode(
            cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        owner, values = kind.validate_json(place, strict=True)
    except (binascii.Error, UnicodeEncodeError, ValidationError):
        raise refused("must be the 'next' of an earlier answer to the same query") from None
    if owner != of:
        raise refused(
            "belongs to another query: give it with the search, the filters and the sort of the "
            "answer that it is the 'next' of, or leave it out to begin anew"
        )
    return values


def refused(message: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"cursor: {message}",
        errors=[InvalidParameter(parameter="cursor", message=message)],
    )
