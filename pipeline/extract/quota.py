"""The ledger of requests: how many a source was sent, and when it may be asked again.

The free plans allow so many requests a month that the count must outlive the process. Every
request is written down before it is sent, in one SQLite file for all sources and processes.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from pipeline.extract.errors import (
    FetchError,
    LedgerError,
    QuotaExhaustedError,
    RefusedEarlierError,
)
from pipeline.installation.settings import SourceSettings

_DAY = 86_400.0
_WINDOWS = {"minute": 60.0, "day": _DAY, "week": 7 * _DAY, "month": 31 * _DAY}
_LONGEST = max(_WINDOWS.values())
_LOCK_SECONDS = 30.0

_SCHEMA = """
create table if not exists requests (source text not null, at real not null);
create index if not exists requests_of_source on requests (source, at);
create table if not exists pauses (source text primary key, until real not null);
create table if not exists refusals (
    source text not null, path text not null, configuration text not null,
    until real not null, reason text not null, primary key (source, path)
);
"""

REFUSAL_PAUSE = timedelta(hours=1)
"""How long a question is not repeated that was refused for a reason which time does not mend."""


class Quota:
    """The quotas of one source, as its settings have them, over rolling windows: in no minute,
    day, week or 31 days, wherever they begin, are more requests sent than allowed. That holds for
    any calendar by which the source itself counts.

    ``pyrate-limiter`` keeps such a ledger in SQLite, but refuses quotas of 0 and pairs such as
    10 a day and 10 a week, does not say when a request is allowed again without taking it, and
    cannot hold a pause that the source asked for.
    """

    def __init__(self, source: str, settings: SourceSettings, data_dir: Path) -> None:
        self._source = source
        self._path = data_dir.absolute() / "quota.sqlite"
        self._settings = settings
        self._configuration = _digest(settings)
        limits = {
            "minute": settings.quota_per_minute,
            "day": settings.quota_per_day,
            "week": settings.quota_per_week,
            "month": settings.quota_per_month,
        }
        self._limits = {window: limit for window, limit in limits.items() if limit is not None}

    def acquire(self) -> None:
        """Write down one request, which the caller then sends.

        Raises:
            QuotaExhaustedError: it is not allowed yet; ``retry_at`` and the message say when.
            LedgerError: the ledger cannot be read or written.
        """
        now = time.time()
        with self._ledger() as ledger:
            # A clock that was set back must not leave requests in the future for years.
            ledger.execute(
                "update requests set at = ? where source = ? and at > ?", [now, self._source, now]
            )
            ledger.execute("delete from requests where at <= ?", [now - _LONGEST])
            refusal = self._refusal(ledger, now)
            if refusal is None:
                ledger.execute("insert into requests values (?, ?)", [self._source, now])
        if refusal is not None:
            raise refusal

    def left(self) -> int | None:
        """How many requests the longest limited window still allows; 0 while no request is
        allowed at all, None where nothing limits the source.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        now = time.time()
        with self._ledger() as ledger:
            if self._refusal(ledger, now) is not None:
                return 0
            left = {
                window: limit - self._used(ledger, window, now)
                for window, limit in self._limits.items()
            }
        return left[max(left, key=lambda window: _WINDOWS[window])] if left else None

    def pause(self, until: datetime) -> None:
        """Allow no request before a time that the source itself named, at most 31 days ahead.

        Raises:
            LedgerError: the ledger cannot be written.
        """
        at = min(until.timestamp(), time.time() + _LONGEST)
        with self._ledger() as ledger:
            ledger.execute(
                "insert into pauses values (?, ?)"
                " on conflict (source) do update set until = max(until, excluded.until)",
                [self._source, at],
            )

    def refuse(self, error: FetchError, path: str = "") -> FetchError:
        """Write down that a question was refused, so that for :data:`REFUSAL_PAUSE`, or until
        ``error.retry_at``, it is not repeated with the same configuration.

        Args:
            path: the path that was refused; empty for the whole source.

        Returns:
            An error of the same kind that also says until when.

        Raises:
            LedgerError: the ledger cannot be written.
        """
        until = error.retry_at or datetime.now(UTC) + REFUSAL_PAUSE
        at = min(until.timestamp(), time.time() + _LONGEST)
        reason = (
            f"{error} It is not asked again before {_minute(_utc(at))}, unless its configuration "
            "changes."
        )
        with self._ledger() as ledger:
            ledger.execute(
                "insert or replace into refusals values (?, ?, ?, ?, ?)",
                [self._source, path, self._configuration, at, reason],
            )
        return type(error)(reason, _utc(at))

    def check_refusals(self, path: str) -> None:
        """Raise what :meth:`refuse` wrote down of this path, or of the whole source.

        Raises:
            RefusedEarlierError: it is too early to repeat the question.
            LedgerError: the ledger cannot be read.
        """
        now = time.time()
        with self._ledger() as ledger:
            row = ledger.execute(
                "select reason, until, path from refusals where source = ? and path in ('', ?)"
                " and configuration = ? and until > ? and until <= ? order by path limit 1",
                [self._source, path, self._configuration, now, now + _LONGEST],
            ).fetchone()
        if row is not None:
            raise RefusedEarlierError(row[0], _utc(row[1]), ends_fetch=not row[2])

    def _refusal(self, ledger: sqlite3.Connection, now: float) -> QuotaExhaustedError | None:
        row = ledger.execute("select until from pauses where source = ?", [self._source]).fetchone()
        if row and now < row[0] <= now + _LONGEST:
            at = _utc(row[0])
            return QuotaExhaustedError(
                f"{self._source} asked for a pause: it is asked again after {_minute(at)}.", at
            )
        latest: tuple[float, str, int] | None = None
        for window, limit in self._limits.items():
            variable = self._settings.variable(f"quota_per_{window}")
            if limit == 0:
                return QuotaExhaustedError(
                    f"{self._source} may not be asked: {variable} is 0. Raise it to ask."
                )
            # The request that must leave the window before another one may enter it.
            row = ledger.execute(
                "select at from requests where source = ? and at > ?"
                " order by at desc limit 1 offset ?",
                [self._source, now - _WINDOWS[window], limit - 1],
            ).fetchone()
            if row and (latest is None or row[0] + _WINDOWS[window] > latest[0]):
                latest = (row[0] + _WINDOWS[window], window, limit)
        if latest is None:
            return None
        at, window, limit = _utc(latest[0]), latest[1], latest[2]
        return QuotaExhaustedError(
            f"{self._source}: the quota of {limit} requests a {window} is used up; the next one "
            f"is allowed after {_minute(at)}. Where the plan allows more, raise "
            f"{self._settings.variable(f'quota_per_{window}')}.",
            at,
        )

    def _used(self, ledger: sqlite3.Connection, window: str, now: float) -> int:
        found = ledger.execute(
            "select count(*) from requests where source = ? and at > ?",
            [self._source, now - _WINDOWS[window]],
        ).fetchone()
        return int(found[0])

    @contextmanager
    def _ledger(self) -> Iterator[sqlite3.Connection]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_LOCK_SECONDS, isolation_level=None)
            with closing(connection) as ledger:
                # Not executescript: it would commit the transaction that is under way.
                ledger.execute("begin immediate")
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    ledger.execute(statement)
                yield ledger
                ledger.execute("commit")
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"The ledger of requests {self._path} cannot be used ({error}). Correct the "
                "permissions or the disk; a damaged file may be moved away, requests are then "
                "counted anew."
            ) from error


def _digest(settings: SourceSettings) -> str:
    """Of the settings that decide what a source answers, keys included: other keys may be
    accepted where these were not."""
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in settings
        if not name.startswith("quota_per_")
    }
    return hashlib.blake2b(repr(sorted(values.items())).encode(), digest_size=8).hexdigest()


def _utc(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
