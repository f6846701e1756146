"""What currencies are worth: the reference rates of the European Central Bank of one day.

A bundled table (``vocabulary/rates.toml``) always serves. A later one, which
``pipeline.extract.exchange_rates`` fetches, is kept in ``DATA_DIR`` and serves in its place.
Imports nothing heavy: the API reads it too.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

FILE = "exchange_rates.toml"
"""Its name below ``DATA_DIR``."""

_BUNDLED = files("pipeline.transform") / "vocabulary" / "rates.toml"
MAX_BYTES = 100_000
_CODE = re.compile("[A-Z]{3}")
_PEGGED_TO_USD = {"AED": 3.6725, "BHD": 0.376, "OMR": 0.3845, "QAR": 3.64, "SAR": 3.75}
"""Currencies whose central banks keep them at so many to a US dollar; the ECB names none."""
_EUR_OF_OLD = {"BGN": 1.95583, "HRK": 7.5345}
"""Currencies that the euro replaced for good at this rate."""


class RatesError(Exception):
    """A table of exchange rates cannot be had. The message is one sentence for the person at the
    console."""


@dataclass(frozen=True)
class Rates:
    """What one euro was worth on a day, by ISO 4217 code."""

    day: date
    per_euro: Mapping[str, float]

    def factor(self, currency: str | None, into: str) -> float | None:
        """What one unit of a currency is worth in another; None where the table lacks either."""
        given, wanted = self._per_euro(currency), self._per_euro(into)
        return wanted / given if given and wanted else None

    def _per_euro(self, currency: str | None) -> float | None:
        if currency == "EUR":
            return 1.0
        if currency in _PEGGED_TO_USD and "USD" in self.per_euro:
            return self.per_euro["USD"] * _PEGGED_TO_USD[currency]
        return self.per_euro.get(currency or "") or _EUR_OF_OLD.get(currency or "")

    def currencies(self) -> list[str]:
        """Those that it can turn into another, sorted."""
        return sorted({"EUR", *self.per_euro, *_PEGGED_TO_USD, *_EUR_OF_OLD})


@lru_cache(maxsize=1)
def bundled() -> Rates:
    """The table that the product comes with."""
    return _of_toml(_BUNDLED.read_text(encoding="utf-8"))


def in_use(data_dir: Path) -> Rates:
    """The later of the bundled table and the one in ``DATA_DIR``. A file there that cannot be read
    is as good as none."""
    path = data_dir / FILE
    try:
        status = path.stat()
    except OSError:
        return bundled()
    return _in_use(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _in_use(path: Path, changed: int, size: int) -> Rates:
    """Read anew where the time or the size of the file has changed."""
    with suppress(OSError, ValueError, RatesError):
        if size <= MAX_BYTES:
            return max(bundled(), _of_toml(path.read_text(encoding="utf-8")), key=lambda r: r.day)
    return bundled()


def _of_toml(text: str) -> Rates:
    table = tomllib.loads(text)
    day, rates = table.get("date"), table.get("per_euro")
    # A time of TOML is a date to Python, too.
    if type(day) is not date or not isinstance(rates, dict):
        raise RatesError("The table of exchange rates lacks its date or its rates.")
    return Rates(day, sound({str(code): value for code, value in rates.items()}))


def sound(rates: Mapping[str, object]) -> dict[str, float]:
    """The rates that can be some.

    Raises:
        RatesError: not that of the US dollar.
    """
    found = {
        code: float(rate)
        for code, rate in rates.items()
        if _CODE.fullmatch(code)
        and isinstance(rate, int | float)
        and math.isfinite(rate)
        and 1e-3 < rate < 1e7
    }
    if "USD" not in found:
        raise RatesError("The table of exchange rates lacks the US dollar.")
    return found
