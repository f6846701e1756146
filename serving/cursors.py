"""Where to read on in a list, as an opaque text that fits into a URL."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from serving.problems import InvalidParameter, ProblemError


def write(*place: Any) -> str:
    """The cursor of the place after these values, by which the list is ordered."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


def read(cursor: str, kind: Any) -> Any:
    """The values in ``cursor``, which must be of the tuple type ``kind``.

    Raises:
        ProblemError: 422, the cursor is not one of this list.
    """
    try:
        place = base64.b64decode(
            cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True
        )
        values = TypeAdapter(kind).validate_python(tuple(orjson.loads(place)))
    except (binascii.Error, ValueError, TypeError, ValidationError):
        message = "must be the 'next' of an earlier answer to the same query"
        raise ProblemError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"cursor: {message}",
            errors=[InvalidParameter(parameter="cursor", message=message)],
        ) from None
    return values
