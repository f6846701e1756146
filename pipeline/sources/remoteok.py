"""Remote OK: one list of about 100 remote jobs, without a key."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
from pydantic_settings import SettingsConfigDict

from pipeline.extract.client import Client
from pipeline.installation.settings import BaseUrl, SourceSettings
from pipeline.sources import (
    BOOLEAN,
    JSON,
    NUMBER,
    TEXT,
    WHOLE_NUMBER,
    Source,
    posting_resource,
    required,
)
from pipeline.sources._raw_values import epoch_time, filled, json_strings, moment


class RemoteOkSettings(SourceSettings):
    """The API responds from a cache that is renewed every hour."""

    model_config = SettingsConfigDict(env_prefix="REMOTEOK_")

    base_url: BaseUrl = "https://remoteok.com"
    interval_minutes: int = 60


@posting_resource("remoteok")
def remoteok(settings: RemoteOkSettings, client: Client) -> Iterator[list[Any]]:
    """The one page there is: parameters are ignored. Its first element, the terms, is no job."""
    content = client.get_json("/api", {}, envelope={"": "list"})
    if not isinstance(content, list):
        raise client.invalid_response(content, "a list of jobs")
    yield [without_note(element) for element in content if not _is_terms(element)]


def _is_terms(element: Any) -> bool:
    return isinstance(element, Mapping) and "legal" in element and "id" not in element


_NOTE = (
    r"(?s)Please mention the word \S{1,80} and tag \S{1,200}"
    r"(?: when applying.{0,100}?completely(?: \(#\S{1,200}\))?\.?)?"
    r"(?:\s*This is a beta feature.{0,300}?(?:they['’]re human\.?|$))?"
)
"""What Remote OK appends to every description: a word and a tag for who asked for it, which
differ in each response. The tag is R and the Base64 of the address that asked."""
_TAG = re.compile(r"[A-Za-z0-9+/]{8,64}={0,2}")
_note = re.compile(_NOTE)
_BREAKS = ("<br>", "<br/>", "<br />")


def without_note(element: Any) -> Any:
    """The posting without the note, and without the address of this machine in any other words:
    it is not about the job, and staging and its snapshots are copied to others."""
    if not isinstance(element, Mapping):
        return element
    return {
        name: _cut(value) if isinstance(value, str) else value for name, value in element.items()
    }


def _cut(text: str) -> str:
    without = _note.sub("", text)
    if without != text:
        before = None
        while without != before:
            before, without = without, without.rstrip()
            for mark in _BREAKS:
                without = without.removesuffix(mark)
    return _TAG.sub(_unless_address, without)


def _unless_address(tag: re.Match[str]) -> str:
    text = tag.group()
    for start in (0, 1):
        written = text[start:].rstrip("=")
        written += "=" * (-len(written) % 4)
        try:
            ipaddress.ip_address(base64.b64decode(written, validate=True).decode("ascii"))
        except (binascii.Error, ValueError):
            continue
        return ""
    return text


_ENDS_IN_DOTS = r"(\.\.\.|…)\s*(<br\s*/?>\s*)*$"
# The recorded response holds the newest 98, back to twelve days before; others hold about 100.
_FEED_WINDOW = 90

_description = pl.col("description").str.replace_all(rf"(?:\s|<br\s*/?>)*{_NOTE}", "")
"""Postings that were staged before the note was cut off still hold it."""

_HAS_SALARY = (pl.col("salary_min") > 0) | (pl.col("salary_max") > 0)
_MOST = pl.max_horizontal("salary_min", "salary_max")
_LEAST_YEARLY = 1_000
_HOURLY = (5, 300)
"""Amounts of hourly rates; those between are rates of a day or a month, and nobody says which."""
_MONTHLY = "zł|PLN|CZK|Kč|HUF|RON|SEK|NOK|DKK|INR|₹|BRL"
"""Currencies in which salaries are often told by the month."""
_OTHERS = f"€|£|EUR|euros?|GBP|CHF|CAD|AUD|NZD|SGD|{_MONTHLY}"
_said = pl.concat_str("position", "location", _description, separator=" ", ignore_nulls=True)


def _is_said_in(currencies: str) -> pl.Expr:
    """Whether the text names amounts in one of the currencies, and none in US dollars."""
    amount = rf"(?i)(?:{currencies})\s?\d|\d\s?k?\s?(?:{currencies})(?:[^\pL]|$)"
    return (_said.str.contains(amount) & ~_said.str.contains(r"(?i)\$|\bUSD\b")).fill_null(False)


_IS_IN_OTHER_CURRENCY = _is_said_in(_OTHERS)
_IS_OFTEN_MONTHLY = _is_said_in(_MONTHLY)

# What the form of the advert's page leaves behind where somebody filled in no job at all: no
# salary, a town without a country, and a title that names no occupation.
_IS_EMPTY = filled("position").is_null() & filled("company").is_null()
_OCCUPATION = (
    r"(?i)engineer|developer|programmer|architect|admin|devops|sre\b|analyst|scientist|manager|lead"
    r"|director|head|officer|designer|writer|editor|marketer|specialist|consultant|representative"
    r"|agent|assistant|associate|advis|recruiter|coordinator|accountant|controller|support|sales"
    r"|intern\b|nurse|teacher|tutor|instructor|technician|tester|researcher|expert|executive|owner"
    r"|operator|operations|partner|producer|artist|student|trainee|freelance|entwickler|job|hiring"
    r"|clerk|driver|therapist|lawyer|counsel|secretary|translator|adjuster|underwriter|strategist"
    r"|ingenieur|desarrollador|d[ée]veloppeur|desenvolvedor|sde\b|swe\b|cto\b|ceo\b|cfo\b|cmo\b|vp\b"
)
_IS_NO_JOB = (
    ~pl.col("position").str.contains(_OCCUPATION)
    & pl.col("location").str.contains(r"^[^,]+,\s*$")
    & ~_HAS_SALARY.fill_null(False)
)

SOURCE = Source(
    name="remoteok",
    title="Remote OK",
    attribution="Jobs from Remote OK (https://remoteok.com). Link back to each posting there, "
    "with a followed link.",
    settings=RemoteOkSettings,
    resource=remoteok,
    key="id",
    fields={
        "slug": TEXT,
        "epoch": WHOLE_NUMBER,
        "date": TEXT,
        "company": required(TEXT),
        "company_logo": TEXT,
        "logo": TEXT,
        "position": required(TEXT),
        "description": required(TEXT),
        "location": TEXT,
        "salary_min": NUMBER,
        "salary_max": NUMBER,
        "apply_url": TEXT,
        "url": required(TEXT),
        "original": BOOLEAN,
        "verified": BOOLEAN,
        "tags": required(JSON),
    },
    mapping={
        "unusable": pl.when(_IS_EMPTY)
        .then(pl.lit("Remote OK sent an empty row: neither title nor company"))
        .when(filled("company").is_null())
        .then(pl.lit("Remote OK sent a row without a company"))
        .when(_IS_NO_JOB)
        .then(pl.lit("not a job: the title names no occupation, and pay and country are missing")),
        "title": pl.col("position"),
        "company": pl.col("company"),
        "description": _description,
        "description_is_snippet": _description.str.contains(_ENDS_IN_DOTS).fill_null(False),
        "tags": json_strings("tags"),
        "location_text": pl.col("location"),
        "remote": pl.lit(True),
        "salary_min": pl.col("salary_min"),
        "salary_max": pl.col("salary_max"),
        # The form asks for US dollars a year, and is not always obeyed: see stated_pay.
        "salary_currency": pl.when(_HAS_SALARY & ~_IS_IN_OTHER_CURRENCY).then(pl.lit("USD")),
        "salary_period": pl.when(_MOST.is_between(*_HOURLY))
        .then(pl.lit("HOUR"))
        .when((_MOST >= _LEAST_YEARLY) & ~_IS_OFTEN_MONTHLY)
        .then(pl.lit("YEAR")),
        # It shows amounts of its own where the employer gave none; only the text tells which.
        "salary_is_predicted": _HAS_SALARY.fill_null(False),
        "apply_url": pl.coalesce(filled("apply_url"), filled("url")),
        "source_url": filled("url"),
        "posted_at": pl.coalesce(moment("date"), epoch_time("epoch")),
    },
    feed_window=_FEED_WINDOW,
)
