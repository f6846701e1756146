"""What the pipeline understands of postings in a file, without a database or a network."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import orjson
import polars as pl

from pipeline.declaration import Stage
from pipeline.fields import of_postings
from pipeline.installation.settings import ConfigurationError
from pipeline.transform.schema import MappedPosting
from pipeline.transform.understanding.rates import Rates
from pipeline.transform.understanding.understand import understand

ROWS_AT_ONCE = 2_000
_SOURCE = "file"
_TEXTS = (
    "title", "company", "description", "location_text", "employment_type", "salary_currency",
    "salary_period", "salary_text", "city", "region", "country",
)  # fmt: skip
_TIMES = {"posted_at": "posted_at", "closes_at": "expires_at", "expires_at": "expires_at"}


def understood(lines: Iterable[bytes], table: Rates | None = None) -> Iterator[dict[str, Any]]:
    """One row for each line that is not empty, in order.

    A line is a JSON object with any of ``id``, ``title``, ``company``, ``location_text``,
    ``description``, ``employment_type``, ``salary_min``, ``salary_max``, ``salary_currency``,
    ``salary_period``, ``salary_text``, ``salary_is_predicted``, ``remote_flag``, ``tags``,
    ``posted_at`` and ``closes_at``. The row has ``id``, every derived field (null where nothing
    is known) and ``evidence``; or ``id`` and ``rejected``: why it cannot be understood.

    Args:
        table: the exchange rates for pay in US dollars and euros; without one, the bundled ones.

    Raises:
        ConfigurationError: a line is no JSON object; the message has its number.
    """
    batch: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            batch.append(_read(line, number))
            if len(batch) == ROWS_AT_ONCE:
                yield from _understood(batch, table)
                batch = []
    yield from _understood(batch, table)


def _read(line: bytes, number: int) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"Line {number} is no JSON: {error}.") from None
    if not isinstance(row, dict):
        raise ConfigurationError(f"Line {number} is no JSON object, but {type(row).__name__}.")
    return row


def _understood(rows: list[dict[str, Any]], table: Rates | None) -> Iterator[dict[str, Any]]:
    if not rows:
        return
    schema = {name: column.dtype for name, column in MappedPosting.columns().items()}
    mapped = pl.DataFrame([_mapped(row, place) for place, row in enumerate(rows)], schema)
    postings, rejected = understand(mapped, table)
    found = {row["source_id"]: row for row in postings.iter_rows(named=True)}
    reasons = dict(rejected.select("source_id", "reason").iter_rows())
    derived = [field.name for field in of_postings(Stage.UNDERSTOOD)]
    for place, row in enumerate(rows):
        given = row.get("id")
        if (posting := found.get(str(place))) is None:
            yield {"id": given, "rejected": reasons[str(place)]}
            continue
        yield {"id": given} | {
            name: json.loads(posting[name]) if name == "evidence" else posting[name]
            for name in derived
        }


def _mapped(row: dict[str, Any], place: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    tags = row.get("tags")
    values: dict[str, Any] = {
        "source": _SOURCE,
        "source_id": str(place),
        "tags": [str(tag) for tag in tags] if isinstance(tags, list) else [],
        "remote": _flag(row.get("remote_flag")),
        "salary_min": _number(row.get("salary_min")),
        "salary_max": _number(row.get("salary_max")),
        "salary_is_predicted": _flag(row.get("salary_is_predicted")),
        "first_seen_at": now,
        "last_seen_at": now,
        "run_id": "",
        "load_id": "",
        "raw": "{}",
    }
    for name in _TEXTS:
        if (text := row.get(name)) not in (None, ""):
            values[name] = str(text)
    for given, column in _TIMES.items():
        if (moment := _moment(row.get(given), is_day=column == "expires_at")) is not None:
            values[column] = moment
    return values


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(
            value.strip().lower()
        )
    return bool(value) if isinstance(value, bool | int | float) else None


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _moment(value: object, *, is_day: bool = False) -> datetime | None:
    """Of seconds since 1970, an ISO date or time, or a month (its first day).

    Args:
        is_day: the day is kept as it is written, whatever the offset makes of it in UTC.
    """
    text = str(value or "").strip()
    try:
        if re.fullmatch(r"\d{9,11}", text):
            return datetime.fromtimestamp(int(text), UTC)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return datetime.fromisoformat(f"{text}-01").replace(tzinfo=UTC)
        if re.match(r"\d{4}-\d{2}-\d{2}", text):
            return _in_utc(text, is_day)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _in_utc(text: str, is_day: bool) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.combine(date.fromisoformat(text[:10]), datetime.min.time())
    if moment.tzinfo is None or is_day:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
