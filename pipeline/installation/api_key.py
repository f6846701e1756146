"""The key that an installation makes for itself where none is configured."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from pydantic import SecretStr

FILE = "api_key"
_MIN_CHARS = 32


def kept_key(folder: Path) -> SecretStr:
    """The random key in the file ``api_key`` of the folder, which only its owner can read. It is
    made where there is none yet, or none that can be used."""
    file = folder / FILE
    if file.is_file():
        file.chmod(0o600)
        key = file.read_text(errors="replace").strip()
        if len(key) >= _MIN_CHARS and key.isascii() and key.isprintable():
            return SecretStr(key)
    key = secrets.token_urlsafe(_MIN_CHARS)
    new = folder / f".{FILE}.new"
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:  # noqa: PTH123
        written.write(f"{key}\n")
    new.replace(file)
    return SecretStr(key)
