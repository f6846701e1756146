"""The table of trials in the docs, from the marks on the tests.

A test that tries a fault or an attack carries ``@pytest.mark.trial(room, what happens)``, or one of
its parameters does. ``python tests/trials.py`` writes the tables.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[1]

ROOMS = {
    "reliability": {
        "sources": "Sources",
        "storage": "Storage: disk, staging, snapshots, frames, the ledger of requests",
        "PostgreSQL": "PostgreSQL",
        "runs": "Runs that die, hang or meet",
        "clock": "The clock",
        "Redis": "Redis",
        "processes": "Processes, logs and the console",
    },
    "security": {
        "page": "Web pages in the operator's browser",
        "text": "Texts and answers of sources",
        "key": "Keys and secrets",
        "client": "Clients of the API",
    },
}
"""The rooms of each page, with their headings."""

BEGIN, END = "<!-- trials: written by tests/trials.py -->", "<!-- end of the trials -->"


class Trial(NamedTuple):
    room: str
    what: str
    test: str


def trials() -> Iterator[Trial]:
    """Every mark, file by file.

    Raises:
        ValueError: a mark is not on a test that pytest collects, or not two texts.
    """
    for file in sorted((PROJECT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text())
        found = 0
        for test in tree.body:
            if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
                for mark in (m for one in test.decorator_list for m in _marks(one)):
                    room, what = (ast.literal_eval(argument) for argument in mark.args)
                    yield Trial(room, what, test.name)
                    found += 1
        if found != len(list(_marks(tree))):
            raise ValueError(f"{file.name}: a trial is marked that is no test")


def _marks(node: ast.AST) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.trial":
            yield call


def table(page: str) -> str:
    """The trials of the page, room by room."""
    of_rooms: dict[str, dict[str, list[str]]] = {room: {} for room in ROOMS[page]}
    for room, what, test in trials():
        if room in of_rooms:
            proofs = of_rooms[room].setdefault(what, [])
            if test not in proofs:
                proofs.append(test)
    lines = [f"## Trials: {sum(map(len, of_rooms.values()))}"]
    for room, rows in of_rooms.items():
        lines += ["", f"### {ROOMS[page][room]}: {len(rows)}", ""]
        lines += ["| What happens | Proved by |", "|---|---|"]
        lines += [
            f"| {what} | {', '.join(f'`{t}`' for t in tests)} |" for what, tests in rows.items()
        ]
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the table of the suite in place of the one that it has."""
    before, _, rest = (PROJECT / f"docs/{page}.md").read_text().partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table(page)}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    for name in ROOMS:
        (PROJECT / f"docs/{name}.md").write_text(written(name))
