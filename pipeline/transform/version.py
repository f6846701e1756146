"""Which rules computed a result."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pipeline.fields import transformed


def _rules(folder: Traversable) -> list[Traversable]:
    """The modules and data files below a folder, in the order of their names."""
    found: list[Traversable] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _rules(entry)
        elif entry.name.endswith((".py", ".toml")):
            found.append(entry)
    return found


@cache
def transform_version(*parameters: object) -> str:
    """A digest of the code and data of the transform, of the sources' mappings, of what it does
    with the declared fields and of the parameters that the rules take: twelve hexadecimal digits.
    Whatever was published under another one is computed anew."""
    digest = hashlib.sha256()
    for package in ("pipeline.transform", "pipeline.sources"):
        for module in _rules(files(package)):
            digest.update(module.name.encode() + b"\0" + module.read_bytes() + b"\0")
    digest.update(repr((transformed(), parameters)).encode())
    return digest.hexdigest()[:12]
