"""What an apply URL says about the opening behind it.

Two adverts that lead to the same requisition are one opening; two that lead to different
requisitions of one employer's applicant tracking system are two. The recognised address forms
are in ``addresses.toml``: those that the systems' own boards and the employers' embedded boards
use. Any other address is compared whole, without what only tells how a visitor came.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

import polars as pl
from pydantic import Field, model_validator

from pipeline.transform.vocabulary import PythonPattern, Shape, Word, any_of, read

MAX_KEY_CHARS = 400
"""PostgreSQL's GIN refuses keys over some 2,700 bytes; longer ones end in a digest instead."""

_MAX_FORM_CHARS = 600
"""A longer path or fragment is of no known form; so a hostile one costs no time."""

_MAX_PARAMETERS = 100
_MAX_LABELS = 8

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ID = r"[\w-]{1,64}"

_number = re.compile(rf"(?i){_UUID}|\d{{5,}}|(?<![0-9a-f])(?=[a-f]*\d)[0-9a-f]{{12,}}")
"""What is a number of an opening wherever it stands in a path."""

_opening_word = re.compile(
    r"(?i)(?:jobs?|job[-_]?(?:ad|detail|offer|posting|view|description)s?|positions?|postings?"
    r"|vacanc(?:y|ies)|vacatures?|openings?|requisitions?|reqs?|opportunit(?:y|ies)|roles?|careers?"
    r"|details?|view|listings?|offers?|offres?|emplois?|annonces?|stellen?|stellenangebote?"
    r"|ofertas?|empleos?|vagas?|oferty|praca|apply)"
)
_short_number = re.compile(r"(?!20[0-3]\d$)\d{1,9}|[A-Z]{1,6}[-_]?\d{2,}|[\w-]*[a-z][-_]\d{2,}")
"""What is one in the part of a path behind such a word; a year is not."""

_opening_name = re.compile(
    r"(?!(?:company|client|site|partner|user|session|visitor|campaign|click|page|category|location"
    r"|region|city|country|org|tenant|account|source|affiliate|agent|employer|department|dept|team"
    r"|group|lang|locale|[sc])(?:id|uid|no|nr|ref|number)$)"
    r"(?:\w*(?:id|uuid|guid)|(?:job|req|requisition|posting|position|vacancy|opening|opportunity"
    r"|offer|stellen|vaga)?(?:no|nr|num|number|nummer|ref|reference|code)"
    r"|jobs?|jobdetails?|jk|jl|req|requisition|posting|position|vacancy|opening|opportunity|offer)"
)
"""Parameters that name an opening, in lower case and without ``-`` and ``_``."""

_session_part = re.compile(r"(?i);jsessionid=[^/]*")
_form_part = re.compile(r"(?i)/(?:apply|application)$")
_words = re.compile(r"(?<![^\W_])[^\W_]+(?:[-_][^\W_]+){3,}")
_of_a_list = re.compile(
    r"(?i)(?:^|[-_])(?:jobs|roles|openings|positions|careers?|vacancies|opportunities|search|results"
    r"|stellen|stellenangebote|offres|emplois|empleos|ofertas|trabajos|vagas|vacatures|oferty)(?:$|[-_])"
)


@dataclass(frozen=True)
class _Form:
    """One address form of ``addresses.toml``, which says what its parts mean."""

    system: str
    is_listing: bool
    host: re.Pattern[str] | None
    path: re.Pattern[str] | None
    fragment: re.Pattern[str] | None
    parameters: Mapping[str, list[str]]
    id_is: re.Pattern[str]
    has_tenant: bool
    is_case_sensitive: bool
    numbers_requisitions: bool

    def read(self, before_domain: str, parts: _Parts) -> ApplyTarget | None:
        said: dict[str, str] = {}
        for pattern, text in ((self.path, parts.path), (self.fragment, parts.fragment)):
            if pattern is not None:
                if (found := pattern.search(text)) is None:
                    return None
                said |= found.groupdict()
        if self.host is not None:
            if (found := self.host.match(before_domain)) is None:
                return None
            said |= found.groupdict()
        for part, names in self.parameters.items():
            value = next((parts.parameters[name] for name in names if name in parts.parameters), "")
            if not (self.id_is if part == "id" else _any_id).fullmatch(value):
                return None
            said[part] = value
        identity = said["id"] if self.is_case_sensitive else said["id"].lower()
        tenant = said["tenant"].lower() if self.has_tenant else None
        system = f"{self.system}:{tenant}" if tenant else self.system
        if self.is_listing:
            return ApplyTarget(key=bounded(f"listing {system}:{identity}"))
        return ApplyTarget(
            key=bounded(f"requisition {system}:{identity}"),
            system=system,
            requisition=identity,
            number=said["id"] if self.numbers_requisitions else None,
        )


