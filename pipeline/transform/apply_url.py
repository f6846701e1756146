"""What an apply URL says about the opening behind it.

Two adverts that lead to the same requisition are one opening; two that lead to different
requisitions of one applicant tracking system are two. The recognised address forms are those that
the systems' own boards and the employers' embedded boards use.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, parse_qsl, unquote, urlencode, urlsplit

import polars as pl

MAX_KEY_CHARS = 400
"""PostgreSQL's GIN refuses keys over some 2,700 bytes; longer ones end in a digest instead."""

_TRACKING = re.compile(
    r"(?i)^(utm_.*|gh_src|gclid|fbclid|msclkid|mc_[ce]id|trk.*|ref|refid|referer|referrer|source"
    r"|src|lever-(source|origin).*|ccuid|jobboard|jobpipeline|iis|iisn|ittk|tk|from|fr|nl|se|v"
    r"|codes|sid|cid|session.*|_ga.*|rx_.*|jan|iid|bid|mode|in_iframe|mobile|needsredirect|__jvst"
    r"|__jvsd|jvs|p_sid|share.*|gclsrc|igshid|vjs|advn|adid|sjdu|position|pagenum|tracking.*)$"
)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_specific = re.compile(rf"(?i){_UUID}|\d{{5,}}|[0-9a-f]{{12,}}|[^/?&=\W]+(?:[-_][^/?&=\W]+){{3,}}")


@dataclass(frozen=True)
class _Form:
    """One address form: where it is recognised, and which part of it is the identity."""

    system: str
    host: re.Pattern[str]
    path: re.Pattern[str]
    per_host: bool = False
    is_employers: bool = True


def _form(
    system: str, host: str, path: str, *, per_host: bool = False, is_employers: bool = True
) -> _Form:
    return _Form(
        system,
        re.compile(rf"(?:^|.*\.)(?:{host})$"),
        re.compile(path, re.IGNORECASE),
        per_host,
        is_employers,
    )


_FORMS = [
    _form("greenhouse", r"greenhouse\.io", r"/jobs/(\d{4,})"),
    _form("lever", r"lever\.co", rf"^/[^/]+/({_UUID})"),
    _form("ashby", r"ashbyhq\.com", rf"^/[^/]+/({_UUID})"),
    _form(
        "workday",
        r"myworkday(?:jobs|site)\.com",
        r"/(?:job|details)/.*_([A-Z]{0,6}[-_]?\d[\w-]*?)(?:-\d{1,2})?(?:/apply.*)?/?$",
        per_host=True,
    ),
    _form("smartrecruiters", r"smartrecruiters\.com", rf"^/[^/]+/(\d{{9,}}|{_UUID})"),
    _form("icims", r"icims\.com", r"/jobs/(\d+)/", per_host=True),
    _form("workable", r"workable\.com", r"(?:^|/)j/([0-9a-f]{8,})"),
    _form("jobvite", r"jobvite\.com", r"/job/(o[0-9a-z]{6,})"),
    _form("oracle", r"oraclecloud\.com", r"/job/([\w-]+)", per_host=True),
    _form("bamboohr", r"bamboohr\.com", r"/(?:careers|jobs)/(\d+)", per_host=True),
    _form("breezy", r"breezy\.hr", r"^/p/([0-9a-f]{10,})", per_host=True),
    _form("recruitee", r"recruitee\.com", r"^/o/([\w-]+)", per_host=True),
    _form("teamtailor", r"teamtailor\.com", r"/jobs/(\d+)", per_host=True),
    _form("personio", r"jobs\.personio\.(?:de|com)", r"/job/(\d+)", per_host=True),
    _form("rippling", r"ats\.rippling\.com", rf"/jobs/({_UUID})"),
    _form("pinpoint", r"pinpointhq\.com", rf"/postings/({_UUID})"),
    _form("amazon", r"amazon\.jobs", r"/jobs/(\d+)"),
    _form("microsoft", r"careers\.microsoft\.com", r"/job/(\d+)"),
    _form("linkedin", r"linkedin\.com", r"/jobs/view/(?:.*-)?(\d{6,})/?$", is_employers=False),
    _form("adzuna", r"adzuna\.[a-z.]+", r"/(?:land/ad|details)/(\d+)", is_employers=False),
    _form("remoteok", r"remoteok\.(?:com|io)", r"/remote-jobs/(?:.*-)?(\d+)/?$",
          is_employers=False),
]  # fmt: skip

