"""Which answer a client has already: https://www.rfc-editor.org/rfc/rfc9110#section-13."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime

from serving.clients.revisions import published_at

_TAG = re.compile(r'(?:W/)?"([^"]*)"([^\s,"]*)|([^\s,"]+)', re.IGNORECASE)
_COMPRESSED = re.compile(r"(?:(?:--?|[;:+])(?:gzip|br|zstd|deflate))+$", re.IGNORECASE)
"""What Apache, Caddy, Jetty and nginx's modules add to the tag of an answer they compress."""


def of_revision(revision: str, representation: str = "json") -> dict[str, str]:
    """The headers of an answer that is all of this revision."""
    return {
        "ETag": f'"{revision}-{representation}"',
        "Last-Modified": format_datetime(published_at(revision), usegmt=True),
        "Cache-Control": "no-cache",
    }


def is_known(asked: Mapping[str, str], answer: Mapping[str, str]) -> bool:
    """Whether a request with the headers ``asked`` comes from a client that has ``answer``.

    Tags are compared weakly, whatever a proxy that compresses made of them. A date counts only
    without tags, and only if it is the one that was sent: those of two databases may be in any
    order.
    """
    if "if-none-match" in asked:
        tags = asked["if-none-match"].strip()
        known = answer["etag"].strip('"')
        return tags == "*" or any(_opaque(tag) == known for tag in _TAG.finditer(tags))
    return asked.get("if-modified-since", "").strip() == answer.get("last-modified")


def _opaque(tag: re.Match[str]) -> str:
    quoted, behind, bare = tag.groups()
    opaque = bare.removeprefix("W/") if quoted is None else quoted + behind
    return _COMPRESSED.sub("", opaque)
