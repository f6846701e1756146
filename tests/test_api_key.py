"""The key that an installation makes for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.installation.api_key import FILE, kept_key


def test_it_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    assert len(key.get_secret_value()) >= 32
    assert key.get_secret_value() not in repr(key)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [FILE]
    assert kept_key(tmp_path) == key


def test_each_installation_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert kept_key(tmp_path) != kept_key(tmp_path / "other")


@pytest.mark.trial("key", "The file of the key is open to others")
def test_it_is_closed_to_others_again(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    (tmp_path / FILE).chmod(0o644)
    assert kept_key(tmp_path) == key
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40, b"two lines of it\n" * 4])
def test_what_cannot_be_a_key_is_made_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    (tmp_path / f".{FILE}.new").write_bytes(b"left by a start that was killed")
    key = kept_key(tmp_path).get_secret_value()
    assert len(key) >= 32
    assert (tmp_path / FILE).read_text() == f"{key}\n"
