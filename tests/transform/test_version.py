"""What changes the version of the transform, and what does not."""

from __future__ import annotations

import ast
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.transform import version
from pipeline.transform.version import LIBRARIES, meaning, transform_version

MODULE = '''
"""What it is for."""
LIMIT = 3
"""The most."""

class Settings(SourceSettings):
    interval: int = 60

def rule(text: str) -> str:
    """What it does."""
    return text[:LIMIT]  # short
'''
DECIDE_NOTHING = {"dataframely", "dlt", "numpy", "pyarrow", "pydantic", "pydantic_settings"}
"""Libraries that check, transport or configure."""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it is for.", "What else."),
        ('"""The most."""', ""),
        ('    """What it does."""\n', ""),
        ("  # short", "  # cut"),
        ("LIMIT = 3", "LIMIT  =  3  # of them"),
        ("interval: int = 60", "interval: int = 30"),
    ],
)
def test_what_is_for_readers_or_a_setting_changes_nothing(old: str, new: str) -> None:
    assert old in MODULE
    assert meaning("rule.py", MODULE.replace(old, new)) == meaning("rule.py", MODULE)


@pytest.mark.parametrize(
    ("old", "new"), [("LIMIT = 3", "LIMIT = 4"), ("[:LIMIT]", "[LIMIT:]"), ("rule", "other")]
)
def test_a_rule_changes_it(old: str, new: str) -> None:
    assert meaning("rule.py", MODULE.replace(old, new)) != meaning("rule.py", MODULE)


def test_a_word_changes_it_and_a_comment_in_a_vocabulary_does_not() -> None:
    words = 'kinds = ["cloud"]\n'
    assert meaning("a.toml", "# of ours\n" + words) == meaning("a.toml", words)
    assert meaning("a.toml", words.replace("cloud", "data")) != meaning("a.toml", words)


def test_of_a_module_one_function_may_count() -> None:
    other = MODULE.replace("LIMIT = 3", "LIMIT = 4")
    assert meaning("a.py", MODULE, only="rule") == meaning("a.py", other, only="rule")
    with pytest.raises(LookupError, match="no function gone"):
        meaning("a.py", MODULE, only="gone")


@pytest.mark.parametrize("library", LIBRARIES)
def test_another_version_of_a_library_changes_it(
    library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = transform_version("upgrade")
    installed = version.version
    monkeypatch.setattr(
        version, "version", lambda name: "99" if name == library else installed(name)
    )
    transform_version.cache_clear()
    try:
        assert transform_version("upgrade") != before
    finally:
        transform_version.cache_clear()


def test_parameters_change_it() -> None:
    assert transform_version(30) != transform_version(31)


@pytest.mark.parametrize(
    "file", ["transform/vocabulary/skills.toml", "transform/understanding/places.py",
             "sources/adzuna.py", "staging/read.py"],
)  # fmt: skip
def test_it_follows_every_place_of_rules(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = transform_version(file)
    changed = (Path(str(files("pipeline"))) / file).read_text("utf-8")
    read_text = Path.read_text

    def with_a_change(path: Path, *args: str, **kwargs: str) -> str:
        text = read_text(path, *args, **kwargs)
        if text != changed:
            return text
        if path.suffix == ".toml":
            return text + "\n[kinds.odd]\nOdd = []\n"
        return text.replace("def mapped(", "def mapped(more: int, ") + "\nMORE = 1\n"

    monkeypatch.setattr(Path, "read_text", with_a_change)
    transform_version.cache_clear()
    try:
        assert transform_version(file) != before
    finally:
        transform_version.cache_clear()


def test_every_library_of_the_rules_decides_or_is_known_not_to() -> None:
    imported: set[str] = set()
    for folder in ("transform", "sources"):
        for module in (Path(str(files("pipeline"))) / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    imported |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    imported.add((node.module or "").split(".")[0])
    others = imported - set(sys.stdlib_module_names) - {"pipeline"}
    assert others == set(LIBRARIES) | DECIDE_NOTHING
