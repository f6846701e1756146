"""The read-only copy of a staging file that analysts and the transform read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import duckdb


def publish_snapshot(staging: Path, snapshot: Path) -> None:
    """Swap in a copy of a staging file that no connection holds; the caller has its lock.

    Whoever has the old copy open goes on reading it. A crash at any point leaves the old copy
    or the new one, and the next call clears away what it left half-written. Where the file
    system can share blocks between files (btrfs, XFS) the copy takes no space and no time;
    elsewhere its time follows the size of the file. It is not forced onto the disk, which would
    double that time: after a power cut it may be damaged, and the next load writes it anew.

    Raises:
        OSError, duckdb.Error: the disk is full, or the file is damaged.
    """
    snapshot.parent.mkdir(parents=True, exist_ok=True)
    for stale in snapshot.parent.glob(f".{snapshot.name}.*"):
        stale.unlink(missing_ok=True)
    # With its log folded in, the one file is the whole database.
    with duckdb.connect(str(staging)) as connection:
        connection.execute("force checkpoint")
    copy = snapshot.with_name(f".{snapshot.name}.{os.getpid()}")
    try:
        _copy(staging, copy)
        copy.chmod(0o444)
        copy.replace(snapshot)
    except BaseException:
        copy.unlink(missing_ok=True)
        raise


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        left = os.fstat(read.fileno()).st_size
        try:
            while left and (done := os.copy_file_range(read.fileno(), write.fileno(), left)):
                left -= done
        except (AttributeError, OSError):
            read.seek(0)
            write.seek(0)
            shutil.copyfileobj(read, write, 1 << 20)
