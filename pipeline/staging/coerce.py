"""Raw postings to one typed frame, whatever they look like, and a report of what drifted."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import orjson
import polars as pl

from pipeline.extract.drift import MAX_DRIFT_FIELDS, UNKNOWN, Drift, kind
from pipeline.sources import Source

KEY = "source_id"
STAMPS = {
    "first_seen_at": pl.Datetime("us", "UTC"),
    "last_seen_at": pl.Datetime("us", "UTC"),
    "run_id": pl.String(),
    "fetch_position": pl.Int64(),
}
"""The columns of ``staging.postings`` that tell of the fetches that brought a posting."""
OWN_COLUMNS = frozenset({KEY, "raw", *STAMPS, "_dlt_load_id"})
MAX_KEY_CHARS = 200
"""A longer key is replaced by its hash: PostgreSQL indexes it later."""
_EXAMPLE_CHARS = 120

_SURROGATE = re.compile("[\ud800-\udfff]")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def json_text(value: Any, *, sort_keys: bool = False) -> str:
    """Valid JSON in valid UTF-8. Lone surrogates become U+FFFD, NaN and infinities null, NUL the
    escape ``\\u0000``."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS if sort_keys else None).decode()
    except orjson.JSONEncodeError:
        # Surrogates, integers beyond 64 bits, deep nesting: slower, and refuses none of them.
        text = json.dumps(
            _finite(value) if _has_non_finite(value) else value,
            ensure_ascii=False,
            sort_keys=sort_keys,
            separators=(",", ":"),
            default=str,
        )
        return _valid(text)


def _has_non_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        return True
    return False


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list) else value


def _valid(text: str) -> str:
    return _SURROGATE.sub("\ufffd", text)


def source_id(posting: Any, key: str) -> str:
    """The text of the posting's key; where it has none that identifies it, ``sha-`` and a hash
    of its JSON, whatever the order of its fields."""
    value = posting.get(key) if isinstance(posting, Mapping) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) or (
        isinstance(value, int | float) and not isinstance(value, bool) and value == value
    ):
        text = _valid(str(value)).replace("\0", "").strip()
        if 0 < len(text) <= MAX_KEY_CHARS:
            return text
    digest = hashlib.sha256(json_text(posting, sort_keys=True).encode()).hexdigest()
    return f"sha-{digest[:32]}"


def _to_text(value: Any) -> str:
    return _valid(value) if isinstance(value, str) else json_text(value)


def _to_float(value: Any) -> float:
    if isinstance(value, str):
        value = value.strip()
        value = value.replace(",", "") if _THOUSANDS.fullmatch(value) else value
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not finite")
    return number


def _to_int(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,19}\s*", value):
        return int(value)
    number = _to_float(value)
    if not number.is_integer():
        raise ValueError("not whole")
    return int(number)


def _to_bool(value: Any) -> bool:
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, str):
        return _BOOLEANS[value.strip().lower()]
    raise ValueError("not a truth value")


