"""What a language model has answered, and what asking it has cost: an SQLite file in ``DATA_DIR``.

It may be removed at any time; what is in it is then asked again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

MAX_ANSWERS = 200_000
"""At some 300 bytes each. Beyond it those that were not read for longest go."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,  -- of the question, the model and what it was shown
    value TEXT, quote TEXT,  -- null: it found none
    read_on TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_read_on ON answers (read_on);
CREATE TABLE IF NOT EXISTS spent (
    day TEXT PRIMARY KEY, requests INTEGER NOT NULL, tokens INTEGER NOT NULL
) WITHOUT ROWID;
"""
_LOCK_SECONDS = 5.0
_KEYS_AT_ONCE = 500


@dataclass(frozen=True)
class Answer:
    """A value and the words that it is said to stand in, as a model gave them."""

    value: str | None
    quote: str | None


class Answers:
    """The file, open.

    Raises:
        sqlite3.Error: from every method, where the file cannot be used.
    """

    def __init__(self, data_dir: Path) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        path = data_dir.absolute() / "language_model.sqlite"
        self._file = sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)
        try:
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.executescript(_SCHEMA)
        except sqlite3.Error:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def known(self, keys: Iterable[str]) -> dict[str, Answer]:
        """The answers that are kept, which count as read today."""
        wanted = sorted(set(keys))
        today = _today()
        found: dict[str, Answer] = {}
        for start in range(0, len(wanted), _KEYS_AT_ONCE):
            some = wanted[start : start + _KEYS_AT_ONCE]
            marks = ",".join("?" * len(some))
            rows = self._file.execute(
                f"SELECT key, value, quote FROM answers WHERE key IN ({marks})",  # noqa: S608
                some,
            )
            found |= {key: Answer(value, quote) for key, value, quote in rows}
            self._file.execute(
                f"UPDATE answers SET read_on = ? WHERE read_on <> ? AND key IN ({marks})",  # noqa: S608
                [today, today, *some],
            )
        return found

    def keep(self, key: str, answer: Answer) -> None:
        """Keep an answer; the first one to a question stays."""
        self._file.execute(
            "INSERT INTO answers VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [key, answer.value, answer.quote, _today()],
        )

    def make_room(self) -> None:
        """Remove what is beyond :data:`MAX_ANSWERS`, and the costs of days long gone."""
        self._file.execute(
            "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY read_on, key "
            "LIMIT max(0, (SELECT count(*) FROM answers) - ?))",
            [MAX_ANSWERS],
        )
        self._file.execute("DELETE FROM spent WHERE day < date('now', '-7 days')")

    def spent_today(self) -> tuple[int, int]:
        """The requests and tokens of today, in UTC."""
        row = self._file.execute(
            "SELECT requests, tokens FROM spent WHERE day = ?", [_today()]
        ).fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)

    def spend(self, requests: int, tokens: int) -> None:
        """Add to the costs of today; a correction may be negative."""
        self._file.execute(
            "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET "
            "requests = requests + excluded.requests, "
            "tokens = max(0, tokens + excluded.tokens)",
            [_today(), requests, tokens],
        )


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
