"""Rows of ``export.sql`` as CSV, NDJSON, Parquet or an Atom feed, batch by batch.

Each format is a writer: it is given batches of rows and returns the bytes to send for them, and
those to send at the end, so that no more than a batch is held.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.rows import DictRow

from pipeline.declaration import (
    Code,
    Count,
    Day,
    Findings,
    Kind,
    Moment,
    Money,
    Number,
    OneOf,
    Text,
    Texts,
    YesNo,
)
from pipeline.fields import exported


def _arrow(kind: Kind) -> pa.DataType:
    match kind:
        case Text() | Code() | OneOf():
            return pa.string()
        case Texts():
            return pa.list_(pa.string())
        case YesNo():
            return pa.bool_()
        case Number():
            return pa.float64()
        case Money():
            return pa.decimal128(14, 2)
        case Count():
            return pa.int64()
        case Moment():
            return pa.timestamp("us", "UTC")
        case Day():
            return pa.date32()
        case Findings():
            return pa.string()


COLUMNS = {field.shown_as: _arrow(field.kind) for field in exported()}
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
    formula is given an apostrophe: https://owasp.org/www-community/attacks/CSV_Injection.

    Args:
        bom: begin with a byte order mark, without which Excel takes UTF-8 for the local encoding.
    """

    def __init__(self, *, bom: bool = False) -> None:
        self._text = io.StringIO()
        self._text.write("\ufeff" if bom else "")
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
    """RFC 4287, of rows of ``feed.sql``. The link of an entry is where to apply; its author is the
    company.

    Args:
        feed_id: an IRI that stays.
        feed_url: where the feed is, with or without a host.
        list_url: the same jobs for people and programs.
    """

    def __init__(self, feed_id: str, feed_url: str, list_url: str) -> None:
        self._feed_id = feed_id
        self._feed_url = feed_url
        self._list_url = list_url
        self._begun = False

    def batch(self, rows: Sequence[DictRow]) -> bytes:
        entries = "".join(map(self._entry, rows))
        return (self._head(rows[0]["feed_updated_at"]) + entries).encode()

    def end(self) -> bytes:
        return (self._head(datetime(1970, 1, 1, tzinfo=UTC)) + "</feed>\n").encode()

    def _head(self, updated: datetime) -> str:
        if self._begun:
            return ""
        self._begun = True
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<feed xmlns="http://www.w3.org/2005/Atom">\n'
            f"<id>{escape(_iri(self._feed_id))}</id><title>Jobs</title>"
            f"<updated>{_moment(updated)}</updated><author><name>Job market</name></author>"
            f'<link rel="self" type="application/atom+xml" href={_address(self._feed_url)}/>'
            f'<link rel="alternate" type="application/json" href={_address(self._list_url)}/>\n'
        )

    def _entry(self, row: DictRow) -> str:
        where = ", ".join(filter(None, (row["city"], row["country"]))) or (
            "remote" if row["remote"] else ""
        )
        told = " · ".join(filter(None, (row["company"], where, row["attribution"])))
        link = row["apply_url"] or row["source_url"]
        return (
            f"<entry><id>{escape(_iri('urn:job:' + row['id']))}</id>"
            f"<title>{_xml(row['title'])}</title>"
            f"<published>{_moment(row['posted_at'] or row['first_seen_at'])}</published>"
            f"<updated>{_moment(row['updated_at'])}</updated>"
            f"<author><name>{_xml(row['company'] or row['source'])}</name></author>"
            f"<category term={quoteattr(row['category'])}/><summary>{_xml(told)}</summary>"
            + (f"<link href={_address(link)}/>" if link else "")
            + "</entry>\n"
        )


_NO_IRI = re.compile(
    r"%(?![0-9A-Fa-f]{2})|[^!$%&'()*+,\-./0-9:;=?@A-Z_a-z~#"
    r"\u00A0-\uD7FF\uF900-\uFDCF\uFDF0-\uFFEF\U00010000-\U000EFFFD]"
)


def _iri(text: str) -> str:
    """The text as an IRI: what none may hold is percent-encoded, the rest is kept.
    https://www.rfc-editor.org/rfc/rfc3987#section-2.2"""
    before, mark, fragment = text.partition("#")
    whole = before + mark + fragment.replace("#", "%23")
    return _NO_IRI.sub(lambda character: quote(character[0], safe=""), whole)


def _address(text: str) -> str:
    return quoteattr(_iri(text))


def _valid(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return "".join(c for c in text if c >= " " or c in "\t\n\r" if c not in "\ufffe\uffff")


def _xml(text: str) -> str:
    return escape(_valid(text))