_any_id = re.compile(_ID)


@dataclass(frozen=True)
class ApplyTarget:
    """Where an apply URL leads.

    Attributes:
        key: the address without what varies between visits, in a form that a person can read;
            null where the URL is no address of one opening, such as a careers page.
        system: the applicant tracking system, and behind a colon the employer within whose
            requisitions the number is counted; null elsewhere.
        requisition: the employer's requisition there.
        number: the requisition's number as the employer writes it in titles, where the system
            shows that one.
    """

    key: str | None = None
    system: str | None = None
    requisition: str | None = None
    number: str | None = None


@dataclass(frozen=True)
class _Parts:
    """What of a URL the forms look at; parameters' names in lower case, the first of each."""

    path: str
    fragment: str
    parameters: Mapping[str, str]


class _DeclaredForm(Shape):
    """See the top of ``addresses.toml``."""

    system: Word
    domains: list[Word]
    host: str = ""
    path: str = ""
    fragment: str = ""
    parameters: dict[Word, list[Word]] = Field(default_factory=dict)
    id_is: PythonPattern = _ID
    numbers_requisitions: bool = False
    is_case_sensitive: bool = False

    @model_validator(mode="after")
    def _has_an_id(self) -> Self:
        said = {
            name
            for pattern in (self.host, self.path, self.fragment)
            for name in re.compile(pattern.replace("UUID", _UUID)).groupindex
        }
        if "id" not in said.union(self.parameters):
            raise ValueError("no pattern and no parameter says `id`")
        return self


class _Tracking(Shape):
    always: list[PythonPattern]
    without_digit: list[Word]


class _Addresses(Shape):
    tracking: _Tracking
    requisitions: list[_DeclaredForm]
    listings: list[_DeclaredForm]


def _forms(addresses: _Addresses) -> dict[str, list[_Form]]:
    """The forms by domain, in their order."""
    by_domain: dict[str, list[_Form]] = defaultdict(list)
    for is_listing, declared in ((False, addresses.requisitions), (True, addresses.listings)):
        for entry in declared:
            written = (entry.host, entry.path, entry.fragment)
            host, path, fragment = (_pattern(text) for text in written)
            form = _Form(
                system=entry.system,
                is_listing=is_listing,
                host=host,
                path=path,
                fragment=fragment,
                parameters=entry.parameters,
                id_is=_pattern(entry.id_is) or _any_id,
                has_tenant="tenant" in entry.parameters or "(?P<tenant>" in "".join(written),
                is_case_sensitive=entry.is_case_sensitive,
                numbers_requisitions=entry.numbers_requisitions,
            )
            for domain in entry.domains:
                by_domain[domain].append(form)
    return by_domain


def _pattern(text: str) -> re.Pattern[str] | None:
    return re.compile(text.replace("UUID", _UUID), re.IGNORECASE) if text else None


_addresses = read("addresses", _Addresses)
_FORMS = _forms(_addresses)
_always_tracking = re.compile(any_of(_addresses.tracking.always))
_TRACKING_WITHOUT_DIGIT = frozenset(_addresses.tracking.without_digit)


@lru_cache(maxsize=4_096)
def apply_target(url: str | None) -> ApplyTarget:
    """Read one apply URL; a URL that cannot be read says nothing and raises nothing."""
    if not url:
        return ApplyTarget()
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ApplyTarget()
    if not host:
        return ApplyTarget()
    parameters = _parameters(parts.query)
    return _known_target(parts, host, parameters) or ApplyTarget(
        key=_address(parts, host, parameters)
    )


