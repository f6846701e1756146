from __future__ import annotations

import os
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest

from pipeline.run.frames import KEPT_RUNS, Frames, FramesOfRuns, MissingFrameError


class Numbers(dy.Schema):
    n = dy.Int64(nullable=False, min=0)
    kind = dy.Enum(["odd", "even"], nullable=True)


def numbers(*values: int) -> pl.DataFrame:
    kinds = ["odd" if value % 2 else "even" for value in values]
    return pl.DataFrame({"n": values, "kind": kinds}, Numbers.create_empty().schema)


def test_parts_are_appended_and_replaced_as_a_whole(tmp_path: Path) -> None:
    frames = Frames(tmp_path)
    with frames.writing("numbers", Numbers) as writer:
        writer.append(numbers(1, 2))
        writer.append(numbers(3))
    assert [part["n"].to_list() for part in frames.parts("numbers")] == [[1, 2], [3]]
    with frames.writing("numbers", Numbers) as writer:
        writer.append(numbers(4))
    assert frames.scan("numbers").collect()["n"].to_list() == [4]
    assert frames.scan("numbers").collect_schema() == Numbers.create_empty().schema


def test_an_error_leaves_the_frame_as_it_was(tmp_path: Path) -> None:
    frames = Frames(tmp_path)
    with frames.writing("numbers", Numbers) as writer:
        writer.append(numbers(1))

    def fail() -> None:
        with frames.writing("numbers", Numbers) as writer:
            writer.append(numbers(2))
            writer.append(numbers(-3))

    with pytest.raises(dy.exc.ValidationError):
        fail()
    assert frames.scan("numbers").collect()["n"].to_list() == [1]
    assert [entry.name for entry in tmp_path.iterdir()] == ["numbers"]


def test_a_frame_without_parts_is_empty_and_typed(tmp_path: Path) -> None:
    frames = Frames(tmp_path)
    with frames.writing("numbers", Numbers):
        pass
    assert frames.scan("numbers").collect().height == 0
    assert frames.scan("numbers").collect_schema() == Numbers.create_empty().schema


def test_a_frame_that_was_never_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MissingFrameError, match="materialize the asset 'numbers' first"):
        Frames(tmp_path).scan("numbers")


def test_a_frame_splits_into_groups_across_its_parts(tmp_path: Path) -> None:
    frames = Frames(tmp_path)
    with frames.writing("numbers", Numbers) as writer:
        writer.append(numbers(1, 2, 3))
        writer.append(numbers(4, 5, 6))
    groups = pl.DataFrame({"n": [1, 6, 2, 3, 4], "group": [10, 10, 2, 10, 2]})
    found = list(frames.split("numbers", groups))
    assert [group["n"].to_list() for group in found] == [[2, 4], [1, 3, 6]]
    assert found[0].schema == Numbers.create_empty().schema
    assert [entry.name for entry in tmp_path.iterdir()] == ["numbers"]


def test_each_run_has_its_own_frames_and_those_of_old_runs_go(tmp_path: Path) -> None:
    runs = FramesOfRuns(tmp_path)
    for number in range(KEPT_RUNS + 2):
        with runs.begin(f"run-{number}").writing("numbers", Numbers) as writer:
            writer.append(numbers(number))
        os.utime(tmp_path / f"run-{number}", (number, number))
    assert {folder.name for folder in tmp_path.iterdir()} == {"run-2", "run-3"}
    assert runs.of("run-2").scan("numbers").collect()["n"].to_list() == [2]
    with pytest.raises(MissingFrameError):
        runs.begin("run-2").scan("numbers")


def test_a_run_goes_on_from_a_copy_of_another_runs_frames(tmp_path: Path) -> None:
    runs = FramesOfRuns(tmp_path)
    with runs.begin("first").writing("numbers", Numbers) as writer:
        writer.append(numbers(1))
    frames = runs.of("second", ["unknown", "first"])
    with frames.writing("numbers", Numbers) as writer:
        writer.append(numbers(2))
    assert runs.of("first").scan("numbers").collect()["n"].to_list() == [1]
    assert runs.of("second", ["first"]).scan("numbers").collect()["n"].to_list() == [2]
    with pytest.raises(MissingFrameError, match="does not exist in this run"):
        runs.of("third", ["unknown"]).scan("numbers")


def test_removed_frames_are_missing(tmp_path: Path) -> None:
    frames = Frames(tmp_path)
    with frames.writing("numbers", Numbers):
        pass
    frames.remove("numbers", "others")
    with pytest.raises(MissingFrameError):
        frames.scan("numbers")
