"""The read-only copy of a staging file that analysts and the transform read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
from pathlib import Path

import duckdb

HEADERS_BYTES = 3 * 4096
CHECKSUM_BYTES = 8
"""A DuckDB file begins with three headers. Its blocks follow, each of which begins with the
checksum of the rest: https://duckdb.org/docs/current/internals/storage. Tests hold that against
the installed DuckDB."""

_MEMORY_LIMIT = "1GiB"
"""DuckDB otherwise keeps what it has read of a snapshot, up to most of the machine's memory."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def open_snapshot(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads the snapshot, with times in UTC."""
    # Attached, not connected to: DuckDB hands out a database that this process has open under
    # the same name again, even when another file has taken its place.
    connection = duckdb.connect(config={"memory_limit": _MEMORY_LIMIT})
    connection.execute("set enable_progress_bar = false")
    connection.execute("set TimeZone = 'UTC'")
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as snapshot (read_only)")
    connection.execute("use snapshot")
    return connection


def publish_snapshot(staging: Path, snapshot: Path) -> None:
    """Swap in a copy of a staging file that no connection holds; the caller has its lock.

    Whoever has the old copy open goes on reading it. A crash at any point leaves the old copy
    or the new one, and the next call clears away what it left half-written. The copy before the
    old one is kept: unless somebody still has it open, the blocks that changed since are written
    into it, so that a copy costs what changed. On other systems than Linux, the whole file is
    copied each time.

    The copy is not forced onto the disk: after a power cut it may be damaged, and the next load
    writes it anew.

    Raises:
        OSError, duckdb.Error: the disk is full, or the file is damaged.
    """
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    kept = _kept(snapshot)
    for stale in snapshot.parent.glob(f".{snapshot.name}.*"):
        if stale != kept:
            stale.unlink(missing_ok=True)
    # With its log folded in, the one file is the whole database.
    with duckdb.connect(str(staging)) as connection:
        connection.execute("force checkpoint")
        sizes = connection.execute("select block_size from pragma_database_size()").fetchall()
    copy = snapshot.with_name(f".{snapshot.name}.{os.getpid()}")
    try:
        if kept is None or not _reuse(kept, copy, staging, *sizes[0]):
            _copy(staging, copy)
        copy.chmod(0o444)
        if kept is not None:
            _keep(snapshot, kept)
        copy.replace(snapshot)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def _kept(snapshot: Path) -> Path | None:
    """Where the copy before the present one is kept: under another name after each start of the
    machine, as a power cut may have left blocks of which only the beginning was written."""
    try:
        return snapshot.with_name(f".{snapshot.name}.before-{_BOOT.read_text().strip()}")
    except OSError:
        return None


def _keep(snapshot: Path, kept: Path) -> None:
    kept.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # the first snapshot, or no links on this file system
        kept.hardlink_to(snapshot)


def _reuse(kept: Path, copy: Path, source: Path, block_bytes: int) -> bool:
    """Make an older copy one of the present file. False if it is used, or there is none."""
    try:
        kept.replace(copy)
        if copy.stat().st_nlink == 1:  # else it is the present snapshot, kept before a crash
            copy.chmod(0o644)
            with source.open("rb") as new, copy.open("r+b") as old:
                if not _is_open_elsewhere(old.fileno()):
                    _copy_changed(new.fileno(), old.fileno(), block_bytes)
                    return True
    except OSError:  # the whole file is copied, or tells what the matter is
        pass
    copy.unlink(missing_ok=True)
    return False


def _copy_changed(source: int, target: int, block_bytes: int) -> None:
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    _copy_range(source, target, 0, HEADERS_BYTES)
    for start in range(HEADERS_BYTES, size, block_bytes):
        checksum, before = (os.pread(file, CHECKSUM_BYTES, start) for file in (source, target))
        if checksum != before:
            _copy_range(source, target, start, block_bytes)


def _is_open_elsewhere(file: int) -> bool:
    """Whether anyone else has the file open: only who is alone with a file is given a lease."""
    try:
        # Should somebody open it in this instant, the signal is one that does no harm.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except (AttributeError, OSError):
        return True
    return False


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        try:
            _copy_range(read.fileno(), write.fileno(), 0, os.fstat(read.fileno()).st_size)
        except (AttributeError, OSError):
            read.seek(0)
            write.seek(0)
            shutil.copyfileobj(read, write, 1 << 20)


def _copy_range(source: int, target: int, start: int, count: int) -> None:
    """Copy as many bytes, in the kernel; fewer if the source ends before."""
    end = start + count
    while start < end and (done := os.copy_file_range(source, target, end - start, start, start)):
        start += done