def employers_urls(urls: pl.Series) -> pl.Series:
    """The first of each list of URLs that leads to an employer's requisition, null without one."""
    first = (
        next((url for url in given if apply_target(url).system), None) for given in urls.to_list()
    )
    return pl.Series(urls.name, first, dtype=pl.String)


def bounded(key: str) -> str:
    """The key, or its beginning and a digest of it when it is longer than an index takes."""
    if len(key) <= MAX_KEY_CHARS and len(key.encode()) <= 4 * MAX_KEY_CHARS:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{key[: MAX_KEY_CHARS - 40]}…{digest}"


def _parameters(query: str) -> list[tuple[str, str]]:
    """Names in lower case, and values; none where there are more than an address needs."""
    if not query:
        return []
    try:
        pairs = parse_qsl(query, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        return []
    return [(name.lower(), value) for name, value in pairs]


def _known_target(
    parts: SplitResult, host: str, parameters: list[tuple[str, str]]
) -> ApplyTarget | None:
    if len(parts.path) > _MAX_FORM_CHARS or len(parts.fragment) > _MAX_FORM_CHARS:
        return None
    before_domain, forms = _forms_of(host)
    if not forms and parameters:
        before_domain, forms = host, _FORMS["*"]
    if not forms:
        return None
    read = _Parts(unquote(parts.path), unquote(parts.fragment), dict(reversed(parameters)))
    return next(filter(None, (form.read(before_domain, read) for form in forms)), None)


def _forms_of(host: str) -> tuple[str, list[_Form]]:
    """What stands before the longest declared domain that the host ends in, and its forms. A host
    below a longer one is not read as one below a shorter: of those that many employers share, the
    first label names none."""
    labels = host.split(".")[-_MAX_LABELS:]
    for at, label in enumerate(labels[:-1]):
        names = [".".join(labels[at:])]
        if len(labels) <= at + 3:
            names.append(f"{label}.*")
        for name in names:
            if name in _FORMS:
                return "".join(f"{before}." for before in labels[:at]), _FORMS[name]
    return host, []


def _address(parts: SplitResult, host: str, parameters: list[tuple[str, str]]) -> str | None:
    """The whole address as a key: ``url …`` where a number in it names the opening, ``page …``
    where only words do, null where nothing does."""
    path = _without_form(parts.path)
    kept = [pair for pair in parameters if not _is_tracking(*pair)]
    route = _route(parts.fragment)
    address = f"{host}{path}" + (f"?{urlencode(sorted(kept))}" if kept else "") + route
    if route or _has_number(path, kept):
        return bounded(f"url {address}")
    last = path.rpartition("/")[2]
    if _words.search(last) and not _of_a_list.search(last):
        return bounded(f"page {address}")
    return None


def _route(fragment: str) -> str:
    """The part behind the # where it leads to an opening within one page, else empty."""
    if not fragment or fragment.startswith(":~:"):
        return ""
    path, mark, query = fragment.lstrip("!").partition("?")
    if not mark and "=" in path:
        path, query = "", path
    path = _without_form(path)
    kept = [pair for pair in _parameters(query) if not _is_tracking(*pair)]
    written = re.sub(r"^([a-z]+)[-_](?=\d)", r"\1/", path.removeprefix("/"))
    if not (_has_number(written, kept) or re.search(r"\d{4,}", path)):
        return ""
    return f"#{path}" + (f"?{urlencode(sorted(kept))}" if kept else "")


def _without_form(path: str) -> str:
    return _form_part.sub("", _session_part.sub("", path).rstrip("/"))


def _has_number(path: str, parameters: list[tuple[str, str]]) -> bool:
    if _number.search(path):
        return True
    segments = path.split("/")
    return any(
        _opening_word.fullmatch(before) and _short_number.fullmatch(segment)
        for before, segment in pairwise(segments)
    ) or any(
        _opening_name.fullmatch(re.sub("[-_]", "", name[:64]))
        and len(value) <= 80
        and re.search(r"\d", value)
        for name, value in parameters
    )


def _is_tracking(name: str, value: str) -> bool:
    return _always_tracking.fullmatch(name) is not None or (
        name in _TRACKING_WITHOUT_DIGIT and not re.search(r"\d", value)
    )
