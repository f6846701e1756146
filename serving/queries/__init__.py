"""The SQL of the API, one statement a file, with named parameters (``%(limit)s``).

A line ``--> name`` stands for the text of ``name.sql``, or of what :mod:`pipeline.select_lists`
composes under that name, indented alike: what several statements share is written once.
"""

import re
from importlib.resources import files

from pipeline.select_lists import COMPOSED

_INCLUDE = re.compile(r"^( *)--> (\w+)$", re.MULTILINE)


def _text(name: str) -> str:
    text = COMPOSED.get(name) or (files(__name__) / f"{name}.sql").read_text().rstrip()

    def included(line: re.Match[str]) -> str:
        return "\n".join(line[1] + row for row in _text(line[2]).splitlines())

    return _INCLUDE.sub(included, text)


def load(name: str) -> bytes:
    """The statement in ``<name>.sql``."""
    return _text(name).encode()


JOB = load("job")
POSTINGS = load("postings")
CHANGES = load("changes")
EXPORT = load("export")
FEED = load("feed")
STATISTICS = load("statistics")
SOURCES = load("sources")
PUBLISHES = load("publishes")
REJECTED = load("rejected")
REVISION = load("revision")
LAST_PUBLISH = load("last_publish")
