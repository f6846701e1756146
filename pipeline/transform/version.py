"""Which rules computed a result."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files


@cache
def transform_version(*parameters: object) -> str:
    """A digest of the code and data of the transform, of the sources' mappings and of the
    parameters that the rules take: twelve hexadecimal digits. Whatever was published under another
    one is computed anew."""
    digest = hashlib.sha256()
    for package in ("pipeline.transform", "pipeline.sources"):
        modules = (
            file for file in files(package).iterdir() if file.name.endswith((".py", ".toml"))
        )
        for module in sorted(modules, key=lambda file: file.name):
            digest.update(module.name.encode() + b"\0" + module.read_bytes() + b"\0")
    digest.update(repr(parameters).encode())
    return digest.hexdigest()[:12]
