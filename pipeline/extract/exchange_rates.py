"""Newer exchange rates than the bundled ones, from the European Central Bank."""

from __future__ import annotations

import re
import tempfile
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from pipeline.transform.understanding.rates import (
    FILE,
    MAX_BYTES,
    Rates,
    RatesError,
    in_use,
    sound,
)

_SECONDS = 15.0
_CUBE = re.compile(r"<Cube\s([^<>]{1,200}?)/?>")
_ATTRIBUTE = re.compile(r"""(time|currency|rate)\s?=\s?["']([^"'<>&]{1,20})["']""")


def renewed(data_dir: Path, url: str) -> Rates:
    """Fetch the ECB's rates of today from ``url`` and keep them in ``DATA_DIR`` where they are
    later than those in use. Returns the table that is used from now on.

    Raises:
        RatesError: they cannot be fetched, read or kept. What was used stays in use.
    """
    host = urlsplit(url).hostname
    deadline = time.monotonic() + _SECONDS
    try:
        with httpx.stream("GET", url, timeout=_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            body = b""
            for part in answer.iter_bytes():
                body += part
                if len(body) > MAX_BYTES:
                    raise RatesError("The exchange rates are larger than such a file can be.")
                if time.monotonic() > deadline:
                    raise RatesError(f"{host} takes too long for its exchange rates.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RatesError(f"{host} gave no exchange rates ({type(error).__name__}).") from None
    given = of_ecb(body.decode("utf-8", "replace"))
    if given.day > datetime.now(UTC).date() + timedelta(days=1):
        # They would stay in use until that day.
        raise RatesError(f"{host} gave exchange rates of a day to come, {given.day}.")
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
        # The API may run as another user.
        Path(file.name).chmod(0o644)
        Path(file.name).replace(data_dir / FILE)
    except OSError as error:
        raise RatesError(f"{data_dir / FILE} cannot be written ({error.strerror}).") from None


def of_ecb(xml: str) -> Rates:
    """The rates of the ECB's ``eurofxref-daily.xml``. Nothing in it is expanded or looked up:
    only the attributes of its elements ``Cube`` are read.

    Raises:
        RatesError: it names no day, or not the rate of the US dollar.
    """
    day: date | None = None
    rates: dict[str, object] = {}
    for cube in _CUBE.finditer(xml[:MAX_BYTES]):
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
    return Rates(day, sound(rates))
