"""What mails, advertisements and those who share a link append to the address it leads to."""

from __future__ import annotations

from urllib.parse import unquote_plus

from starlette.types import ASGIApp, Receive, Scope, Send

PREFIXES = (
    "utm_", "mc_", "mtm_", "matomo_", "pk_", "piwik_", "hsa_", "_hs", "__hs", "_ga", "vero_",
    "oly_", "at_",
)  # fmt: skip
NAMES = frozenset([
    "fbclid", "fb_action_ids", "fb_action_types", "fb_ref", "fb_source", "igshid", "igsh",
    "gclid", "gclsrc", "gbraid", "wbraid", "dclid", "srsltid", "gad_source", "gad_campaignid",
    "_gl", "msclkid", "yclid", "ysclid", "_openstat", "twclid", "ttclid", "li_fat_id", "rdt_cid",
    "epik",
    "sccid", "scclid", "mkt_tok", "hsctatracking", "s_cid", "s_kwcid", "cmpid", "icid", "ncid",
    "irclickid", "irgwc", "zanpid", "wickedid", "rb_clickid", "guccounter", "guce_referrer",
    "guce_referrer_sig", "_branch_match_id", "_ke", "_kx", "ck_subscriber_id", "trk", "trkcampaign",
    "ref", "ref_src", "ref_url", "referrer",
])  # fmt: skip
"""In lower case. None is, or looks like, a parameter of the API."""


def is_tracking(name: str) -> bool:
    """Whether it is a parameter that others append; ``&amp;`` may have been left before it."""
    bare = name.lower().removeprefix("amp;")
    return bare in NAMES or bare.startswith(PREFIXES)


class TrackingMiddleware:
    """ASGI middleware that takes those parameters from the query, so that they are neither refused
    nor tell two requests for the same apart."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["query_string"]:
            parts = scope["query_string"].split(b"&")
            kept = [part for part in parts if not is_tracking(_name(part))]
            if len(kept) < len(parts):
                scope = {**scope, "query_string": b"&".join(kept)}
        await self.app(scope, receive, send)


def _name(parameter: bytes) -> str:
    return unquote_plus(parameter.partition(b"=")[0].decode("latin-1"))
