"""Answers whose JSON comes from PostgreSQL as it is sent: nothing here parses or checks it.
The tests hold it against the models that OpenAPI describes."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from fastapi import Request, Response

from serving import validators


def json_answer(
    body: bytes, revision: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer that is all of ``revision``; none before the first publish."""
    known = validators.of_revision(revision) if revision else {}
    return Response(body, headers={**known, **(headers or {})}, media_type="application/json")


def link_to_next(request: Request, cursor: str) -> str:
    """The header ``Link`` to the same query from ``cursor`` on."""
    kept = [(k, v) for k, v in parse_qsl(request.url.query) if k not in ("cursor", "offset")]
    return f'<{request.scope["path"]}?{urlencode([*kept, ("cursor", cursor)])}>; rel="next"'
