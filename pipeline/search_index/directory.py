"""The folder of the index: segments, and commits that say which of them are a revision.

A commit names its segments and has, of each, the set of documents that are live. It is written
after its segments and given its name at once, so that a reader finds a whole one or none. The
folder's name has the version of the code: other code has another folder, and builds its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from filelock import FileLock, Timeout
from pyroaring import BitMap

from pipeline.search_index import analyzer, documents, schema
from pipeline.search_index.arrays import FORMAT, CorruptFileError, map_arrays, write_arrays
from pipeline.search_index.segment import Segment

_COMMIT = re.compile("commit-[0-9]{12}")
_VERSION = re.compile("[0-9a-f]{12}")

KEPT_COMMITS = 2
ABANDONED_SECONDS = 3_600
"""A file that no commit names is of a builder that ended, or of other code, after so long."""


@dataclass(frozen=True)
class Commit:
    """A revision of the index.

    Attributes:
        revision: what ``published_edition()`` said of the publish.
        attribution: what each source asks to be shown beside its jobs.
        live: of each segment, the documents that are live.
        indexed: how many documents were analyzed for it.
        seconds: how long that took, whichever process did it.
    """

    revision: str
    attribution: Mapping[str, str]
    segments: Sequence[Segment]
    live: Sequence[BitMap]
    indexed: int = 0
    seconds: float = 0.0

    @property
    def documents(self) -> int:
        return sum(map(len, self.live))

    @property
    def octets(self) -> int:
        """The size of its segments on disk."""
        return sum(segment.octets for segment in self.segments)


@cache
def code_version() -> str:
    """Of everything that decides what is in the files."""
    text = repr((FORMAT, schema.KEYWORDS, schema.NUMBERS, unicodedata.unidata_version,
                 version("pystemmer"), analyzer.RULES))  # fmt: skip
    own = ("analyzer.py", "arrays.py", "builder.py", "directory.py", "documents.py", "merge.py",
           "names.py", "segment.py")  # fmt: skip
    text += documents.statement()
    text += "".join((files(__package__) / name).read_text("utf-8") for name in own)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


class Directory:
    """The commits of one version of the code."""

    def __init__(self, root: Path) -> None:
        """
        Args:
            root: the folder of all versions, which is created where it is needed.
        """
        self._root = root
        self.path = root / code_version()
        self._mapped: dict[str, Segment] = {}

    def lock(self) -> FileLock:
        """What a builder holds, one at a time."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return FileLock(self.path / "lock")

    def merge_lock(self) -> FileLock:
        """What a process holds while it merges. Who finds it taken has nothing to do.

        Raises:
            filelock.Timeout: as it is entered, another process merges.
        """
        return FileLock(self.path / "merge.lock", timeout=0)

    def latest(self) -> Commit | None:
        """The newest commit that can be trusted, mapped. A corrupt one is passed over."""
        for path in reversed(self._commits()):
            with contextlib.suppress(CorruptFileError, FileNotFoundError):
                return self._opened(path)
        return None

    def new_segment(self) -> Path:
        """Where to write another segment."""
        return self.path / f"segment-{uuid.uuid4().hex}"

    def commit(
        self,
        revision: str,
        attribution: Mapping[str, str],
        segments: Sequence[str],
        live: Sequence[BitMap],
        *,
        indexed: int = 0,
        seconds: float = 0.0,
    ) -> Commit:
        """Make segments, by their names, the newest commit, and remove what is no longer needed.
        For the holder of the lock."""
        number = max((_number(path) for path in self._commits()), default=0) + 1
        head = {
            "revision": revision,
            "attribution": dict(attribution),
            "segments": segments,
            "indexed": indexed,
            "seconds": seconds,
        }
        path = self.path / f"commit-{number:012}"
        arrays = {"head": json.dumps(head).encode()}
        write_arrays(path, arrays | {f"live.{n}": docs.serialize() for n, docs in enumerate(live)})
        self._clean()
        return self._opened(path)

    def _commits(self) -> list[Path]:
        return sorted(path for path in self.path.glob("commit-*") if _COMMIT.fullmatch(path.name))

    def _opened(self, path: Path) -> Commit:
        arrays = map_arrays(path)
        mapped = {}
        try:
            head = json.loads(arrays["head"].tobytes())
            for name in head["segments"]:
                mapped[name] = self._mapped.get(name) or Segment(self.path / name)
            commit = Commit(
                head["revision"],
                head["attribution"],
                list(mapped.values()),
                [
                    BitMap.deserialize(arrays[f"live.{n}"].tobytes())
                    for n in range(len(head["segments"]))
                ],
                head["indexed"],
                head["seconds"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptFileError(f"{path.name} is no commit: {error!r}") from error
        self._mapped = mapped
        return commit

    def _clean(self) -> None:
        """Processes that have a removed file mapped keep it until they let it go."""
        commits = self._commits()
        needed = {path.name for path in commits[-KEPT_COMMITS:]}
        for path in commits[-KEPT_COMMITS:]:
            with contextlib.suppress(CorruptFileError, FileNotFoundError):
                needed.update(json.loads(map_arrays(path)["head"].tobytes())["segments"])
        long_ago = time.time() - ABANDONED_SECONDS
        for path in [*self.path.glob("commit-*"), *self.path.glob("segment-*")]:
            is_whole = path.suffix == "" and path.name.startswith("commit-")
            if path.name not in needed and (is_whole or _changed_at(path) < long_ago):
                path.unlink(missing_ok=True)
        for folder in self._root.iterdir():
            is_of_another_version = folder != self.path and _VERSION.fullmatch(folder.name)
            # What cannot be removed stays, and is no reason to fail.
            with contextlib.suppress(OSError, Timeout):
                if is_of_another_version and folder.is_dir() and not folder.is_symlink():
                    _remove(folder, long_ago)


def _remove(folder: Path, long_ago: float) -> None:
    """Remove the folder of another version, unless somebody writes to it or has done lately."""
    with FileLock(folder / "lock", timeout=0):
        files = [path for path in folder.iterdir() if path.name != "lock"]
        if max(map(_changed_at, files), default=0.0) < long_ago:
            for path in files:
                path.unlink(missing_ok=True)
    if not any(path.name != "lock" for path in folder.iterdir()):
        (folder / "lock").unlink(missing_ok=True)
        folder.rmdir()


def _number(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _changed_at(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return time.time()
