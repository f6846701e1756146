"""The frames that one step of a run leaves for the next: Parquet below
``<data dir>/frames/<run id>``, so that no run reads or overwrites those of another."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dataframely as dy
import polars as pl

KEPT_RUNS = 2
"""The runs whose frames stay: the present one, and the last, from which one may go on."""


class MissingFrameError(Exception):
    """A step was started before the step that it reads from had finished in its run."""


class FrameWriter:
    """Appends parts to one frame. Each part is validated against the schema as it comes."""

    def __init__(self, directory: Path, schema: type[dy.Schema]) -> None:
        self._directory = directory
        self._schema = schema
        self._parts = 0
        self.rows = 0
        directory.mkdir(parents=True)

    def append(self, part: pl.DataFrame) -> None:
        """Raises:
        dataframely.exc.ValidationError: the part breaks a rule of the schema.
        """
        valid = self._schema.validate(part, cast=True)
        valid.write_parquet(self._directory / f"{self._parts:05}.parquet")
        self._parts += 1
        self.rows += valid.height


class Frames:
    """Named frames on disk. A frame is replaced whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @contextmanager
    def writing(self, name: str, schema: type[dy.Schema]) -> Iterator[FrameWriter]:
        """Replace the frame ``name`` when the block ends without an error. A frame of which no
        part was written is empty, with the columns of the schema."""
        draft = self._directory / f".{name}-{uuid.uuid4().hex}"
        writer = FrameWriter(draft, schema)
        try:
            yield writer
            if writer.rows == 0:
                writer.append(schema.create_empty())
            self._replace(name, draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _replace(self, name: str, draft: Path) -> None:
        target = self._directory / name
        outdated = self._directory / f".{name}-{uuid.uuid4().hex}"
        if target.exists():
            target.rename(outdated)
        draft.rename(target)
        shutil.rmtree(outdated, ignore_errors=True)

    def scan(self, name: str) -> pl.LazyFrame:
        """The whole frame, read when it is collected.

        Raises:
            MissingFrameError: nothing has written it yet.
        """
        return pl.scan_parquet(self._files(name))

    def parts(self, name: str) -> Iterator[pl.DataFrame]:
        """The frame part by part, as it was appended; bounded memory for a large frame.

        Raises:
            MissingFrameError: nothing has written it yet.
        """
        for file in self._files(name):
            yield pl.read_parquet(file)

    def split(self, name: str, groups: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The frame group by group, each whole. The frame is read once, part by part, and its
        rows wait on disk for the turn of their group, so that memory holds one of them.

        Args:
            groups: a column that identifies the rows of the frame, and the column ``group``, a
                number. Rows of no group are left out.

        Raises:
            MissingFrameError: nothing has written it yet.
        """
        (key,) = (column for column in groups.columns if column != "group")
        folder = self._directory / f".{name}-{uuid.uuid4().hex}"
        try:
            for number, part in enumerate(self.parts(name)):
                grouped = part.join(groups, on=key, maintain_order="left")
                for (group,), rows in grouped.partition_by("group", as_dict=True).items():
                    place = folder / str(group)
                    place.mkdir(parents=True, exist_ok=True)
                    rows.drop("group").write_parquet(
                        place / f"{number:05}.parquet", compression="lz4"
                    )
            for place in sorted(folder.glob("*"), key=lambda place: int(place.name)):
                yield pl.read_parquet(place / "*.parquet")
                shutil.rmtree(place)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _files(self, name: str) -> list[Path]:
        files = sorted((self._directory / name).glob("*.parquet"))
        if not files:
            raise MissingFrameError(
                f"The frame '{name}' does not exist in this run: materialize the asset '{name}' "
                "first, or the whole job 'ingest'."
            )
        return files

    def has(self, name: str) -> bool:
        """Whether the frame has been written."""
        return (self._directory / name).exists()

    def remove(self, *names: str) -> None:
        """Remove these frames, which a step is about to write anew: should it be killed between
        the two, none of them belongs to an earlier attempt."""
        for name in names:
            shutil.rmtree(self._directory / name, ignore_errors=True)


class FramesOfRuns:
    """The frames of the last runs, a folder each."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def begin(self, run_id: str) -> Frames:
        """No frames yet, for a run that begins to read. Those of old runs are removed."""
        folder = self._directory / run_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        runs = sorted(self._directory.iterdir(), key=_written_at, reverse=True)
        for old in [run for run in runs if run != folder][KEPT_RUNS - 1 :]:
            shutil.rmtree(old, ignore_errors=True)
        return Frames(folder)

    def of(self, run_id: str, goes_on_from: Iterable[str] = ()) -> Frames:
        """The frames of a run. One that has none gets a copy of its own of the frames of the
        first of the runs ``goes_on_from`` that has some."""
        folder = self._directory / run_id
        if not folder.exists():
            for other in goes_on_from:
                if (self._directory / other).exists():
                    draft = self._directory / f".{run_id}"
                    shutil.rmtree(draft, ignore_errors=True)
                    shutil.copytree(self._directory / other, draft, copy_function=_link)
                    draft.rename(folder)
                    break
        return Frames(folder)


def _written_at(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _link(source: str, target: str) -> None:
    """A file that is written once is shared instead of copied, where the file system can."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