_PARAMETERS = [
    ("greenhouse", r".*", "gh_jid", False, True),
    ("greenhouse", r"(?:.*\.)?greenhouse\.io$", "token", False, True),
    ("ashby", r".*", "ashby_jid", False, True),
    ("jobvite", r"(?:.*\.)?jobvite\.com$", "j", False, True),
    ("taleo", r"(?:.*\.)?taleo\.net$", "job", True, True),
    ("taleo", r"(?:.*\.)?taleo\.net$", "rid", True, True),
    ("successfactors", r"(?:.*\.)?successfactors\.(?:com|eu)$", "career_job_req_id", True, True),
    ("bamboohr", r"(?:.*\.)?bamboohr\.com$", "id", True, True),
    ("indeed", r"(?:.*\.)?indeed\.[a-z.]+$", "jk", False, False),
]
"""System, host pattern, parameter, whether the id is unique only within the host, and whether it
is the employer's requisition (or a job board's own listing)."""


@dataclass(frozen=True)
class ApplyTarget:
    """Where an apply URL leads.

    ``system`` and ``requisition`` name the employer's requisition at an applicant tracking
    system; both are null elsewhere. ``key`` is the address without what varies between visits,
    in a form that a person can read; null where the URL is no address of one opening, such as a
    careers page.
    """

    key: str | None = None
    system: str | None = None
    requisition: str | None = None


def apply_target(url: str | None) -> ApplyTarget:
    """Read one apply URL; a URL that cannot be read says nothing and raises nothing."""
    if not url:
        return ApplyTarget()
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ApplyTarget()
    if not host:
        return ApplyTarget()
    return _known_target(parts, host) or ApplyTarget(key=_canonical(parts, host))


def apply_targets(urls: pl.Series) -> pl.DataFrame:
    """``apply_target`` of each URL as columns ``apply_key``, ``ats`` and ``requisition``; each
    distinct URL is read once."""
    distinct = urls.drop_nulls().unique()
    targets = [apply_target(url) for url in distinct]
    read = pl.DataFrame(
        {
            "url": distinct,
            "apply_key": [target.key for target in targets],
            "ats": [target.system for target in targets],
            "requisition": [target.requisition for target in targets],
        },
        schema=dict.fromkeys(["url", "apply_key", "ats", "requisition"], pl.String),
    )
    return (
        urls.alias("url")
        .to_frame()
        .join(read, on="url", how="left", maintain_order="left")
        .drop("url")
    )


def bounded(key: str) -> str:
    """The key, or its beginning and a digest of it when it is longer than an index takes."""
    if len(key) <= MAX_KEY_CHARS and len(key.encode()) <= 4 * MAX_KEY_CHARS:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{key[: MAX_KEY_CHARS - 40]}…{digest}"


def _known_target(parts: SplitResult, host: str) -> ApplyTarget | None:
    path = unquote(parts.path)
    parameters = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    for form in _FORMS:
        if form.host.match(host) and (found := form.path.search(path)):
            return _target(form.system, found.group(1), host, form.per_host, form.is_employers)
    for system, pattern, name, per_host, is_employers in _PARAMETERS:
        value = parameters.get(name)
        written = r"\d{4,64}" if system == "greenhouse" else r"[\w-]{3,64}"
        if value and re.fullmatch(written, value) and re.match(pattern, host):
            return _target(system, value, host, per_host, is_employers)
    return None


def _target(
    system: str, identity: str, host: str, per_host: bool, is_employers: bool
) -> ApplyTarget:
    # Jobvite's codes differ by case alone.
    identity = identity if system == "jobvite" else identity.lower()
    tenant = host.split(".")[0] if per_host else ""
    key = ":".join(filter(None, [system, tenant, identity]))
    if not is_employers:
        return ApplyTarget(key=f"listing {key}")
    return ApplyTarget(
        key=f"requisition {key}",
        system=":".join(filter(None, [system, tenant])),
        requisition=identity,
    )


def _canonical(parts: SplitResult, host: str) -> str | None:
    try:
        query = sorted(
            (name, value)
            for name, value in parse_qsl(parts.query, max_num_fields=100)
            if not _TRACKING.match(name)
        )
    except ValueError:
        query = []
    fragment = f"#{parts.fragment}" if re.search(r"\d{4,}", parts.fragment) else ""
    path = re.sub(r"/(?:apply|application)$", "", parts.path.rstrip("/"), flags=re.IGNORECASE)
    rest = path + (f"?{urlencode(query)}" if query else "") + fragment
    if not _specific.search(rest):
        return None
    return bounded(f"url {host}{rest}")
