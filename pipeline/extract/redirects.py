"""Which redirects are followed: only those within the origin, so that no key goes elsewhere."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from requests import PreparedRequest, Request, RequestException
from requests.adapters import HTTPAdapter
from urllib3.util import parse_url

_PLAIN_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*")
"""The characters of https://www.rfc-editor.org/rfc/rfc3986#section-2: no blank, control character,
backslash or letter beyond ASCII."""
_DEFAULT_PORTS = {"http": 80, "https": 443}


def redirect_target(url: str, location: str) -> str | None:
    """Where a redirect leads; None where that is another origin, or no plain URL."""
    if not _PLAIN_URL.fullmatch(location):
        return None
    try:
        here, there = (Request("GET", to).prepare() for to in (url, urljoin(url, location)))
        return there.url if origin(here) == origin(there) else None
    except (RequestException, ValueError):
        return None


def origin(request: PreparedRequest) -> tuple[str | None, ...]:
    """What a request is sent to: the scheme, the credentials in the URL, the host and the port.

    They are taken from the URL by what sends requests: two readers of a URL may see two hosts
    in it.

    Raises:
        ValueError: the URL has no such parts.
    """
    target, _ = HTTPAdapter().build_connection_pool_key_attributes(request, verify=True)
    parsed = parse_url(request.url or "")
    if parsed.host is None or parsed.host.strip("[]") != target["host"]:
        raise ValueError("the host is not the same to all readers of the URL")
    port = target["port"] or _DEFAULT_PORTS[target["scheme"]]
    return target["scheme"], parsed.auth, target["host"], str(port)
