"""Reading values from raw columns that may hold more than their API promises.

Expressions for the mappings in ``pipeline/sources``. None of them fails on any text: what cannot
be read is null.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

import dateparser
import polars as pl

from pipeline.transform.cleaning.distinct import of_distinct

_ESCAPE = r'\\(["\\/bfnrt]|u([0-9abcefABCEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))'
_JSON_STRING = rf'"([^"\\\x00-\x1f]|{_ESCAPE})*"'
_JSON_STRINGS = rf"^\s*\[\s*({_JSON_STRING}\s*(,\s*{_JSON_STRING}\s*)*)?\]\s*$"
_ELEMENTS = 64
"""How many elements are read of a list that does not hold texts alone."""

_YEAR_2100 = 4_102_444_800
_MAX_AGE_CHARS = 60
_MAX_AGE_DAYS = 3_650
_NOON = datetime(2026, 1, 15, 12)  # noqa: DTZ001 - only the difference to it counts
_NEW = re.compile(
    r"(?:just (?:now|posted|published)|new(?:ly posted)?|moments? ago|gerade eben|neu"
    r"|reci[ée]n publicad[oa]|nuev[oa]|ahora|à l.instant|nouveau|adesso|nuovo|agora|novo|nieuw"
    r"|zojuist|ny|nytt|now(?:e|y)|teraz)\W*",
    re.IGNORECASE,
)
"""What boards write in place of an age of less than an hour."""
_AROUND_AGE = re.compile(
    r"^\W*(?:re)?(?:posted|published|active|listed|updated|publi[ée]e?|publicad[oa]|pubblicato"
    r"|veröffentlicht|geplaatst|opublikowano)\b:?"
    r"|\b(?:more than|over|about|almost|mehr als|über|etwa|más de|plus de|environ|più di|oltre"
    r"|mais de|meer dan|ponad)\b|(?<=\d)\s?\+",
    re.IGNORECASE,
)
"""What stands around an age and does not change its days: "Posted 30+ days ago"."""


def moment(column: str) -> pl.Expr:
    """A time that is written out, as UTC: ISO 8601, RFC 2822 (``Fri, 20 Nov 2026 08:30:00 GMT``),
    a date with the month's English name, or digits as :func:`epoch_time` reads them. Without an
    offset it is taken for UTC."""
    text = pl.col(column).str.strip_chars()
    read = pl.coalesce(
        text.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False),
        *[
            text.str.to_datetime(written, time_unit="us", strict=False).dt.replace_time_zone("UTC")
            for written in ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
        ],
        *[
            text.str.to_date(written, strict=False).cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
            for written in ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y")
        ],
        _since_1970(text.str.extract(r"^(\d{9,19})$").cast(pl.Int64, strict=False)),
    )  # fmt: skip
    # Python is asked only for what the others cannot read: nearly every time is one of its own.
    unread = pl.when(read.is_null()).then(text)
    return pl.coalesce(read, of_distinct(unread, _rfc_2822, pl.Datetime("us", "UTC")))


def epoch_time(column: str) -> pl.Expr:
    """A time since 1970, of an integer column, as UTC: in seconds or, where they would lie beyond
    the year 2100, in milliseconds, microseconds or nanoseconds. Null outside of 1970 to 2099."""
    return _since_1970(pl.col(column))


def _since_1970(count: pl.Expr) -> pl.Expr:
    microseconds = (
        pl.when(count < 1)
        .then(None)
        .when(count <= _YEAR_2100)
        .then(count * 1_000_000)
        .when(count <= _YEAR_2100 * 1_000)
        .then(count * 1_000)
        .when(count <= _YEAR_2100 * 1_000_000)
        .then(count)
        .when(count <= _YEAR_2100 * 1_000_000_000)
        .then(count // 1_000)
    )
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _rfc_2822(text: str) -> datetime | None:
    if len(text) > _MAX_AGE_CHARS or not re.search(r"\d:\d\d", text):
        return None
    try:
        read = parsedate_to_datetime(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def day_of_age(column: str, told_at: str) -> pl.Expr:
    """The day, at midnight UTC, that lies as far before ``told_at`` as the text says: "3 days
    ago", "hace 5 días", "vor 3 Tagen", "heute", in any language that dateparser reads. Of "30+
    days ago" it is the latest day that may be meant."""
    age = of_distinct(pl.col(column).str.strip_chars(), _age_in_hours, pl.Int64())
    return (pl.col(told_at) - pl.duration(hours=age)).dt.truncate("1d")


@lru_cache(maxsize=4_096)
def _age_in_hours(text: str) -> int | None:
    if len(text) > _MAX_AGE_CHARS:
        return None
    if _NEW.fullmatch(text):
        return 0
    plain = " ".join(_AROUND_AGE.sub(" ", text).split())
    try:
        then = dateparser.parse(
            plain, settings={"RELATIVE_BASE": _NOON, "PARSERS": ["relative-time"]}
        )
    except (ValueError, OverflowError, RecursionError):
        return None
    if then is None:
        return None
    hours = int((_NOON - then.replace(tzinfo=None)).total_seconds() // 3_600)
    return hours if 0 <= hours <= _MAX_AGE_DAYS * 24 else None


def json_strings(column: str) -> pl.Expr:
    """A list of texts, of JSON text. Other elements are read as their text, the first 64 of
    them; what is no list is null."""
    text = pl.col(column)
    only_strings = pl.when(text.str.contains(_JSON_STRINGS)).then(text)
    elements = pl.concat_list(
        text.str.json_path_match(f"$[{index}]") for index in range(_ELEMENTS)
    ).list.drop_nulls()
    return pl.coalesce(
        only_strings.str.json_decode(pl.List(pl.String)),
        pl.when(text.str.starts_with("[")).then(elements),
    )


def json_items(column: str, path: str, most: int) -> list[pl.Expr]:
    """What ``path`` (``.apply_link``) names in each of the first elements of a JSON list."""
    return [pl.col(column).str.json_path_match(f"$[{index}]{path}") for index in range(most)]


def number(column: str, *, last: bool = False) -> pl.Expr:
    """The first (or last) number of a text such as ``$120,000 - $150K``."""
    found = pl.col(column).str.extract_all(r"-?\d[\d,]*(\.\d+)?([eE]\+?\d{1,2}|\s?[kK]\b)?")
    text = (found.list.last() if last else found.list.first()).str.replace_all(",", "")
    thousands = text.str.contains(r"[kK]$")
    value = text.str.strip_chars("kK ").cast(pl.Float64, strict=False)
    return pl.when(thousands).then(value * 1_000).otherwise(value)


def flag(column: str) -> pl.Expr:
    """True or false, of text such as ``1``, ``true``, ``0`` or ``False``."""
    text = pl.col(column).str.strip_chars().str.to_lowercase()
    return text.replace_strict(
        {"1": True, "1.0": True, "true": True, "yes": True,
         "0": False, "0.0": False, "false": False, "no": False},
        default=None, return_dtype=pl.Boolean,
    )  # fmt: skip


def filled(column: str) -> pl.Expr:
    """The text, null where it is empty or blank."""
    return pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column))
