"""Rows of ``export.sql`` as CSV, NDJSON, Parquet or an Atom feed, batch by batch.

Each format is a writer: it is given batches of rows and returns the bytes to send for them, and
those to send at the end, so that no more than a batch is held.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.rows import DictRow

_TEXTS = pa.list_(pa.string())
_MOMENT = pa.timestamp("us", "UTC")
COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(), "source": pa.string(), "sources": _TEXTS, "title": pa.string(),
    "company": pa.string(), "city": pa.string(), "region": pa.string(), "country": pa.string(),
    "remote": pa.bool_(), "employment_type": pa.string(), "category": pa.string(),
    "skills": _TEXTS, "salary_min": pa.decimal128(14, 2), "salary_max": pa.decimal128(14, 2),
    "salary_currency": pa.string(), "salary_period": pa.string(),
    "salary_is_predicted": pa.bool_(), "apply_url": pa.string(), "source_url": pa.string(),
    "posted_at": _MOMENT, "first_seen_at": _MOMENT, "updated_at": _MOMENT, "status": pa.string(),
    "attribution": pa.string(),
}  # fmt: skip
"""The columns of an export, as in Parquet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Writer(Protocol):
    def batch(self, rows: Sequence[DictRow]) -> bytes: ...
    def end(self) -> bytes: ...


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return _moment(value) if isinstance(value, datetime) else value


class Csv:
    """RFC 4180, the lists separated by semicolons. A text that a spreadsheet would run as a
    formula is given an apostrophe: https://owasp.org/www-community/attacks/CSV_Injection."""

    def __init__(self) -> None:
        self._text = io.StringIO()
        self._rows = csv.writer(self._text)
        self._rows.writerow(COLUMNS)

    def batch(self, rows: Sequence[DictRow]) -> bytes:
        for row in rows:
            self._rows.writerow([self._cell(row[name]) for name in COLUMNS])
        return self._taken()

    def end(self) -> bytes:
        return self._taken()

    def _taken(self) -> bytes:
        text = self._text.getvalue()
        self._text.seek(0)
        self._text.truncate()
        return text.encode()

    @staticmethod
    def _cell(value: Any) -> Any:
        if isinstance(value, list):
            value = ";".join(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str) and value.startswith(_FORMULA):
            return "'" + value
        return _plain(value)


class Ndjson:
    """One JSON object a line; salaries are text, as elsewhere in the API."""

    def batch(self, rows: Sequence[DictRow]) -> bytes:
        return b"".join(
            orjson.dumps({name: _plain(row[name]) for name in COLUMNS}) + b"\n" for row in rows
        )

    def end(self) -> bytes:
        return b""


class Parquet:
    """One row group a batch, compressed with Zstandard."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._schema = pa.schema(list(COLUMNS.items()))
        self._file = pq.ParquetWriter(self._sink, self._schema, compression="zstd")

    def batch(self, rows: Sequence[DictRow]) -> bytes:
        picked = [{name: row[name] for name in COLUMNS} for row in rows]
        self._file.write_batch(pa.RecordBatch.from_pylist(picked, self._schema))
        return self._sink.taken()

    def end(self) -> bytes:
        self._file.close()
        return self._sink.taken()


class _Sink(io.RawIOBase):
    """A file that is only appended to, and whose written part is taken away."""

    def __init__(self) -> None:
        self._position = 0
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def tell(self) -> int:
        return self._position

    def taken(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Atom:
    """RFC 4287. The link of an entry is where to apply; its author is the company."""

    def __init__(self, feed_url: str) -> None:
        self._feed_url = feed_url
        self._begun = False

    def batch(self, rows: Sequence[DictRow]) -> bytes:
        newest = max((row["updated_at"] for row in rows), default=datetime.now(UTC))
        entries = "".join(map(self._entry, rows))
        return (self._head(newest) + entries).encode()

    def end(self) -> bytes:
        return (self._head(datetime(1970, 1, 1, tzinfo=UTC)) + "</feed>\n").encode()

    def _head(self, updated: datetime) -> str:
        if self._begun:
            return ""
        self._begun = True
        url = escape(self._feed_url)
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<id>{url}</id><title>Jobs</title><updated>{_moment(updated)}</updated>"
            f'<link rel="self" href={quoteattr(self._feed_url)}/>\n'
        )

    def _entry(self, row: DictRow) -> str:
        where = ", ".join(filter(None, (row["city"], row["country"]))) or (
            "remote" if row["remote"] else ""
        )
        told = " · ".join(filter(None, (row["company"], where, row["attribution"])))
        link = row["apply_url"] or row["source_url"]
        return (
            f"<entry><id>urn:job:{escape(row['id'])}</id><title>{_xml(row['title'])}</title>"
            f"<updated>{_moment(row['updated_at'])}</updated>"
            f"<author><name>{_xml(row['company'] or row['source'])}</name></author>"
            f"<category term={quoteattr(row['category'])}/><summary>{_xml(told)}</summary>"
            + (f"<link href={quoteattr(_valid(link))}/>" if link else "")
            + "</entry>\n"
        )


def _valid(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(c for c in text if c >= " " or c in "\t\n\r" if c not in "\ufffe\uffff")


def _xml(text: str) -> str:
    return escape(_valid(text))