def _to_datetime(value: Any) -> datetime:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if not isinstance(value, datetime):
        return datetime.fromtimestamp(_to_float(value), UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


@dataclass(frozen=True)
class _Type:
    name: str
    native: frozenset[type]
    convert: Callable[[Any], Any]


def _type_of(dtype: pl.DataType) -> _Type:
    if dtype == pl.String:
        return _Type("text", frozenset({str}), _to_text)
    if dtype == pl.Boolean:
        return _Type("true or false", frozenset({bool}), _to_bool)
    if dtype == pl.Int64:
        return _Type("whole number", frozenset({int}), _to_int)
    if dtype == pl.Float64:
        return _Type("number", frozenset({int, float}), _to_float)
    if dtype == pl.Datetime("us", "UTC"):
        return _Type("time", frozenset({datetime}), _to_datetime)
    raise ValueError(f"staging has no column type for {dtype}; declare pl.String")


_TEXT_OR_NUMBER = _Type("text or number", frozenset({str, int, float}), _to_text)
_NESTED = _Type("list or object", frozenset({list, dict}), json_text)


def _example(value: Any) -> str:
    text = json_text(value[:_EXAMPLE_CHARS] if isinstance(value, str) else value)
    return text if len(text) <= _EXAMPLE_CHARS else text[: _EXAMPLE_CHARS - 1] + "…"


class Coercer:
    """Turns the pages of one fetch into frames of the declared columns, and notes what drifted.

    Attributes:
        schema: of the frames: the key, the source's columns, and ``raw``.
        postings: how many were turned so far.

    Raises:
        ValueError: the source declares a column that staging keeps for itself, or of a type that
            it has no column for.
    """

    def __init__(self, source: Source) -> None:
        taken = OWN_COLUMNS & (set(source.columns) | source.json_columns)
        if taken:
            raise ValueError(f"{source.name} declares {sorted(taken)}, which staging itself writes")
        self._source = source
        plain = {name: dtype for name, dtype in source.columns.items()
                 if name not in source.json_columns}  # fmt: skip
        self.schema = pl.Schema(
            {KEY: pl.String(), **plain}
            | dict.fromkeys(sorted(source.json_columns), pl.String())
            | {"raw": pl.String()}
        )
        self._types = {name: _type_of(self.schema[name]) for name in plain}
        self._types |= dict.fromkeys(source.numeric_texts, _TEXT_OR_NUMBER)
        self._types |= dict.fromkeys(source.json_columns, _NESTED)
        self.postings = 0
        self._objects = 0
        self._filled: set[str] = set()
        self._drift: Counter[tuple[str, str]] = Counter()
        self._examples: dict[tuple[str, str], str] = {}

    def coerce(self, page: Sequence[Any]) -> pl.DataFrame:
        """The page with the declared types: one row a key; of postings with the same key the one
        that came last. Nothing that can stand in a JSON document makes it fail."""
        objects = [posting if isinstance(posting, Mapping) else {} for posting in page]
        keys = [source_id(posting, self._source.key) for posting in page]
        series = [pl.Series(KEY, keys, pl.String)]
        for name, declared in self._types.items():
            values = [posting.get(name) for posting in objects]
            series.append(self._column(name, declared, values))
            if series[-1].null_count() < len(values):
                self._filled.add(name)
        series.append(pl.Series("raw", [json_text(posting) for posting in page], pl.String))
        self.postings += len(page)
        self._note_shapes(page, keys)
        frame = pl.DataFrame(series).select(self.schema.names())
        return frame.unique(KEY, keep="last", maintain_order=True)

    def drift(self) -> list[Drift]:
        """What differed from the declaration, in alphabetical order of the fields."""
        found = [
            Drift(field, what, count, self._examples.get((field, what)), of=self.postings)
            for (field, what), count in self._drift.items()
        ]
        if self._objects:
            found += [
                Drift(name, "missing or null in every posting", self._objects, of=self._objects)
                for name in self._source.required
                if name not in self._filled
            ]
        return sorted(found, key=lambda drift: (drift.field, drift.what))

    def _column(self, name: str, declared: _Type, values: list[Any]) -> pl.Series:
        dtype = self.schema[name]
        if declared is not _NESTED and set(map(type, values)) <= declared.native | {type(None)}:
            try:
                series = pl.Series(name, values, dtype, strict=declared.name != "number")
                if not dtype.is_float() or series.is_finite().all():
                    return series
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
                pass  # a lone surrogate, a number out of range: value by value then
        converted = [self._convert(name, dtype, declared, value) for value in values]
        return pl.Series(name, converted, dtype)

    def _convert(self, name: str, dtype: pl.DataType, declared: _Type, value: Any) -> Any:
        if value is None:
            return None
        what = f"{kind(value)} instead of {declared.name}"
        try:
            converted = declared.convert(value)
            if dtype != pl.String:  # a text always fits
                pl.Series([converted], dtype=dtype)
        except (ValueError, TypeError, KeyError, OverflowError, OSError, pl.exceptions.PolarsError):
            self._note(name, f"{what}, not convertible", value)
            return None
        if type(value) not in declared.native:
            self._note(name, what, value)
        return converted

    def _note(self, field: str, what: str, value: Any, count: int = 1) -> None:
        place = (_valid(field)[:_EXAMPLE_CHARS], what)
        self._drift[place] += count
        if place not in self._examples:
            self._examples[place] = _example(value)

    def _note_shapes(self, postings: Sequence[Any], keys: Iterable[str]) -> None:
        objects = [posting for posting in postings if isinstance(posting, Mapping)]
        self._objects += len(objects)
        counts = Counter(chain.from_iterable(objects))
        for field, count in counts.items():
            if field in self._types or field == self._source.key or field in self._source.others:
                continue
            text = str(field)
            if (_valid(text), UNKNOWN) not in self._drift and (
                sum(what == UNKNOWN for _, what in self._drift) >= MAX_DRIFT_FIELDS
            ):
                text = "…"
            example = next(posting[field] for posting in objects if field in posting)
            self._note(text, UNKNOWN, example, count)
        for posting, key in zip(postings, keys, strict=True):
            if not isinstance(posting, Mapping):
                self._note("(posting)", f"{kind(posting)} instead of object", posting)
            elif key.startswith("sha-"):
                value = posting.get(self._source.key)
                if value != key:
                    self._note(self._source.key, "no usable key: a hash stands in", value)
