"""What currencies are worth: the reference rates of the European Central Bank of one day.

A bundled table (``vocabulary/rates.toml``) always serves. A later one, which
:func:`renewed` fetches, is kept in ``DATA_DIR`` and serves in its place. Imports nothing heavy:
the API reads it too.
"""

from __future__ import annotations

import math
import re
import tempfile
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import httpx

DAILY = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
FILE = "exchange_rates.toml"
"""Its name below ``DATA_DIR``."""

_BUNDLED = files("pipeline.transform") / "vocabulary" / "rates.toml"
_MAX_BYTES = 100_000
_SECONDS = 15.0
_CUBE = re.compile(r"<Cube\s([^<>]{1,200}?)/?>")
_ATTRIBUTE = re.compile(r"""(time|currency|rate)\s?=\s?["']([^"'<>&]{1,20})["']""")
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
        if size <= _MAX_BYTES:
            return max(bundled(), _of_toml(path.read_text(encoding="utf-8")), key=lambda r: r.day)
    return bundled()


def _of_toml(text: str) -> Rates:
    table = tomllib.loads(text)
    day, rates = table.get("date"), table.get("per_euro")
    if not isinstance(day, date) or not isinstance(rates, dict):
        raise RatesError("The table of exchange rates lacks its date or its rates.")
    return Rates(day, _sound({str(code): value for code, value in rates.items()}))


def of_ecb(xml: str) -> Rates:
    """The rates of the ECB's ``eurofxref-daily.xml``. Nothing in it is expanded or looked up:
    only the attributes of its elements ``Cube`` are read.

    Raises:
        RatesError: it names no day, or not the rate of the US dollar.
    """
    day: date | None = None
    rates: dict[str, object] = {}
    for cube in _CUBE.finditer(xml[:_MAX_BYTES]):
        said = dict(_ATTRIBUTE.findall(cube[1]))
        if "time" in said:
            if day is not None:
                break
            with suppress(ValueError):
                day = date.fromisoformat(said["time"])
        elif "currency" in said and "rate" in said:
            with suppress(ValueError):
                rates[said["currency"]] = float(said["rate"])
    if day is None:
        raise RatesError("The answer holds no exchange rates of a day.")
    return Rates(day, _sound(rates))


def _sound(rates: Mapping[str, object]) -> dict[str, float]:
    sound = {
        code: float(rate)
        for code, rate in rates.items()
        if _CODE.fullmatch(code)
        and isinstance(rate, int | float)
        and math.isfinite(rate)
        and 1e-3 < rate < 1e7
    }
    if "USD" not in sound:
        raise RatesError("The table of exchange rates lacks the US dollar.")
    return sound


def renewed(data_dir: Path, url: str = DAILY) -> Rates:
    """Fetch the ECB's rates of today and keep them in ``DATA_DIR`` where they are later than those
    in use. Returns the table that is used from now on.

    Raises:
        RatesError: they cannot be fetched, read or kept. What was used stays in use.
    """
    try:
        with httpx.stream("GET", url, timeout=_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MAX_BYTES:
                    raise RatesError("The exchange rates are larger than such a file can be.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        host = urlsplit(url).hostname
        raise RatesError(f"{host} gave no exchange rates ({type(error).__name__}).") from None
    given = of_ecb(body.decode("utf-8", "replace"))
    if given.day > in_use(data_dir).day:
        _keep(given, data_dir, url)
    return in_use(data_dir)


def _keep(rates: Rates, data_dir: Path, url: str) -> None:
    lines = [f"{code} = {rate!r}" for code, rate in sorted(rates.per_euro.items())]
    text = f"# From {url}\ndate = {rates.day}\n\n[per_euro]\n" + "\n".join(lines) + "\n"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Whoever reads meanwhile sees the old file or the new one, never a part.
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=data_dir, prefix=FILE, delete=False
        ) as file:
            file.write(text)
        Path(file.name).replace(data_dir / FILE)
    except OSError as error:
        raise RatesError(f"{data_dir / FILE} cannot be written ({error.strerror}).") from None
