"""The ledger of requests: over restarts, processes, windows, pauses and odd clocks."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import SettingsConfigDict

from pipeline.extract.errors import LedgerError, QuotaExhaustedError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import SourceSettings

DAY = 86_400


class Settings(SourceSettings):
    model_config = SettingsConfigDict(env_prefix="JSEARCH_", env_file=None)


def quota(data_dir: Path, source: str = "jsearch", **limits: Any) -> Quota:
    settings = Settings(
        base_url="http://127.0.0.1", **{f"quota_per_{window}": n for window, n in limits.items()}
    )
    return Quota(source, settings, data_dir)


def shift(data_dir: Path, seconds: float) -> None:
    """Let all requests and pauses have happened so much earlier."""
    with closing(sqlite3.connect(data_dir / "quota.sqlite")) as ledger, ledger:
        ledger.execute("update requests set at = at - ?", [seconds])
        ledger.execute("update pauses set until = until - ?", [seconds])


@pytest.mark.parametrize(
    ("window", "days"), [("minute", 1 / 1440), ("day", 1), ("week", 7), ("month", 31)]
)
def test_a_window_allows_its_number_and_then_says_when(
    tmp_path: Path, window: str, days: float
) -> None:
    for left in (2, 1):
        assert quota(tmp_path, **{window: 2}).left() == left
        quota(tmp_path, **{window: 2}).acquire()
    again = quota(tmp_path, **{window: 2})
    assert again.left() == 0
    with pytest.raises(QuotaExhaustedError, match=f"QUOTA_PER_{window.upper()}") as caught:
        again.acquire()
    assert caught.value.retry_at is not None
    until = caught.value.retry_at - datetime.now(UTC)
    assert abs(until - timedelta(days=days)) < timedelta(seconds=5)
    shift(tmp_path, days * DAY)
    assert again.left() == 2
    again.acquire()


def test_the_window_that_binds_longest_says_when(tmp_path: Path) -> None:
    both = quota(tmp_path, minute=1, day=1)
    both.acquire()
    with pytest.raises(QuotaExhaustedError, match="JSEARCH_QUOTA_PER_DAY"):
        both.acquire()


def test_left_is_that_of_the_longest_window_unless_a_shorter_one_is_used_up(tmp_path: Path) -> None:
    both = quota(tmp_path, day=2, month=10)
    both.acquire()
    assert both.left() == 9
    both.acquire()
    assert both.left() == 0
    shift(tmp_path, DAY)
    assert both.left() == 8


def test_a_lowered_quota_waits_until_enough_requests_have_left(tmp_path: Path) -> None:
    for _ in range(3):
        quota(tmp_path).acquire()
        shift(tmp_path, 3600)
    with pytest.raises(QuotaExhaustedError) as caught:
        quota(tmp_path, day=1).acquire()
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > datetime.now(UTC) + timedelta(hours=22)


def test_without_quotas_nothing_limits_and_with_zero_nothing_is_asked(tmp_path: Path) -> None:
    free = quota(tmp_path)
    for _ in range(50):
        free.acquire()
    assert free.left() is None
    closed = quota(tmp_path, day=0)
    assert closed.left() == 0
    with pytest.raises(QuotaExhaustedError, match="JSEARCH_QUOTA_PER_DAY is 0"):
        closed.acquire()


def test_sources_do_not_share_their_quotas(tmp_path: Path) -> None:
    quota(tmp_path, "adzuna", day=1).acquire()
    assert quota(tmp_path, "jsearch", day=1).left() == 1


def test_a_pause_holds_until_its_end_and_is_never_shortened(tmp_path: Path) -> None:
    free = quota(tmp_path)
    free.pause(datetime.now(UTC) + timedelta(hours=2))
    free.pause(datetime.now(UTC) + timedelta(hours=1))
    assert quota(tmp_path).left() == 0
    assert quota(tmp_path, "adzuna").left() is None
    with pytest.raises(QuotaExhaustedError) as caught:
        quota(tmp_path).acquire()
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > datetime.now(UTC) + timedelta(minutes=119)
    shift(tmp_path, 7201)
    free.acquire()


@pytest.mark.trial("clock", "It is set back after requests were counted")
def test_a_clock_that_was_set_back_does_not_lock_the_source_for_years(tmp_path: Path) -> None:
    daily = quota(tmp_path, day=1)
    daily.acquire()
    daily.pause(datetime.now(UTC) + timedelta(hours=1))
    shift(tmp_path, -3650 * DAY)
    with pytest.raises(QuotaExhaustedError) as caught:
        daily.acquire()
    assert caught.value.retry_at is not None
    assert caught.value.retry_at < datetime.now(UTC) + timedelta(days=1, seconds=5)


@pytest.mark.trial("storage", "Many processes write the ledger at once")
def test_many_processes_at_once_get_no_more_than_the_quota(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from pydantic_settings import SettingsConfigDict
from pipeline.extract.errors import QuotaExhaustedError
from pipeline.extract.quota import Quota
from pipeline.installation.settings import SourceSettings
settings = SourceSettings(base_url="http://127.0.0.1", quota_per_day=25)
got = 0
for _ in range(20):
    try:
        Quota("jsearch", settings, Path(sys.argv[1])).acquire()
        got += 1
    except QuotaExhaustedError:
        pass
print(got)
"""
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    assert sum(int(worker.communicate(timeout=60)[0]) for worker in workers) == 25


def test_the_ledger_forgets_what_no_window_covers(tmp_path: Path) -> None:
    monthly = quota(tmp_path, month=5)
    monthly.acquire()
    shift(tmp_path, 31 * DAY)
    monthly.acquire()
    with closing(sqlite3.connect(tmp_path / "quota.sqlite")) as ledger:
        assert ledger.execute("select count(*) from requests").fetchone() == (1,)


@pytest.mark.trial("storage", "The ledger is damaged")
def test_a_damaged_ledger_lets_nothing_pass_and_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "quota.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(LedgerError, match=r"quota\.sqlite cannot be used .* moved away"):
        quota(tmp_path).acquire()


def test_acquiring_stays_quick_with_a_full_month(tmp_path: Path) -> None:
    large = quota(tmp_path, minute=100_000, month=100_000)
    large.acquire()
    with closing(sqlite3.connect(tmp_path / "quota.sqlite")) as ledger, ledger:
        ledger.executemany("insert into requests values ('jsearch', ?)", [[time.time()]] * 99_998)
        plan = ledger.execute(
            "explain query plan select at from requests where source = '' and at > 0"
            " order by at desc limit 1 offset 5"
        ).fetchall()
    assert "requests_of_source" in str(plan)
    large.acquire()
    with pytest.raises(QuotaExhaustedError):
        large.acquire()
